//! The page: where it is, whether it is seen, whether there is a network.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Event, EventTarget, VisibilityState};

/// Leaves for another page.
pub fn go(url: &str) {
    let _ = window().location().assign(url);
}

/// Path and query of the page.
pub fn here() -> String {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    [path, location.search().unwrap_or_default()].concat()
}

/// Whether there may be a network. A no is certain, a yes is not.
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// Asks whether a task is to go for good.
pub fn is_sure() -> bool {
    let question = "Delete it for good? Nothing brings it back.";
    window().confirm_with_message(question).unwrap_or(false)
}

/// Whether the page can be seen.
pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Calls `f` at each event `name` of the window, for as long as the page lives.
pub fn on_window<E: JsCast + 'static>(name: &str, mut f: impl FnMut(E) + 'static) {
    let f = move |event: Event| f(event.unchecked_into());
    on(&window(), name, Box::new(f));
}

/// Calls `f` at each event `name` of the document, for as long as the page lives.
pub fn on_document(name: &str, mut f: impl FnMut() + 'static) {
    on(&document(), name, Box::new(move |_| f()));
}

#[inline(never)]
fn on(target: &EventTarget, name: &str, f: Box<dyn FnMut(Event)>) {
    let call = Closure::wrap(f).into_js_value();
    let _ = target.add_event_listener_with_callback(name, call.unchecked_ref());
}

/// Sets an attribute of the root element.
pub fn mark(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(name, value);
    }
}

/// Leaves a line in the browser's console.
pub fn warn(text: &str) {
    web_sys::console::warn_1(&JsValue::from_str(text));
}

/// A random number, at least 0 and under 1; for jitter.
pub fn random() -> f64 {
    js_sys::Math::random()
}

//! The page: where it is, whether it is seen, whether there is a network.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{EventTarget, VisibilityState};

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

/// Whether the page can be seen.
pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Calls `f` at each event `name` of the window, for as long as the page lives.
pub fn on_window(name: &str, f: impl Fn() + 'static) {
    on(&window(), name, f);
}

/// Calls `f` at each event `name` of the document, for as long as the page lives.
pub fn on_document(name: &str, f: impl Fn() + 'static) {
    on(&document(), name, f);
}

fn on(target: &EventTarget, name: &str, f: impl Fn() + 'static) {
    let call = Closure::wrap(Box::new(f) as Box<dyn Fn()>).into_js_value();
    let _ = target.add_event_listener_with_callback(name, call.unchecked_ref());
}

/// Leaves a line in the browser's console.
pub fn warn(text: &str) {
    web_sys::console::warn_1(&JsValue::from_str(text));
}

/// A random number, at least 0 and under 1; for jitter.
pub fn random() -> f64 {
    js_sys::Math::random()
}

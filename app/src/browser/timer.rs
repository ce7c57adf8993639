//! Timers.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};

/// Calls once, later; never once it is dropped.
pub struct Timer {
    handle: i32,
    _call: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `f` after `ms` milliseconds.
    pub fn after(ms: i64, f: impl FnOnce() + 'static) -> Self {
        Self::start(ms, Box::new(f))
    }

    #[inline(never)]
    fn start(ms: i64, f: Box<dyn FnOnce()>) -> Self {
        let call = Closure::once(f);
        let handle = set(ms, call.as_ref());
        Self {
            handle,
            _call: call,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.handle);
    }
}

fn set(ms: i64, call: &JsValue) -> i32 {
    let ms = i32::try_from(ms.max(0)).unwrap_or(i32::MAX);
    window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(call.unchecked_ref(), ms)
        .unwrap_or_default()
}

fn once(f: impl FnOnce() + 'static) -> JsValue {
    Closure::once_into_js(Box::new(f) as Box<dyn FnOnce()>)
}

/// Calls `f` after `ms` milliseconds, whatever becomes of who asked.
pub fn later(ms: i64, f: impl FnOnce() + 'static) {
    set(ms, &once(f));
}

/// Calls `f` before the page is drawn next.
pub fn next_frame(f: impl FnOnce() + 'static) {
    let _ = window().request_animation_frame(once(f).unchecked_ref());
}

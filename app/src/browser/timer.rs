//! Timers that end with their owner.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, prelude::Closure};

/// Calls once, later; never once it is dropped.
pub struct Timer {
    handle: i32,
    _call: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `f` after `ms` milliseconds.
    pub fn after(ms: i64, f: impl FnOnce() + 'static) -> Self {
        let mut f = Some(f);
        let call = Closure::wrap(Box::new(move || {
            if let Some(f) = f.take() {
                f();
            }
        }) as Box<dyn FnMut()>);
        let ms = i32::try_from(ms.max(0)).unwrap_or(i32::MAX);
        let handle = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                call.as_ref().unchecked_ref(),
                ms,
            )
            .unwrap_or_default();
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

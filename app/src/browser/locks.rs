//! Locks among the tabs of this browser; the browser lets go of a dead tab's.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};

/// Calls `granted` once this tab has the lock `name`, which may be never. The lock is held for the
/// life of the page where `hold`, else only while `granted` runs. False where there are no locks:
/// browsers have them on https and localhost alone.
pub fn request(name: &str, hold: bool, granted: impl FnOnce() + 'static) -> bool {
    let mut granted = Some(granted);
    let call = Closure::once_into_js(move || {
        if let Some(granted) = granted.take() {
            granted();
        }
        if hold {
            Promise::new(&mut |_, _| {})
        } else {
            Promise::resolve(&JsValue::UNDEFINED)
        }
    });
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok();
    let locks = locks.filter(JsValue::is_object);
    let Some(locks) = locks else { return false };
    let request = Reflect::get(&locks, &"request".into()).ok();
    let Some(Ok(request)) = request.map(JsCast::dyn_into::<Function>) else {
        return false;
    };
    request.call2(&locks, &name.into(), &call).is_ok()
}

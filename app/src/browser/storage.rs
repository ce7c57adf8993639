//! What stays in this browser. Storage may be switched off or full: then nothing stays, and the tab
//! works on.

use leptos::prelude::window;
use web_sys::Storage;

fn local() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What is kept under `key`.
pub fn get(key: &str) -> Option<String> {
    local()?.get_item(key).ok().flatten()
}

/// Keeps a value. False where it could not be kept.
pub fn set(key: &str, value: &str) -> bool {
    local().is_some_and(|local| local.set_item(key, value).is_ok())
}

/// Keeps nothing under `key` any more.
pub fn remove(key: &str) {
    if let Some(local) = local() {
        let _ = local.remove_item(key);
    }
}

/// The keys that begin with `prefix`.
pub fn keys(prefix: &str) -> Vec<String> {
    let Some(local) = local() else {
        return Vec::new();
    };
    let count = local.length().unwrap_or(0);
    let all = (0..count).filter_map(|n| local.key(n).ok().flatten());
    all.filter(|key| key.starts_with(prefix)).collect()
}

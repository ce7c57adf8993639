//! The browser's entry: takes over the page that the server rendered.

use leptos::prelude::*;
use tidings_app::{components::frame::frame, json, page::PageData, view::Whole};
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads what the page was rendered from, which lies in it as JSON, and hydrates from the same. A
/// page without it stays as plain as it came, and works.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    let text = document()
        .get_element_by_id("page")
        .and_then(|element| element.text_content());
    let Some(page) = text.and_then(|text| json::read::<PageData>(&text)) else {
        return;
    };
    if let Some(route) = page.framed() {
        hydrate_body(move || Whole::from(frame(&page, route)));
    }
}

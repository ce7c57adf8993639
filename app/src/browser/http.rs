//! Requests to our own server.

use leptos::prelude::window;
use serde::{Serialize, de::DeserializeOwned};
use tidings_domain::error::{Code, Fault};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

/// A request without an answer for this long has failed, in milliseconds.
const PATIENCE_MS: u32 = 20_000;
/// Browsers carry requests of up to 64 KiB on after the page is gone.
const KEPT_ALIVE: usize = 60_000;

/// Calls the server function `name` with the object `args`.
///
/// # Errors
/// The server function's fault; `unavailable` where there was no answer, or none of ours.
pub async fn call<T: DeserializeOwned>(name: &str, args: &impl Serialize) -> Result<T, Fault> {
    let lost = |_| Fault::from(Code::Internal);
    let body = serde_json::to_string(args).map_err(lost)?;
    let (status, text) = send(&["/rpc/", name].concat(), Some(&body))
        .await
        .map_err(|_| unreachable())?;
    if (200..300).contains(&status) {
        return serde_json::from_str(&text).map_err(lost);
    }
    // A proxy's page, or the server's that is going down.
    Err(serde_json::from_str(&text).unwrap_or_else(|_| unreachable()))
}

/// The status of the answer to `GET path`. `None` where there was no answer.
pub async fn status(path: &str) -> Option<u16> {
    send(path, None).await.ok().map(|(status, _)| status)
}

fn unreachable() -> Fault {
    Fault::new(
        Code::Unavailable,
        "Tidings cannot be reached. Check the connection and try again.",
    )
}

/// Sends JSON by POST, or gets.
async fn send(path: &str, body: Option<&str>) -> Result<(u16, String), JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    let init = RequestInit::new();
    if let Some(body) = body {
        headers.set("content-type", "application/json")?;
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
        if body.len() < KEPT_ALIVE {
            js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE)?;
        }
    }
    init.set_headers(&headers);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE_MS)));
    let response = JsFuture::from(window().fetch_with_str_and_init(path, &init)).await?;
    let response: Response = response.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}

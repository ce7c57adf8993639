//! Requests to our own server.

use leptos::prelude::window;
use tidings_domain::error::{Code, Fault};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use crate::json::{self, FromJson, Json};

/// A request without an answer for this long has failed, in milliseconds.
const PATIENCE_MS: u32 = 20_000;
/// Browsers carry requests of up to 64 KiB on after the page is gone.
const KEPT_ALIVE: usize = 60_000;

/// Calls the server function `name` with the object `args`.
///
/// # Errors
/// The server function's fault; `unavailable` where there was no answer, or none of ours.
pub async fn call<T: FromJson>(name: &str, args: Json) -> Result<T, Fault> {
    let text = ask(["/rpc/", name].concat(), args.print()).await?;
    json::read(&text).ok_or_else(|| Code::Internal.into())
}

/// The text of the answer, or the fault.
async fn ask(path: String, body: String) -> Result<String, Fault> {
    let (status, text) = send(&path, Some(&body)).await.map_err(|_| unreachable())?;
    if (200..300).contains(&status) {
        return Ok(text);
    }
    // A proxy's page, or the server's that is going down.
    Err(json::read(&text).unwrap_or_else(unreachable))
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

//! What Tidings is compared with: an axum handler that does nothing, behind the same listener.

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
    serve::ListenerExt as _,
};
use tokio::net::TcpListener;

use crate::Outcome;

/// Makes this program the bare server.
pub(crate) const ARGUMENT: &str = "baseline";

/// Serves until it is killed.
pub(crate) async fn serve(address: &str) -> Outcome {
    let routes = Router::new().route("/", get(answer).post(take));
    let listener = TcpListener::bind(address).await?;
    // As Tidings does: without it small answers wait for an acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}

async fn answer() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        "{\"ok\":true}",
    )
}

async fn take(_body: Bytes) -> impl IntoResponse {
    (StatusCode::CREATED, answer().await)
}

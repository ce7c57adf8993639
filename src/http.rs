//! Everything that knows HTTP.

pub mod api;
pub mod ask;
pub mod audit;
pub mod caller;
pub mod edge;
pub mod fields;
pub mod files;
pub mod health;
pub mod listener;
pub mod origin;
mod pace;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod rpc;
mod rpc_notices;
pub mod rpc_people;
pub mod schemas;
pub mod security;
pub mod sidecar;
pub mod state;
mod traced;
pub mod unsubscribe;
pub mod ws;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    http::Method,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tidings_domain::error::Code;
use tower::ServiceBuilder;

use self::{problem::Problem, routes::Routes, state::AppState, ws::Sockets};
use crate::{auth::Actor, error::Result};

/// Every route but the socket's. Each module adds its own here.
fn routes() -> Routes {
    Routes::new()
        .merge(health::routes())
        .merge(api::routes())
        .merge(rpc::routes())
        .merge(schemas::routes())
        .merge(unsubscribe::routes())
        .merge(audit::routes())
        .merge(pages::routes())
}

/// Every route that the router has, for tests that walk them all.
pub fn table() -> Vec<(Method, &'static str)> {
    let (_, mut table) = routes().into_parts();
    table.push((Method::GET, "/ws"));
    table
}

/// The public router.
pub fn router(app: AppState, sockets: Arc<Sockets>) -> Router {
    let (router, _) = routes().into_parts();
    let files = ServiceBuilder::new()
        .layer(from_fn(files::keep))
        .service(files::folder(&app.config.site_root).fallback(nothing.with_state(app.clone())));
    router
        .fallback_service(files)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app.clone())
        .merge(ws::routes(sockets))
        .layer(from_fn_with_state(app, edge::pass))
}

/// The router of a process that serves no people: it only tells of its health.
pub fn bare_router(app: AppState) -> Router {
    let (router, _) = health::routes().into_parts();
    router
        .fallback(async || Problem::from(Code::NotFound))
        .method_not_allowed_fallback(wrong_method)
        .with_state(app.clone())
        .layer(from_fn_with_state(app, edge::pass))
}

async fn wrong_method() -> Problem {
    Code::MethodNotAllowed.into()
}

/// Answers where there is nothing: people get a page, programs a problem.
async fn nothing(app: State<AppState>, actor: Result<Option<Actor>>, request: Request) -> Response {
    let path = request.uri().path();
    let program = ["/api/", "/rpc/", "/schemas/"]
        .iter()
        .any(|p| path.starts_with(p));
    if program || ![Method::GET, Method::HEAD].contains(request.method()) {
        return Problem::from(Code::NotFound).into_response();
    }
    pages::page(app, actor, request).await
}

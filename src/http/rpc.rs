//! Server functions at `/rpc/<name>`. Scripts get JSON with the status of the outcome. A plain form
//! is led on: where the function says so, else back to its page, and after a failure with the fault
//! and what was typed in the address, so that the page can show both.

pub mod form;
pub mod tasks;

use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{prelude::provide_context, server_fn::axum::get_server_fn_service};
use serde::de::IgnoredAny;
use tidings_app::{api::account::NewToken, error::AppError, ports};
use tidings_domain::error::{Code, Fault};

use self::form::Form;
use super::{
    fields, pages, problem, routes::Routes, rpc_notices, rpc_people::People, state::AppState,
};
use crate::{
    auth::{Actor, Caller},
    error::{Error, Result},
};

/// Bytes of an answer, at most; none comes near.
const ANSWER_MAX: usize = 64 * 1024 * 1024;
/// The one function whose answer a plain form needs to see.
const CREATE_TOKEN: &str = "/rpc/create_token";
/// What the framework tells its own client; nobody here reads it.
const REDIRECT: &str = "serverfnredirect";

/// The route.
pub fn routes() -> Routes {
    tidings_app::api::register();
    Routes::new().post("/rpc/{*name}", call)
}

async fn call(
    State(app): State<AppState>,
    actor: Option<Actor>,
    Extension(caller): Extension<Arc<Caller>>,
    request: Request,
) -> Result<Response> {
    let path = request.uri().path().to_owned();
    if get_server_fn_service(&path, Method::POST).is_none() {
        return Err(Code::NotFound.into());
    }
    let (mut parts, body) = fields::whole(request).await?;
    let form = Form::of(&parts, &body);
    // The function answers a plain form as it answers a script. What becomes of it is said here.
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::ACCEPT, json);
    let inner = Request::from_parts(parts, Body::from(body.clone()));
    let mut response = run(&app, actor.clone(), caller, inner).await;
    let outcome = outcome(&mut response, &body).await?;
    response.headers_mut().remove(REDIRECT);
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    let Some(form) = form else {
        return Ok(response);
    };
    match outcome {
        // The secret is shown this once, so it goes into a page, and into no address.
        Ok(body) if path == CREATE_TOKEN => {
            let made: NewToken = serde_json::from_slice(&body).map_err(Error::internal)?;
            let actor = actor.ok_or(Code::Unauthenticated)?;
            Ok(pages::new_token(&app, &actor, made.token).await)
        }
        Ok(_) => {
            let to = response.headers().get(header::LOCATION).cloned();
            Ok(lead(response, to.unwrap_or_else(|| address(&form.back()))))
        }
        Err(fault) => Ok(lead(response, address(&form.failed(&path, fault)))),
    }
}

/// Runs the function with the ports that it may ask, bound to who asks.
async fn run(
    app: &AppState,
    actor: Option<Actor>,
    caller: Arc<Caller>,
    request: Request,
) -> Response {
    let tasks: Arc<dyn ports::Tasks> = Arc::new(tasks::Port::new(app.tasks.clone(), actor.clone()));
    let notices: Arc<dyn ports::Notices> = Arc::new(rpc_notices::Port {
        notifications: app.notifications.clone(),
        actor: actor.clone(),
    });
    let people: Arc<dyn ports::People> = Arc::new(People {
        app: app.clone(),
        caller,
        actor,
    });
    let contexts = move || {
        provide_context(notices.clone());
        provide_context(tasks.clone());
        provide_context(people.clone());
    };
    leptos_axum::handle_server_fns_with_context(contexts, request)
        .await
        .into_response()
}

/// Reads the answer to `asked`, and gives a fault its status: the framework's own, such as a body
/// that cannot be read, are a 500 else.
async fn outcome(response: &mut Response, asked: &[u8]) -> Result<Result<Bytes, Fault>> {
    let body = std::mem::take(response.body_mut());
    let body = to_bytes(body, ANSWER_MAX).await.map_err(Error::internal)?;
    *response.body_mut() = Body::from(body.clone());
    if response.status().is_success() {
        return Ok(Ok(body));
    }
    let mut fault = match serde_json::from_slice(&body) {
        Ok(AppError(fault)) => fault,
        Err(_) => Code::Internal.into(),
    };
    // To the framework, JSON of another shape is as bad as what is no JSON at all.
    if fault.code == Code::MalformedJson && serde_json::from_slice::<IgnoredAny>(asked).is_ok() {
        fault = Code::ValidationFailed.into();
        let json = serde_json::to_vec(&fault).map_err(Error::internal)?;
        *response.body_mut() = Body::from(json);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    *response.status_mut() = problem::status(fault.code);
    if let Some(seconds) = fault.retry_after {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(Err(fault))
}

/// The answer to a plain form: its headers, with cookies, and where to go.
fn lead(mut response: Response, to: HeaderValue) -> Response {
    *response.status_mut() = StatusCode::FOUND;
    *response.body_mut() = Body::empty();
    response.headers_mut().remove(header::CONTENT_TYPE);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::LOCATION, to);
    response
}

fn address(path: &str) -> HeaderValue {
    HeaderValue::try_from(path).unwrap_or_else(|_| HeaderValue::from_static("/inbox"))
}

//! Pages: each is read in as few reads as it takes, rendered from that, and carries it as JSON so
//! that the browser goes on from the same data. The paths are those of [`Route`].

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{nonce::use_nonce, prelude::use_context};
use leptos_axum::ResponseOptions;
use tidings_app::{
    api::{
        notices::Notices,
        tasks::{ListQuery, Listing},
    },
    page::{Detail, PageData},
    route::{Route, encode, param},
    shell::shell,
};
use tidings_domain::{error::Code, statistics::DAYS_DEFAULT, view::View};

use super::{
    api::stats,
    audit, problem,
    routes::Routes,
    rpc::{form, tasks::Port},
    rpc_people,
    security::page_policy,
    state::{App, AppState},
};
use crate::{
    auth::Actor,
    error::Result,
    service::{
        notifications::{read_place, write_place},
        tasks::LIMIT_DEFAULT,
    },
};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/", home)
        .get("/sign-in", page)
        .get("/sign-up", page)
        .get("/forgot", page)
        .get("/reset", page)
        .get("/inbox", page)
        .get("/today", page)
        .get("/upcoming", page)
        .get("/completed", page)
        .get("/tags/{tag}", page)
        .get("/search", page)
        .get("/trash", page)
        .get("/activity", page)
        .get("/notifications", page)
        .get("/account", page)
        .get("/statistics", page)
        .get("/audit", page)
        .get("/tasks/{id}", page)
}

async fn home() -> Redirect {
    Redirect::to("/inbox")
}

/// Answers a `GET` of a page, and of a path that is none.
pub(super) async fn page(
    State(app): State<AppState>,
    actor: Result<Option<Actor>>,
    request: Request,
) -> Response {
    let (actor, failed) = match actor {
        Ok(actor) => (actor, None),
        Err(error) => (None, Some(error)),
    };
    let mut data = start(&app, actor.as_ref(), request.uri());
    let route = Route::parse(&data.path, &data.query);
    if actor.is_none() && failed.is_none() && !route.is_public() {
        let back = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let to = ["/sign-in?next=", &encode(back)].concat();
        return Redirect::to(&to).into_response();
    }
    if actor.is_some() && matches!(route, Route::SignIn | Route::SignUp) {
        return Redirect::to("/inbox").into_response();
    }
    let mut status = StatusCode::OK;
    let loaded = match failed {
        Some(error) => Err(error),
        None => load(&app, actor.as_ref(), &route, &mut data).await,
    };
    if let Err(error) = loaded {
        let fault = problem::fault(error);
        status = problem::status(fault.code);
        data.fault = Some(fault);
        data.failed = None;
    }
    render(&app, data, status, request).await
}

/// The Account page, as the answer to a form that has just made a token: the one page that shows
/// its secret.
pub(super) async fn new_token(app: &App, actor: &Actor, secret: String) -> Response {
    let uri = Uri::from_static("/account");
    let mut data = start(app, Some(actor), &uri);
    if let Err(error) = load(app, Some(actor), &Route::Account, &mut data).await {
        // The token is there all the same, and its secret must not be lost.
        let (user_id, trace_id) = (actor.user.id, actor.caller.trace.trace_id());
        tracing::warn!(%error, %user_id, %trace_id, "the page of a new token lacks its rows");
    }
    data.new_token = Some(secret);
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    render(app, data, StatusCode::OK, request).await
}

/// What every page starts from.
fn start(app: &App, actor: Option<&Actor>, uri: &Uri) -> PageData {
    let raw = uri.query().unwrap_or_default();
    let kept = raw.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        ![form::PATH, form::FAULT].contains(&name)
    });
    let failed = param(raw, form::PATH);
    let fault = param(raw, form::FAULT).filter(|_| failed.is_some());
    let fault = fault.and_then(|codes| form::told(&codes));
    PageData {
        path: uri.path().to_owned(),
        query: kept.collect::<Vec<_>>().join("&"),
        now: app.ambient.clock.now(),
        seed: app.ambient.ids.next(),
        profile: actor.map(rpc_people::profile),
        board: None,
        listing: None,
        detail: None,
        activity: None,
        tokens: Vec::new(),
        new_token: None,
        notices: None,
        samples: false,
        statistics: None,
        security: None,
        failed: failed.filter(|_| fault.is_some()),
        fault,
    }
}

/// Reads what the page shows.
async fn load(app: &App, actor: Option<&Actor>, route: &Route, data: &mut PageData) -> Result<()> {
    if *route == Route::NotFound {
        return Err(Code::NotFound.into());
    }
    let Some(actor) = actor else {
        return Ok(());
    };
    let open = match route {
        Route::Today | Route::Upcoming | Route::Tag(_) => route.view(),
        _ => None,
    };
    let open = open.unwrap_or(View::Inbox);
    data.notices = Some(Box::new(notices(app, actor, route, data).await?));
    data.board = Some(app.tasks.board(actor, &open).await?);
    let port = Port::new(app.tasks.clone(), Some(actor.clone()));
    let cursor = param(&data.query, "cursor").filter(|cursor| !cursor.is_empty());
    let list = |view, q| ListQuery { view, q, cursor };
    match route {
        Route::Completed => data.listing = Some(port.part(list(View::Completed, None)).await?),
        Route::Trash => data.listing = Some(port.part(list(View::Trash, None)).await?),
        Route::Search(q) if q.trim().is_empty() => data.listing = Some(Listing::default()),
        Route::Search(q) => {
            data.listing = Some(port.part(list(View::All, Some(q.clone()))).await?);
        }
        Route::Task(id) => {
            let task = app.tasks.any(actor, *id).await?;
            let history = port.versions(*id, 0).await?;
            data.detail = Some(Detail { task, history });
        }
        Route::Activity => {
            let before = param(&data.query, "before").and_then(|seq| seq.parse().ok());
            data.activity = Some(port.lines(before).await?);
        }
        Route::Account => {
            let tokens = app.accounts.tokens(actor).await?;
            data.tokens = tokens.into_iter().map(rpc_people::row).collect();
            data.samples = app.tasks.has_samples(actor).await?;
        }
        Route::Statistics => {
            let days = param(&data.query, "days").and_then(|days| stats::days(&days));
            let days = days.unwrap_or(DAYS_DEFAULT);
            data.statistics = Some(app.tasks.statistics(actor, days).await?);
        }
        Route::Security => data.security = Some(audit::shown(app, actor, &data.query).await?),
        _ => {}
    }
    Ok(())
}

/// What the page shows of notifications: the bell's count, and more where it is about them.
async fn notices(app: &App, actor: &Actor, route: &Route, data: &PageData) -> Result<Notices> {
    let notifications = &app.notifications;
    let mut notices = Notices {
        unread: notifications.unread(actor).await?,
        ..Notices::default()
    };
    match route {
        Route::Notifications => {
            let cursor = param(&data.query, "cursor").filter(|cursor| !cursor.is_empty());
            let after = cursor.as_deref().map(read_place).transpose()?;
            let list = notifications.list(actor, false, after, LIMIT_DEFAULT);
            let (list, next) = list.await?;
            (notices.list, notices.next) = (list, next.map(write_place));
        }
        Route::Account => notices.settings = notifications.settings(actor).await?,
        _ => {}
    }
    Ok(notices)
}

/// Renders the document.
async fn render(app: &App, data: PageData, status: StatusCode, request: Request<Body>) -> Response {
    let (data, assets) = (Arc::new(data), app.assets.clone());
    let handler = leptos_axum::render_app_to_stream_in_order_with_context(
        || {
            if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>())
                && let Some(policy) = page_policy(&nonce)
            {
                response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            }
        },
        move || shell(&data, &assets),
    );
    let mut response = handler(request).await;
    *response.status_mut() = status;
    // A page of nobody is not kept either: it holds an id that is good for one form.
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

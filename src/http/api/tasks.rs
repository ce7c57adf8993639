//! `/api/tasks`.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tidings_domain::{
    command::{Command, ReadOnly, TaskPatch},
    error::{Code, Fault},
    event::{self, EventType},
    id::{EventId, TaskId},
    task::Task,
    time::Timestamp,
};

use super::{
    PathId,
    openapi::schemas,
    request::{Asked, Parameters, field, only, precondition},
};
use crate::{
    auth::Actor,
    error::{Error, Result},
    http::{
        routes::Routes,
        state::{App, AppState},
    },
    service::tasks::{LIMIT_DEFAULT, LIMIT_MAX, ListRequest, Version, write_cursor},
    store::{Action, Outcome},
};

/// The feed's head after a change.
const SEQ: HeaderName = HeaderName::from_static("tidings-seq");

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/tasks", list)
        .post("/api/tasks", create)
        .get("/api/tasks/{id}", read)
        .put("/api/tasks/{id}", replace)
        .patch("/api/tasks/{id}", edit)
        .delete("/api/tasks/{id}", delete)
        .patch("/api/tasks/{id}/complete", complete)
        .post("/api/tasks/{id}/skip", skip)
        .post("/api/tasks/{id}/restore", restore)
        .delete("/api/tasks/{id}/permanently", purge)
        .get("/api/tasks/{id}/history", history)
}

/// A part of a task's history.
#[derive(Serialize)]
struct History {
    items: Vec<HistoryItem>,
    next_cursor: Option<String>,
}

/// One version of a task.
#[derive(Serialize)]
struct HistoryItem {
    event_id: EventId,
    event_type: EventType,
    seq: Option<i64>,
    version: i64,
    actor: event::Actor,
    timestamp: Timestamp,
    changes: Map<String, Value>,
}

impl From<Version> for HistoryItem {
    fn from(version: Version) -> Self {
        let Version {
            event,
            version,
            changes,
        } = version;
        Self {
            event_id: event.event_id,
            event_type: event.event_type,
            seq: event.seq,
            version,
            actor: event.metadata.actor,
            timestamp: event.timestamp,
            changes,
        }
    }
}

/// Lists tasks.
///
/// `view=all` is everything not in the trash, `inbox` is open, `today` open and due today or before,
/// `upcoming` open and due after today. Today is a date in the person's zone. With `as_of`, the tasks
/// as they were then; it goes with no filter.
#[utoipa::path(get, path = "/api/tasks", tag = "Tasks", params(schemas::ListParameters), responses(
    (status = 200, description = "A part of the list.", body = schemas::TaskList)))]
pub(super) async fn list(
    State(app): State<AppState>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Response> {
    let listed = ListRequest::parse(parameters.iter())?;
    let page = app.tasks.listed(&actor, listed).await?;
    let next = page.next.as_ref().map(write_cursor);
    let next = serde_json::to_string(&next).map_err(Error::internal)?;
    let (epoch, seq) = (page.epoch, page.seq);
    let length: usize = page.items.iter().map(|task| task.as_str().len() + 1).sum();
    let mut body = String::with_capacity(length + next.len() + 128);
    body.push_str("{\"items\":[");
    for (at, task) in page.items.iter().enumerate() {
        body.push_str(if at == 0 { "" } else { "," });
        body.push_str(task.as_str());
    }
    body.push_str("],\"next_cursor\":");
    body.push_str(&next);
    body.push_str(&format!(
        ",\"feed\":{{\"epoch\":\"{epoch}\",\"seq\":{seq}}}}}"
    ));
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], body).into_response())
}

/// Makes a task.
#[utoipa::path(post, path = "/api/tasks", tag = "Tasks", request_body = schemas::NewTask, responses(
    (status = 201, description = "The new task.", body = schemas::Task, headers(
        ("Location", description = "Where it is."),
        ("ETag", description = "Its version, in quotes."),
        ("Tidings-Seq" = i64, description = "The feed's head after the change.")))))]
pub(super) async fn create(
    State(app): State<AppState>,
    actor: Actor,
    asked: Asked,
) -> Result<Response> {
    let mut fields = asked.object()?;
    let wrong = || {
        let words = "An id made by a client is a version 7 UUID.";
        Fault::field("id", "invalid", words)
    };
    let task_id = match fields.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.len() == 36 => Some(text.parse().map_err(|_| wrong())?),
        Some(_) => return Err(wrong().into()),
    };
    let patch = TaskPatch::from_json(&fields, ReadOnly::Refuse)?;
    let intent = asked.intent(&actor, task_id, Command::Create(patch))?;
    let outcome = app.tasks.change(&actor, intent).await?;
    let location = outcome
        .task
        .as_ref()
        .map(|t| format!("/api/tasks/{}", t.id));
    let mut response = changed(StatusCode::CREATED, outcome)?;
    if let Some(Ok(location)) = location.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Reads a task.
#[utoipa::path(get, path = "/api/tasks/{id}", tag = "Tasks", params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The task.", body = schemas::Task, headers(
        ("ETag", description = "Its version, in quotes.")))))]
pub(super) async fn read(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    headers: HeaderMap,
) -> Result<Response> {
    let task = app.tasks.get(&actor, TaskId(id)).await?;
    if precondition(&headers).is_some_and(|p| !p.allows(task.version)) {
        return Err(Code::VersionMismatch.into());
    }
    Ok(([etag(&task)], Json(task)).into_response())
}

/// Sets all fields of a task.
///
/// What is missing takes its default; fields that cannot be set are passed over.
#[utoipa::path(put, path = "/api/tasks/{id}", tag = "Tasks", params(("id" = Uuid, Path)),
    request_body = schemas::TaskFields, responses(schemas::Changed))]
pub(super) async fn replace(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    let patch = TaskPatch::from_json(&asked.object()?, ReadOnly::Ignore)?;
    change(&app, &actor, TaskId(id), Command::Replace(patch), &asked).await
}

/// Changes some fields of a task.
///
/// A merge patch: what is missing stays, null clears.
#[utoipa::path(patch, path = "/api/tasks/{id}", tag = "Tasks", params(("id" = Uuid, Path)),
    request_body(content(
        (schemas::TaskFields = "application/merge-patch+json"),
        (schemas::TaskFields = "application/json"))), responses(schemas::Changed))]
pub(super) async fn edit(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    let patch = TaskPatch::from_json(&asked.object()?, ReadOnly::Refuse)?;
    change(&app, &actor, TaskId(id), Command::Edit(patch), &asked).await
}

/// Moves a task to the trash.
#[utoipa::path(delete, path = "/api/tasks/{id}", tag = "Tasks", params(("id" = Uuid, Path)),
    responses(schemas::Removed))]
pub(super) async fn delete(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    remove(&app, &actor, TaskId(id), Command::Delete, &asked).await
}

/// Removes a task from the trash for good.
///
/// Its events stay, without contents.
#[utoipa::path(delete, path = "/api/tasks/{id}/permanently", tag = "Tasks",
    params(("id" = Uuid, Path)), responses(schemas::Removed))]
pub(super) async fn purge(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    remove(&app, &actor, TaskId(id), Command::Purge, &asked).await
}

/// Completes a task, or opens it again.
///
/// Without a body, or with `{}`, the other way round.
#[utoipa::path(patch, path = "/api/tasks/{id}/complete", tag = "Tasks", params(("id" = Uuid, Path)),
    request_body = Option<schemas::Completion>, responses(schemas::Changed))]
pub(super) async fn complete(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    let fields = asked.optional()?;
    only(&fields, &["completed"])?;
    let done = field(&fields, "completed", "Completed is true or false.")?;
    change(&app, &actor, TaskId(id), Command::Complete(done), &asked).await
}

/// Moves a task that repeats on to its next date, without completing it.
///
/// That is today or later. 409 for a task that is completed, does not repeat or is the last of its
/// series.
#[utoipa::path(post, path = "/api/tasks/{id}/skip", tag = "Tasks", params(("id" = Uuid, Path)),
    responses(schemas::Changed))]
pub(super) async fn skip(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    only(&asked.optional()?, &[])?;
    change(&app, &actor, TaskId(id), Action::Skip, &asked).await
}

/// Takes a task out of the trash, or brings an earlier version back.
#[utoipa::path(post, path = "/api/tasks/{id}/restore", tag = "Tasks", params(("id" = Uuid, Path)),
    request_body = Option<schemas::Restoration>, responses(schemas::Changed))]
pub(super) async fn restore(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    let fields = asked.optional()?;
    only(&fields, &["version"])?;
    let version = field(&fields, "version", "Version is a number from 1.")?;
    change(&app, &actor, TaskId(id), Command::Restore(version), &asked).await
}

/// Tells what happened to a task, oldest first.
#[utoipa::path(get, path = "/api/tasks/{id}/history", tag = "Tasks",
    params(("id" = Uuid, Path), schemas::PageParameters), responses(
    (status = 200, description = "A part of its history.", body = schemas::History)))]
pub(super) async fn history(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    parameters: Parameters,
) -> Result<Response> {
    let limit = parameters.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let after = parameters.after("cursor")?;
    let (versions, more) = app.tasks.history(&actor, TaskId(id), after, limit).await?;
    let last = versions.last().filter(|_| more);
    let history = History {
        next_cursor: last.map(|version| version.version.to_string()),
        items: versions.into_iter().map(HistoryItem::from).collect(),
    };
    Ok(Json(history).into_response())
}

/// Carries out a change whose answer is the task.
async fn change(
    app: &App,
    actor: &Actor,
    id: TaskId,
    action: impl Into<Action>,
    asked: &Asked,
) -> Result<Response> {
    let intent = asked.intent(actor, Some(id), action)?;
    changed(StatusCode::OK, app.tasks.change(actor, intent).await?)
}

/// Carries out a change whose answer is empty.
async fn remove(
    app: &App,
    actor: &Actor,
    id: TaskId,
    command: Command,
    asked: &Asked,
) -> Result<Response> {
    let intent = asked.intent(actor, Some(id), command)?;
    let seq = app.tasks.change(actor, intent).await?.seq;
    Ok((StatusCode::NO_CONTENT, [(SEQ, HeaderValue::from(seq))]).into_response())
}

pub(super) fn changed(status: StatusCode, outcome: Outcome) -> Result<Response> {
    // Only an answer given before can lack its task: it was deleted for good since.
    let task = outcome.task.ok_or(Code::NotFound)?;
    let seq = (SEQ, HeaderValue::from(outcome.seq));
    Ok((status, [seq, etag(&task)], Json(task)).into_response())
}

fn etag(task: &Task) -> (HeaderName, HeaderValue) {
    let tag = HeaderValue::try_from(format!("\"{}\"", task.version));
    let tag = tag.unwrap_or_else(|_| HeaderValue::from_static("\"0\""));
    (header::ETAG, tag)
}

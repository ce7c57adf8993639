//! Changes of tasks, and the lists that a browser does not hold.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;
use tidings_domain::{
    command::Command,
    event::{Actor, EventType},
    id::{ClientId, MutationId, TaskId},
    task::{Recurrence, Task},
    time::Timestamp,
    view::View,
};

use crate::error::AppError;

/// One intended change of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Made by the client (version 7): a retry does nothing twice.
    pub mutation_id: MutationId,
    /// The browser profile.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// The task; made by the client (version 7) for a new one.
    pub task_id: TaskId,
    /// What is asked.
    pub command: Command,
}

/// The server's answer to a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The task after it; `None` once it is gone for good.
    pub task: Option<Task>,
    /// The feed's head after it: the change is settled once the client's cursor is there.
    pub seq: i64,
}

/// Which list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// The view.
    pub view: View,
    /// Words to search for.
    #[serde(default)]
    pub q: Option<String>,
    /// Where to go on.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In the view's order, at most 50.
    pub items: Vec<Task>,
    /// Where to go on; nothing at the end.
    pub next: Option<String>,
}

/// One version of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryItem {
    /// What happened.
    pub event_type: EventType,
    /// Its place in the feed.
    pub seq: i64,
    /// The task's version after it.
    pub version: i64,
    /// Who acted.
    pub actor: Actor,
    /// Which browser or program acted.
    pub client_id: Option<ClientId>,
    /// When.
    pub timestamp: Timestamp,
    /// Field, old value, new value; in no particular order.
    pub changes: Vec<(String, FieldValue, FieldValue)>,
}

/// What a field of a task held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Nothing, or what nobody shows.
    #[default]
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A text, a date, an instant, an id.
    Text(String),
    /// Tags.
    Texts(Vec<String>),
    /// How it repeats.
    Repeat(Recurrence),
}

/// One line of the person's own log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The task, unless it was deleted for good.
    pub task_id: Option<TaskId>,
    /// Its title at that time; empty once it was deleted for good.
    pub title: String,
    /// What happened to it.
    pub item: HistoryItem,
}

/// Carries a change out.
#[server(name = ChangeTask, prefix = "/rpc", endpoint = "change", input = Json)]
pub async fn change(change: Change) -> Result<Changed, AppError> {
    crate::error::answer(tasks().change(change).await)
}

/// A part of a list that the browser does not hold.
#[server(name = ListTasks, prefix = "/rpc", endpoint = "list", input = Json)]
pub async fn list(query: ListQuery) -> Result<Listing, AppError> {
    crate::error::answer(tasks().list(query).await)
}

/// One task, in the trash or not.
#[server(name = GetTask, prefix = "/rpc", endpoint = "task", input = Json)]
pub async fn task(id: TaskId) -> Result<Task, AppError> {
    crate::error::answer(tasks().task(id).await)
}

/// A task's versions after `after`, oldest first.
#[server(name = GetHistory, prefix = "/rpc", endpoint = "history", input = Json)]
pub async fn history(id: TaskId, after: i64) -> Result<Vec<HistoryItem>, AppError> {
    crate::error::answer(tasks().history(id, after).await)
}

/// The person's own log before `before`, newest first.
#[server(name = GetActivity, prefix = "/rpc", endpoint = "activity", input = Json)]
pub async fn activity(before: Option<i64>) -> Result<Vec<Activity>, AppError> {
    crate::error::answer(tasks().activity(before).await)
}

#[cfg(feature = "ssr")]
fn tasks() -> std::sync::Arc<dyn crate::ports::Tasks> {
    expect_context()
}

//! What server functions may ask about tasks, over the service and bound to who asks.

use async_trait::async_trait;
use serde_json::{Map, Value};
use tidings_app::{
    api::tasks::{Activity, Change, Changed, FieldValue, HistoryItem, ListQuery, Listing},
    ports,
};
use tidings_domain::{
    error::{Code, Fault},
    id::{MutationId, TaskId},
    task::Task,
    view::View,
};

use crate::{
    auth::Actor,
    error::{Error, Result},
    http::problem,
    service::tasks::{Intent, Key, LIMIT_DEFAULT, Tasks, Version, read_cursor, write_cursor},
    store::{Action, Sort, SortKey, TaskJson, TaskQuery},
};

/// Versions of a task that are read at once.
const HISTORY_MAX: usize = 100;
/// Lines of the person's own log that are read at once.
const ACTIVITY_MAX: usize = 50;

/// The port of tasks.
#[derive(Clone)]
pub struct Port {
    tasks: Tasks,
    actor: Option<Actor>,
}

impl Port {
    /// For this person, or for nobody.
    pub fn new(tasks: Tasks, actor: Option<Actor>) -> Self {
        Self { tasks, actor }
    }

    fn actor(&self) -> Result<&Actor> {
        Ok(self.actor.as_ref().ok_or(Code::Unauthenticated)?)
    }

    async fn carry_out(&self, change: Change) -> Result<Changed> {
        let actor = self.actor()?;
        // What was asked, in one form however it was written.
        let asked = serde_json::to_vec(&change.command).map_err(Error::internal)?;
        let id = change.task_id.0;
        let key = Key::client_made(change.mutation_id, &[b"change", id.as_bytes(), &asked])?;
        let intent = Intent {
            task_id: Some(change.task_id),
            action: change.command.into(),
            precondition: None,
            key: Some(key),
            client_id: change.client_id,
        };
        let outcome = self.tasks.change(actor, intent).await?;
        Ok(Changed {
            task: outcome.task,
            seq: outcome.seq,
        })
    }

    async fn move_on(&self, task_id: TaskId, mutation_id: MutationId) -> Result<()> {
        let key = Key::client_made(mutation_id, &[b"skip", task_id.0.as_bytes()])?;
        let intent = Intent {
            task_id: Some(task_id),
            action: Action::Skip,
            precondition: None,
            key: Some(key),
            client_id: None,
        };
        self.tasks.change(self.actor()?, intent).await.map(drop)
    }

    /// A part of a list, in the order in which its page shows it.
    pub(crate) async fn part(&self, query: ListQuery) -> Result<Listing> {
        let key = match (&query.view, &query.q) {
            (View::Completed, _) => SortKey::CompletedAt,
            (View::Trash, _) => SortKey::DeletedAt,
            (_, Some(_)) => SortKey::UpdatedAt,
            _ => SortKey::Position,
        };
        let sort = Sort {
            key,
            descending: key != SortKey::Position,
        };
        let cursor = query.cursor.as_deref().map(read_cursor).transpose();
        let after = cursor.map_err(|error| Fault::fields(vec![error]))?;
        if after.as_ref().is_some_and(|after| after.sort != sort) {
            let words = "That cursor belongs to another list.";
            return Err(Fault::field("cursor", "invalid", words).into());
        }
        let actor = self.actor()?;
        let list = TaskQuery {
            view: query.view,
            sort,
            limit: LIMIT_DEFAULT,
            after,
            ..TaskQuery::default()
        };
        let list = match &query.q {
            Some(typed) => match self.tasks.searched(actor, typed, list) {
                Some(list) => list,
                None => return Ok(Listing::default()),
            },
            None => list,
        };
        let page = self.tasks.list(actor, &list).await?;
        Ok(Listing {
            items: page
                .items
                .iter()
                .map(TaskJson::read)
                .collect::<Result<_>>()?,
            next: page.next.as_ref().map(write_cursor),
        })
    }

    /// A task's versions after `after`.
    pub(crate) async fn versions(&self, id: TaskId, after: i64) -> Result<Vec<HistoryItem>> {
        let versions = self.tasks.history(self.actor()?, id, after, HISTORY_MAX);
        Ok(versions.await?.0.into_iter().map(item).collect())
    }

    /// The person's own log before `before`.
    pub(crate) async fn lines(&self, before: Option<i64>) -> Result<Vec<Activity>> {
        let lines = self.tasks.activity(self.actor()?, before, ACTIVITY_MAX);
        let lines = lines.await?.into_iter().map(|line| Activity {
            task_id: line.task.as_ref().map(|task| task.id),
            title: line.task.map(|task| task.title).unwrap_or_default(),
            item: item(line.version),
        });
        Ok(lines.collect())
    }
}

#[async_trait]
impl ports::Tasks for Port {
    async fn change(&self, change: Change) -> Result<Changed, Fault> {
        self.carry_out(change).await.map_err(problem::fault)
    }

    async fn skip(&self, id: TaskId, mutation_id: MutationId) -> Result<(), Fault> {
        self.move_on(id, mutation_id).await.map_err(problem::fault)
    }

    async fn remove_samples(&self) -> Result<(), Fault> {
        let removed = async { self.tasks.remove_samples(self.actor()?).await };
        removed.await.map_err(problem::fault)
    }

    async fn list(&self, query: ListQuery) -> Result<Listing, Fault> {
        self.part(query).await.map_err(problem::fault)
    }

    async fn task(&self, id: TaskId) -> Result<Task, Fault> {
        let task = async { self.tasks.any(self.actor()?, id).await };
        task.await.map_err(problem::fault)
    }

    async fn history(&self, id: TaskId, after: i64) -> Result<Vec<HistoryItem>, Fault> {
        self.versions(id, after).await.map_err(problem::fault)
    }

    async fn activity(&self, before: Option<i64>) -> Result<Vec<Activity>, Fault> {
        self.lines(before).await.map_err(problem::fault)
    }
}

fn item(version: Version) -> HistoryItem {
    let Version {
        event,
        version,
        changes,
    } = version;
    HistoryItem {
        event_type: event.event_type,
        seq: event.seq.unwrap_or_default(),
        version,
        actor: event.metadata.actor,
        client_id: event.metadata.client_id,
        timestamp: event.timestamp,
        changes: changes.into_iter().map(triple).collect(),
    }
}

fn triple((field, change): (String, Value)) -> (String, FieldValue, FieldValue) {
    let mut values = match change {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    let mut take = |name| {
        let value = values.remove(name).unwrap_or_default();
        serde_json::from_value(value).unwrap_or_default()
    };
    let (old, new) = (take("old"), take("new"));
    (field, old, new)
}

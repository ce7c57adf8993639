//! Lists of the tasks as they were: sorted and cut here, since they come from the log.

use std::cmp::Ordering;

use serde_json::{Value, json};
use tidings_domain::{
    task::Task,
    text,
    time::{Timestamp, TzDatabase},
};

use super::{Listed, Tasks};
use crate::{
    auth::Actor,
    error::Result,
    store::{Cursor, Sort, SortKey, TaskJson, TaskPage, TaskQuery},
};

impl Tasks {
    /// A list, of now or of then.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn listed(&self, actor: &Actor, listed: Listed) -> Result<TaskPage> {
        let (moment, query) = match listed {
            Listed::Now(query) => return self.list(actor, &query).await,
            Listed::Past(moment, query) => (moment, query),
        };
        // The head first: who goes on from it may see an event twice, and never misses one.
        let seq = self.store.head(actor.user.id).await?;
        let tasks = self.store.as_of(actor.user.id, moment).await?;
        let (items, next) = part(tasks, &query);
        Ok(TaskPage {
            items: items.iter().map(TaskJson::of).collect::<Result<_>>()?,
            next,
            epoch: self.store.epoch(),
            seq,
        })
    }
}

/// Sorts tasks and cuts out what comes after the cursor.
fn part(tasks: Vec<Task>, query: &TaskQuery) -> (Vec<Task>, Option<Cursor>) {
    let Sort { key, descending } = query.sort;
    let order = |a: &(Value, &Task), b: &(Value, &Task)| {
        by_value(&a.0, &b.0, descending).then_with(|| a.1.id.cmp(&b.1.id))
    };
    let mut sorted: Vec<_> = tasks.iter().map(|task| (value(key, task), task)).collect();
    sorted.sort_by(order);
    if let Some(after) = &query.after {
        sorted.retain(|(value, task)| {
            by_value(value, &after.value, descending)
                .then_with(|| task.id.cmp(&after.id))
                .is_gt()
        });
    }
    let more = sorted.len() > query.limit;
    sorted.truncate(query.limit);
    let next = sorted.last().filter(|_| more).map(|(value, task)| Cursor {
        sort: query.sort,
        value: value.clone(),
        id: task.id,
    });
    (
        sorted.into_iter().map(|(_, task)| task.clone()).collect(),
        next,
    )
}

/// What a task is sorted by, as the store has it.
fn value(key: SortKey, task: &Task) -> Value {
    let instant = |at: Option<Timestamp>| json!(at.map(|at| at.0));
    match key {
        SortKey::Position => json!(task.position),
        SortKey::Title => json!(text::fold(&task.title)),
        SortKey::Priority => json!(task.priority as i64),
        SortKey::DueDate => instant(task.due_at(&TzDatabase)),
        SortKey::CreatedAt => instant(Some(task.created_at)),
        SortKey::UpdatedAt => instant(Some(task.updated_at)),
        SortKey::CompletedAt => instant(task.completed_at),
        SortKey::DeletedAt => instant(task.deleted_at),
    }
}

/// Nulls last both ways.
fn by_value(a: &Value, b: &Value, descending: bool) -> Ordering {
    let order = match (a, b) {
        (Value::Null, _) | (_, Value::Null) => return a.is_null().cmp(&b.is_null()),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => a.as_i64().cmp(&b.as_i64()),
    };
    if descending { order.reverse() } else { order }
}

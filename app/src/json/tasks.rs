//! Tasks and what is asked of them.

use tidings_domain::{
    command::{Command, TaskPatch},
    replica::Pending,
    task::{RecurFrom, Recurrence, Task},
    view::View,
};

use super::{FromJson, Json, ToJson, records};
use crate::api::tasks::{Change, Changed, ListQuery, Listing};

records! {
    Task {
        id, title, description, completed, completed_at, priority, tags, due_date, due_time,
        time_zone, remind_at, recurrence, series_id, position, version, created_at, updated_at,
        deleted_at
    }
    Changed { task, seq }
    Listing { items, next }
    Pending { mutation_id, task_id, command, seq }
}

impl FromJson for Recurrence {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            rule: json.field("rule")?,
            from: json.or_default("from")?,
        })
    }
}

impl ToJson for Recurrence {
    fn write(&self) -> Json {
        Json::object(&[("rule", self.rule.write()), ("from", self.from.write())])
    }
}

impl FromJson for RecurFrom {
    fn read(json: &Json) -> Option<Self> {
        match String::read(json)?.as_str() {
            "due" => Some(Self::Due),
            "completion" => Some(Self::Completion),
            _ => None,
        }
    }
}

impl ToJson for RecurFrom {
    fn write(&self) -> Json {
        match self {
            Self::Due => "due",
            Self::Completion => "completion",
        }
        .write()
    }
}

impl FromJson for TaskPatch {
    fn read(json: &Json) -> Option<Self> {
        json.is_object().then_some(())?;
        Some(Self {
            title: json.field("title")?,
            description: json.field("description")?,
            completed: json.field("completed")?,
            priority: json.field("priority")?,
            tags: json.field("tags")?,
            due_date: nullable(json, "due_date")?,
            due_time: nullable(json, "due_time")?,
            time_zone: nullable(json, "time_zone")?,
            remind_at: nullable(json, "remind_at")?,
            recurrence: nullable(json, "recurrence")?,
            position: json.field("position")?,
        })
    }
}

impl ToJson for TaskPatch {
    fn write(&self) -> Json {
        Json::object(&[
            ("title", given(&self.title)),
            ("description", given(&self.description)),
            ("completed", given(&self.completed)),
            ("priority", given(&self.priority)),
            ("tags", given(&self.tags)),
            ("due_date", given(&self.due_date)),
            ("due_time", given(&self.due_time)),
            ("time_zone", given(&self.time_zone)),
            ("remind_at", given(&self.remind_at)),
            ("recurrence", given(&self.recurrence)),
            ("position", given(&self.position)),
        ])
    }
}

/// A field that is left alone where it is absent and cleared where it is `null`.
fn nullable<T: FromJson>(json: &Json, name: &str) -> Option<Option<Option<T>>> {
    let value = json.get(name);
    if value.is_absent() {
        Some(None)
    } else {
        Option::read(&value).map(Some)
    }
}

/// A field that is left out where it is left alone.
fn given<T: ToJson>(field: &Option<T>) -> Json {
    field.as_ref().map_or_else(Json::absent, T::write)
}

impl FromJson for Command {
    fn read(json: &Json) -> Option<Self> {
        match String::read(json).as_deref() {
            Some("delete") => return Some(Self::Delete),
            Some("purge") => return Some(Self::Purge),
            _ => {}
        }
        let asked = |name| Some(json.get(name)).filter(|value| !value.is_absent());
        if let Some(patch) = asked("create") {
            TaskPatch::read(&patch).map(Self::Create)
        } else if let Some(patch) = asked("edit") {
            TaskPatch::read(&patch).map(Self::Edit)
        } else if let Some(patch) = asked("replace") {
            TaskPatch::read(&patch).map(Self::Replace)
        } else if let Some(done) = asked("complete") {
            Option::read(&done).map(Self::Complete)
        } else {
            Option::read(&asked("restore")?).map(Self::Restore)
        }
    }
}

impl ToJson for Command {
    fn write(&self) -> Json {
        let (name, value) = match self {
            Self::Create(patch) => ("create", patch.write()),
            Self::Edit(patch) => ("edit", patch.write()),
            Self::Replace(patch) => ("replace", patch.write()),
            Self::Complete(done) => ("complete", done.write()),
            Self::Restore(version) => ("restore", version.write()),
            Self::Delete => return "delete".write(),
            Self::Purge => return "purge".write(),
        };
        Json::object(&[(name, value)])
    }
}

impl ToJson for Pending {
    fn write(&self) -> Json {
        Json::object(&[
            ("mutation_id", self.mutation_id.write()),
            ("task_id", self.task_id.write()),
            ("command", self.command.write()),
            ("seq", self.seq.write()),
        ])
    }
}

impl ToJson for Change {
    fn write(&self) -> Json {
        Json::object(&[
            ("mutation_id", self.mutation_id.write()),
            ("client_id", self.client_id.write()),
            ("task_id", self.task_id.write()),
            ("command", self.command.write()),
        ])
    }
}

impl ToJson for ListQuery {
    fn write(&self) -> Json {
        Json::object(&[
            ("view", self.view.write()),
            ("q", self.q.write()),
            ("cursor", self.cursor.write()),
        ])
    }
}

impl ToJson for View {
    fn write(&self) -> Json {
        match self {
            Self::All => "all",
            Self::Inbox => "inbox",
            Self::Today => "today",
            Self::Upcoming => "upcoming",
            Self::Completed => "completed",
            Self::Trash => "trash",
            Self::Tag(tag) => return Json::object(&[("tag", tag.write())]),
        }
        .write()
    }
}

//! What plain forms post where there is no script: flat fields, read and carried out here, and then
//! back to the page.

use leptos::prelude::*;
use tidings_domain::id::TaskId;
use uuid::Uuid;

use crate::error::AppError;

/// Adds a task, or one a line.
#[server(name = AddTaskForm, prefix = "/rpc", endpoint = "add_task")]
pub async fn add_task(
    text: String,
    seed: Uuid,
    #[server(default)] tag: String,
) -> Result<(), AppError> {
    crate::error::answer(server::add(&text, seed, tag).await)
}

/// Completes a task.
#[server(name = CompleteTaskForm, prefix = "/rpc", endpoint = "complete_task")]
pub async fn complete_task(task_id: TaskId, seed: Uuid) -> Result<(), AppError> {
    use tidings_domain::command::Command;
    server::act(task_id, seed, Command::Complete(Some(true)), None).await
}

/// Opens a task again.
#[server(name = ReopenTaskForm, prefix = "/rpc", endpoint = "reopen_task")]
pub async fn reopen_task(task_id: TaskId, seed: Uuid) -> Result<(), AppError> {
    use tidings_domain::command::Command;
    server::act(task_id, seed, Command::Complete(Some(false)), None).await
}

/// Moves a task that repeats on to its next date, without completing it.
#[server(name = SkipTaskForm, prefix = "/rpc", endpoint = "skip_task")]
pub async fn skip_task(task_id: TaskId, seed: Uuid) -> Result<(), AppError> {
    crate::error::answer(server::skip(task_id, seed).await)
}

/// Moves a task to the trash.
#[server(name = DeleteTaskForm, prefix = "/rpc", endpoint = "delete_task")]
pub async fn delete_task(task_id: TaskId, seed: Uuid) -> Result<(), AppError> {
    use tidings_domain::command::Command;
    server::act(task_id, seed, Command::Delete, Some("/inbox")).await
}

/// Moves sample tasks that nobody touched to the trash.
#[server(name = RemoveSamplesForm, prefix = "/rpc", endpoint = "remove_samples")]
pub async fn remove_samples() -> Result<(), AppError> {
    let tasks = expect_context::<std::sync::Arc<dyn crate::ports::Tasks>>();
    super::account::then(tasks.remove_samples().await, "/account?done=samples")
}

/// Takes a task out of the trash or, with a version, brings its fields back to what they were.
#[server(name = RestoreTaskForm, prefix = "/rpc", endpoint = "restore_task")]
pub async fn restore_task(
    task_id: TaskId,
    seed: Uuid,
    #[server(default)] version: Option<i64>,
) -> Result<(), AppError> {
    use tidings_domain::command::Command;
    server::act(task_id, seed, Command::Restore(version), None).await
}

/// Removes a task from the trash for good.
#[server(name = PurgeTaskForm, prefix = "/rpc", endpoint = "purge_task")]
pub async fn purge_task(task_id: TaskId, seed: Uuid) -> Result<(), AppError> {
    use tidings_domain::command::Command;
    server::act(task_id, seed, Command::Purge, Some("/trash")).await
}

/// Saves the fields of a task. Refused where the task changed since the form was made.
#[server(name = EditTaskForm, prefix = "/rpc", endpoint = "edit_task")]
#[allow(clippy::too_many_arguments, reason = "one for each field of the form")]
pub async fn edit_task(
    task_id: TaskId,
    seed: Uuid,
    version: i64,
    title: String,
    #[server(default)] description: String,
    #[server(default)] due_date: String,
    #[server(default)] due_time: String,
    #[server(default)] repeat: String,
    #[server(default)] from: String,
    #[server(default)] remind: String,
    #[server(default)] priority: String,
    #[server(default)] tags: String,
) -> Result<(), AppError> {
    let fields = crate::fields::Fields {
        title,
        description,
        due_date,
        due_time,
        repeat,
        from,
        remind,
        priority,
        tags,
    };
    crate::error::answer(server::edit(task_id, seed, version, fields).await)
}

#[cfg(feature = "ssr")]
pub(super) mod server {
    use std::sync::Arc;

    use leptos::prelude::*;
    use tidings_domain::{
        command::{Command, TaskPatch},
        error::{Code, Fault},
        id::{MutationId, TaskId},
        quickadd::{self, LINES_MAX},
        time::{self, TimeOfDay},
        view::Here,
    };
    use uuid::Uuid;

    use crate::{
        api::{account::then, tasks::Change},
        browser::clock,
        error::AppError,
        fields::Fields,
        ports::{People, Tasks},
        words,
    };

    /// The id of one change out of those that a page's forms may make: the same for the same
    /// button of the same page, so that a form that is sent twice does nothing twice. The first
    /// half of the page's own id, which tells its time and version, stays.
    pub(in crate::api) fn derived(seed: Uuid, task: Uuid, what: &str) -> Uuid {
        let name = [task.as_bytes().as_slice(), what.as_bytes()].concat();
        let hash = Uuid::new_v5(&seed, &name).as_u128();
        let random = (1_u128 << 62) - 1;
        Uuid::from_u128((seed.as_u128() & !random) | (hash & random))
    }

    fn mutation(seed: Uuid, task_id: TaskId, what: &str) -> Result<MutationId, Fault> {
        if seed.get_version_num() != 7 {
            return Err(Code::ValidationFailed.into());
        }
        Ok(MutationId(derived(seed, task_id.0, what)))
    }

    pub(super) async fn skip(task_id: TaskId, seed: Uuid) -> Result<(), Fault> {
        let mutation_id = mutation(seed, task_id, "skip")?;
        expect_context::<Arc<dyn Tasks>>()
            .skip(task_id, mutation_id)
            .await
    }

    async fn change(
        seed: Uuid,
        task_id: TaskId,
        what: &str,
        command: Command,
    ) -> Result<(), Fault> {
        let tasks = expect_context::<Arc<dyn Tasks>>();
        let change = Change {
            mutation_id: mutation(seed, task_id, what)?,
            client_id: None,
            task_id,
            command,
        };
        tasks.change(change).await.map(drop)
    }

    pub(super) async fn act(
        id: TaskId,
        seed: Uuid,
        command: Command,
        onward: Option<&str>,
    ) -> Result<(), AppError> {
        let what = format!("{command:?}");
        let outcome = change(seed, id, &what, command).await;
        match onward {
            Some(path) => then(outcome, path),
            None => crate::error::answer(outcome),
        }
    }

    pub(super) async fn add(text: &str, seed: Uuid, tag: String) -> Result<(), Fault> {
        let profile = expect_context::<Arc<dyn People>>().profile().await?;
        let here = Here::at(&profile.user.time_zone, clock::now(), clock::zones());
        let local = time::local(here.zones, here.zone, here.now);
        let now = words::clock(local).parse().unwrap_or(TimeOfDay::MIDNIGHT);
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        if lines.is_empty() {
            return Err(Fault::field("text", "required", "Write what is to do."));
        }
        if lines.len() > LINES_MAX {
            let words = format!("At most {LINES_MAX} lines can be added at once.");
            return Err(Fault::field("text", "too_many", words));
        }
        // From the last to the first: a new task goes before all others.
        for (at, line) in lines.into_iter().enumerate().rev() {
            let mut patch = TaskPatch::from(quickadd::parse(line, here.today, now, &[]));
            if !tag.is_empty() {
                let tags = patch.tags.get_or_insert_default();
                if !tags.contains(&tag) {
                    tags.push(tag.clone());
                }
            }
            let id = TaskId(derived(seed, Uuid::nil(), &format!("{at} {line}")));
            change(seed, id, "add", Command::Create(patch)).await?;
        }
        Ok(())
    }

    pub(super) async fn edit(
        id: TaskId,
        seed: Uuid,
        version: i64,
        fields: Fields,
    ) -> Result<(), Fault> {
        let profile = expect_context::<Arc<dyn People>>().profile().await?;
        let task = expect_context::<Arc<dyn Tasks>>().task(id).await?;
        let here = Here::at(&profile.user.time_zone, clock::now(), clock::zones());
        let patch = fields.patch(&task, &here)?;
        if patch == TaskPatch::default() {
            return Ok(());
        }
        if task.version != version {
            return Err(Fault::new(
                Code::VersionMismatch,
                "The task was changed elsewhere meanwhile. This is how it is now.",
            ));
        }
        let what = format!("{patch:?}");
        change(seed, id, &what, Command::Edit(patch)).await
    }
}

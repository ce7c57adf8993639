//! The sample tasks of new people, and how they go again.

use futures_util::future::try_join_all;
use tidings_domain::{
    command::Command,
    error::Code,
    id::{TaskId, UserId},
};
use uuid::Uuid;

use super::{Intent, Precondition, Tasks};
use crate::{
    auth::Actor,
    error::{Error, Result},
};

/// The tag of all of them.
pub const TAG: &str = "welcome";

/// A task that shows what Tidings does.
#[derive(Debug)]
pub struct Sample {
    /// Names it among the others.
    name: &'static str,
    /// What to do.
    pub title: &'static str,
    /// How, and what to see.
    pub description: &'static str,
}

/// In the order in which they are shown.
pub const SAMPLES: [Sample; 3] = [
    Sample {
        name: "sample 1",
        title: "Add a task in one line",
        description: "Type into \"Add a task\": Call mom tomorrow 9:00 every week !high #home\n\
            Day, time, repeat, priority and tag are understood as you type.",
    },
    Sample {
        name: "sample 2",
        title: "Open Tidings in a second tab and complete this there",
        description: "It is done here in the same moment, and on your phone, too.",
    },
    Sample {
        name: "sample 3",
        title: "Delete this, then press Undo",
        description: "Or press z, for whatever you did last. What is deleted stays in the Trash for \
            30 days.\n\
            These three are samples: a button in your Account removes those you have not touched.",
    },
];

impl Sample {
    /// The one of this person: the same however often it is made.
    pub fn id(&self, user: UserId) -> TaskId {
        TaskId(Uuid::new_v5(&user.0, self.name.as_bytes()))
    }
}

impl Tasks {
    /// Whether the person has sample tasks that nobody touched.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn has_samples(&self, actor: &Actor) -> Result<bool> {
        let user = actor.user.id;
        let samples = SAMPLES.iter();
        let tasks = samples.map(|sample| self.store.task(user, sample.id(user)));
        let tasks = try_join_all(tasks).await?;
        Ok(tasks.iter().flatten().any(|task| task.version == 1))
    }

    /// Moves the person's sample tasks that nobody touched to the trash.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn remove_samples(&self, actor: &Actor) -> Result<()> {
        let remove = async |sample: &Sample| {
            let intent = Intent {
                task_id: Some(sample.id(actor.user.id)),
                action: Command::Delete.into(),
                precondition: Some(Precondition::Versions(vec![1])),
                key: None,
                client_id: None,
            };
            match self.change(actor, intent).await {
                Err(Error::Refused(fault))
                    if [Code::NotFound, Code::VersionMismatch].contains(&fault.code) =>
                {
                    Ok(())
                }
                removed => removed.map(drop),
            }
        };
        // All at once, so that they share a transaction.
        try_join_all(SAMPLES.iter().map(remove)).await.map(drop)
    }
}

//! What server functions may ask about notifications, over the service and bound to who asks.

use async_trait::async_trait;
use tidings_app::ports;
use tidings_domain::{
    error::{Code, Fault},
    id::MutationId,
    notice::Settings,
};
use uuid::Uuid;

use super::problem::fault;
use crate::{
    auth::Actor,
    service::{
        notifications::{Notifications, Snooze},
        tasks::{Intent, Key},
    },
};

/// The port of notifications.
pub(super) struct Port {
    pub(super) notifications: Notifications,
    pub(super) actor: Option<Actor>,
}

impl Port {
    fn actor(&self) -> Result<&Actor, Fault> {
        self.actor.as_ref().ok_or(Code::Unauthenticated.into())
    }
}

#[async_trait]
impl ports::Notices for Port {
    async fn read(&self, id: Uuid) -> Result<(), Fault> {
        let read = self.notifications.read(self.actor()?, id).await;
        read.map(drop).map_err(fault)
    }

    async fn read_all(&self) -> Result<(), Fault> {
        let read = self.notifications.read_all(self.actor()?).await;
        read.map(drop).map_err(fault)
    }

    async fn snooze(&self, id: Uuid, mutation_id: MutationId, until: &str) -> Result<(), Fault> {
        let actor = self.actor()?;
        let snooze = Snooze::parse(until)?;
        let asked: [&[u8]; 3] = [b"snooze", id.as_bytes(), until.as_bytes()];
        let key = Key::client_made(mutation_id, &asked)?;
        let intent = |task_id, action| {
            Ok(Intent {
                task_id: Some(task_id),
                action,
                precondition: None,
                key: Some(key),
                client_id: None,
            })
        };
        let done = self.notifications.snooze(actor, id, snooze, intent).await;
        done.map(drop).map_err(fault)
    }

    async fn set_settings(&self, settings: Settings) -> Result<(), Fault> {
        let notifications = &self.notifications;
        let set = notifications.set_settings(self.actor()?, &settings).await;
        set.map_err(fault)
    }
}

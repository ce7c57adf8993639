//! Makes the next task of a series when one is completed.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use serde::Deserialize;
use tidings_domain::{
    error::{Code, Fault},
    event::{Actor, EventType, Metadata, Topic},
    id::{EventId, Ids, MutationId, TaskId},
    series,
    task::Recurrence,
};

use super::{Consumer, Delivery, Role};
use crate::{
    error::{Error, Result},
    store::{Action, Mutation, Receipt, Tasks},
};

/// The `recurring` consumer. Whether there is anything to do is decided in the transaction that does
/// it, on the task as it is by then; see `docs/recurrence.md`.
pub struct Recurring {
    tasks: Arc<dyn Tasks>,
    ids: Arc<dyn Ids>,
}

impl Recurring {
    /// Makes tasks here, in mutations with these ids.
    pub fn new(tasks: Arc<dyn Tasks>, ids: Arc<dyn Ids>) -> Self {
        Self { tasks, ids }
    }

    /// What follows from a delivery. Nothing, for most.
    fn effect(&self, delivery: &Delivery) -> Result<Option<Mutation>> {
        #[derive(Deserialize)]
        struct Completed {
            task_id: Option<TaskId>,
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            // Without it the task was deleted for good since.
            #[serde(default)]
            recurrence: Option<Recurrence>,
        }
        if delivery.event_type != EventType::TaskCompleted.as_str() {
            return Ok(None);
        }
        let read = serde_json::from_str(&delivery.json);
        let Completed { task_id, data } =
            read.map_err(|error| Fault::new(Code::ValidationFailed, error.to_string()))?;
        let (Some(user_id), Some(of), Some(_)) = (delivery.user_id, task_id, data.recurrence)
        else {
            return Ok(None);
        };
        Ok(Some(Mutation {
            user_id,
            task_id: series::next_id(of),
            action: Action::Follow(of),
            if_match: None,
            fingerprint: None,
            metadata: Metadata {
                actor: Actor::Recurring,
                traceparent: delivery.trace.map(|trace| trace.to_string()),
                ..Metadata::default()
            },
            mutation_id: MutationId(self.ids.next()),
            receipt: Some(Receipt {
                consumer: self.name(),
                event_id: delivery.event_id,
            }),
        }))
    }
}

#[async_trait]
impl Consumer for Recurring {
    fn name(&self) -> &'static str {
        "recurring"
    }

    fn topics(&self) -> &'static [Topic] {
        Role::Recurring.topics()
    }

    fn notes(&self, event_type: EventType) -> bool {
        event_type == EventType::TaskCompleted
    }

    fn noted_as(&self, delivery: &Delivery) -> Option<EventId> {
        let effect = self.effect(delivery).ok().flatten();
        effect.map(|_| delivery.event_id)
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        let effects = deliveries.iter().map(|d| self.effect(d));
        let effects = effects.collect::<Result<Vec<_>>>()?;
        let effects = effects.into_iter().flatten();
        // All at once, so that they share a transaction; what is done again does nothing.
        for done in join_all(effects.map(|effect| self.tasks.mutate(effect))).await {
            match done {
                // Their account is gone, and the task with it.
                Err(Error::Refused(fault)) if fault.code == Code::Unauthenticated => {}
                done => drop(done?),
            }
        }
        Ok(())
    }
}

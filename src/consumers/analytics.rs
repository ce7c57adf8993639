//! Counts what people make and complete, for their statistics.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tidings_domain::{
    error::{Code, Fault},
    event::{EventType, Topic},
    id::TaskId,
    task::Priority,
    time::Timestamp,
};

use super::{Consumer, Delivery, Role};
use crate::{
    error::Result,
    store::{Counts, Statistics, Tally, TallyTask},
};

/// The `analytics` consumer. An event says what its task is after it, so that of all of a task's events
/// only the last one counts, in whichever order they come.
pub struct Analytics {
    statistics: Arc<dyn Statistics>,
}

impl Analytics {
    /// Counts here.
    pub fn new(statistics: Arc<dyn Statistics>) -> Self {
        Self { statistics }
    }
}

#[async_trait]
impl Consumer for Analytics {
    fn name(&self) -> &'static str {
        "analytics"
    }

    fn topics(&self) -> &'static [Topic] {
        Role::Analytics.topics()
    }

    fn notes(&self, _: EventType) -> bool {
        true
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        let tallies = deliveries.iter().map(tally).collect::<Result<Vec<_>>>()?;
        self.statistics.tally(&tallies, false).await
    }
}

/// What an event says of what is counted.
///
/// # Errors
/// `validation_failed` where it is no event of a task.
pub fn tally(delivery: &Delivery) -> Result<Tally> {
    let is_of_task = EventType::parse(&delivery.event_type).is_some_and(EventType::is_of_task);
    let task = is_of_task.then(|| read(delivery)).transpose()?;
    Ok(Tally {
        event_id: delivery.event_id,
        task: task.flatten(),
    })
}

fn read(delivery: &Delivery) -> Result<Option<TallyTask>> {
    #[derive(Deserialize)]
    struct Told {
        task_id: Option<TaskId>,
        task_data: Option<Task>,
    }
    #[derive(Deserialize)]
    struct Task {
        created_at: Timestamp,
        completed_at: Option<Timestamp>,
        deleted_at: Option<Timestamp>,
        priority: Priority,
        tags: Vec<String>,
    }
    let told: Told = serde_json::from_str(&delivery.json)
        .map_err(|error| Fault::new(Code::ValidationFailed, error.to_string()))?;
    let (Some(user_id), Some(task_id), Some(seq)) = (delivery.user_id, told.task_id, delivery.seq)
    else {
        return Ok(None);
    };
    let kept = told.task_data.filter(|task| task.deleted_at.is_none());
    Ok(Some(TallyTask {
        user_id,
        task_id,
        seq,
        counts: kept.map(|task| Counts {
            created_at: task.created_at,
            completed_at: task.completed_at,
            priority: task.priority,
            tags: task.tags,
        }),
    }))
}

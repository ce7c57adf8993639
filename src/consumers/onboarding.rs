//! Welcomes who has just signed up: three tasks that show what Tidings does, and a mail.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::{Actor, EventType, Metadata, Topic},
    id::{EventId, MutationId, UserId},
};

use super::{Consumer, Delivery, Role, catch_up::is_news};
use crate::{
    clock::Ambient,
    error::{Error, Result},
    service::tasks::samples::{SAMPLES, Sample, TAG},
    store::{MailRow, Mutation, Receipt, SharedStore},
};

/// The `onboarding` consumer. Each task and the mail is noted in the inbox in the transaction that makes
/// it: a task under its own id, which is the same however often it is told, and the mail, which comes
/// last, under that of the event.
pub struct Onboarding {
    store: SharedStore,
    ambient: Ambient,
    /// Whether there are sample tasks.
    samples: bool,
}

/// Somebody who has just signed up.
struct Newcomer {
    user_id: UserId,
    event_id: EventId,
    /// W3C trace context of what it comes of.
    traceparent: Option<String>,
}

impl Newcomer {
    /// Of whom a delivery tells, if of anyone.
    fn of(delivery: &Delivery) -> Option<Self> {
        let registered = delivery.event_type == EventType::UserRegistered.as_str();
        Some(Self {
            user_id: delivery.user_id.filter(|_| registered)?,
            event_id: delivery.event_id,
            traceparent: delivery.trace.map(|trace| trace.to_string()),
        })
    }
}

impl Onboarding {
    /// Writes to this store, with sample tasks or without.
    pub fn new(store: SharedStore, ambient: Ambient, samples: bool) -> Self {
        Self {
            store,
            ambient,
            samples,
        }
    }

    fn receipt(&self, event_id: EventId) -> Receipt {
        Receipt {
            consumer: self.name(),
            event_id,
        }
    }

    async fn make(&self, sample: &Sample, of: &Newcomer) -> Result<()> {
        let task_id = sample.id(of.user_id);
        let patch = TaskPatch {
            title: Some(sample.title.into()),
            description: Some(sample.description.into()),
            tags: Some(vec![TAG.into()]),
            ..TaskPatch::default()
        };
        let mutation = Mutation {
            user_id: of.user_id,
            task_id,
            action: Command::Create(patch).into(),
            if_match: None,
            fingerprint: None,
            metadata: Metadata {
                actor: Actor::Onboarding,
                traceparent: of.traceparent.clone(),
                ..Metadata::default()
            },
            mutation_id: MutationId(self.ambient.ids.next()),
            receipt: Some(self.receipt(EventId(task_id.0))),
        };
        match self.store.mutate(mutation).await {
            // Their account is gone, or the inbox has forgotten what the tasks still show.
            Err(Error::Refused(fault))
                if [Code::Unauthenticated, Code::Conflict].contains(&fault.code) =>
            {
                Ok(())
            }
            made => made.map(drop),
        }
    }

    async fn welcome(&self, of: &Newcomer) -> Result<()> {
        let samples = match self.samples {
            true => {
                " Three tasks in your Inbox show how it works; your account has a button that \
                 removes them."
            }
            false => "",
        };
        let mail = MailRow {
            id: self.ambient.ids.next(),
            user_id: of.user_id,
            kind: None,
            task_id: None,
            subject: "Welcome to Tidings".into(),
            body: format!("Your account is there.{samples}"),
            link: "/inbox".into(),
            link_text: "Open Tidings",
            created_at: self.ambient.clock.now().0,
        };
        let receipt = self.receipt(of.event_id);
        self.store.write_mail(&mail, Some(receipt)).await
    }
}

#[async_trait]
impl Consumer for Onboarding {
    fn name(&self) -> &'static str {
        "onboarding"
    }

    fn topics(&self) -> &'static [Topic] {
        Role::Onboarding.topics()
    }

    fn notes(&self, event_type: EventType) -> bool {
        event_type == EventType::UserRegistered
    }

    fn noted_as(&self, delivery: &Delivery) -> Option<EventId> {
        is_news(delivery, self.ambient.clock.now()).then_some(delivery.event_id)
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        let newcomers: Vec<_> = deliveries.iter().filter_map(Newcomer::of).collect();
        if self.samples {
            // From the last to the first: a new task goes before all others.
            for sample in SAMPLES.iter().rev() {
                try_join_all(newcomers.iter().map(|of| self.make(sample, of))).await?;
            }
        }
        try_join_all(newcomers.iter().map(|of| self.welcome(of))).await?;
        Ok(())
    }
}

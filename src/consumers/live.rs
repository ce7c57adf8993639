//! Wakes the sockets of the person whom an event concerns. Which events there are and in which
//! order, the sockets read from the log.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::event::Topic;

use super::{Consumer, Delivery, Role};
use crate::{error::Result, live::Hub};

/// The `live` consumer.
pub struct Live {
    hub: Arc<Hub>,
}

impl Live {
    /// Wakes the sockets of this hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

#[async_trait]
impl Consumer for Live {
    fn name(&self) -> &'static str {
        "live"
    }

    fn topics(&self) -> &'static [Topic] {
        Role::Live.topics()
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        for delivery in deliveries {
            if let (Some(user), Some(seq)) = (delivery.user_id, delivery.seq) {
                self.hub.wake_for(user, seq);
            }
        }
        Ok(())
    }
}

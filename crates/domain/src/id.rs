//! Ids: one type a thing, so that a user's id never stands where a task's should.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl $name {
            /// Whether this is a version 7 UUID, as every id that a client makes must be.
            pub fn is_v7(self) -> bool {
                self.0.get_version_num() == 7
            }
        }
    )*};
}

ids! {
    /// A person with an account.
    UserId;
    /// A task. Keyed together with its owner: two people may hold the same task id.
    TaskId;
    /// An event; also the CloudEvent's `id`, stable over every delivery.
    EventId;
    /// One intended change, made by the client so that a retry is recognised.
    MutationId;
    /// A browser profile or API client; tells a tab its own changes from another's.
    ClientId;
}

impl MutationId {
    /// When the change was made, if the id tells: version 7 begins with it.
    pub fn made_at(self) -> Option<Timestamp> {
        let millis = (self.0.as_u128() >> 80) as i64;
        self.is_v7().then_some(Timestamp(millis))
    }
}

/// Where new ids come from. Injected, so that tests are exact.
pub trait Ids: Send + Sync {
    /// A new version 7 UUID.
    fn next(&self) -> Uuid;
}

//! Ids: one type a thing, so that a user's id never stands where a task's should.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// A text that is no UUID in its hyphenated form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadId;

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID")
    }
}

impl std::error::Error for BadId {}

/// Reads a UUID in its hyphenated form, `0198c0de-0000-7000-8000-000000000001`. The uuid crate reads
/// three more, for a kilobyte of script.
///
/// # Errors
/// Where the text is anything else.
pub fn parse(text: &str) -> Result<Uuid, BadId> {
    let mut value = 0_u128;
    for (at, byte) in text.bytes().enumerate() {
        match at {
            8 | 13 | 18 | 23 if byte == b'-' => {}
            8 | 13 | 18 | 23 | 36.. => return Err(BadId),
            _ => {
                let digit = char::from(byte).to_digit(16).ok_or(BadId)?;
                value = value << 4 | u128::from(digit);
            }
        }
    }
    if text.len() == 36 {
        Ok(Uuid::from_u128(value))
    } else {
        Err(BadId)
    }
}

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
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map(Self)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_in_its_hyphenated_form_only() {
        let text = "0198c0de-0a1b-7000-8000-00000000f001";
        let id = parse(text).unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(parse(&text.to_uppercase()), Ok(id));
        let long = [text, "0"].concat();
        let wrong = [
            "",
            "42",
            &text[1..],
            &long,
            &text.replace('-', ""),
            &text.replace('-', "0"),
        ];
        for wrong in wrong {
            assert_eq!(parse(wrong), Err(BadId), "{wrong}");
        }
    }
}

//! New ids, for what a browser makes.

use tidings_domain::{
    id::{MutationId, TaskId},
    time::Timestamp,
};
use uuid::Uuid;

/// A new version 7 id, made at `now`.
pub fn v7(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
}

/// A new id for a task.
pub fn task(now: Timestamp) -> TaskId {
    TaskId(v7(now))
}

/// A new id for a change.
pub fn mutation(now: Timestamp) -> MutationId {
    MutationId(v7(now))
}

#[cfg(feature = "hydrate")]
fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    if let Ok(crypto) = leptos::prelude::window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// Servers make their ids elsewhere; natively this is for tests alone.
#[cfg(not(feature = "hydrate"))]
fn random() -> [u8; 10] {
    use std::hash::{BuildHasher, RandomState};
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&RandomState::new().hash_one(0).to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time_and_version() {
        let id = v7(Timestamp(1_800_000_000_000));
        assert_eq!(id.get_version_num(), 7);
        assert_eq!((id.as_u128() >> 80) as i64, 1_800_000_000_000);
    }
}

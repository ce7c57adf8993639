//! Links that set a new password. They are signed over the person, when they end, and the hash of the
//! password as it is: so that nobody makes one up, each works once, and none has to be kept.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidings_domain::{id::UserId, time::Timestamp};
use uuid::Uuid;

/// Makes such links, and knows its own.
#[derive(Clone)]
pub struct Resets {
    /// The secret of the database.
    secret: String,
}

/// What a link says, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose password.
    pub user_id: UserId,
    /// Until when.
    pub until: Timestamp,
    /// By which it is known.
    key: Vec<u8>,
}

impl Resets {
    /// With this secret.
    pub fn new(secret: String) -> Self {
        Self { secret }
    }

    /// What a link to set the password of a person says, while its hash is this one.
    pub fn token(&self, user_id: UserId, password_hash: &str, until: Timestamp) -> String {
        let mac = self.mac(user_id, password_hash, until);
        let key = mac.map(|mac| mac.finalize().into_bytes());
        let mut raw = user_id.0.as_bytes().to_vec();
        raw.extend(until.0.to_be_bytes());
        raw.extend(key.unwrap_or_default());
        BASE64_URL_SAFE_NO_PAD.encode(raw)
    }

    /// Whether a claim is ours, for a person whose password has this hash; in constant time.
    pub fn is_ours(&self, claim: &Claim, password_hash: &str) -> bool {
        let mac = self.mac(claim.user_id, password_hash, claim.until);
        mac.is_some_and(|mac| mac.verify_slice(&claim.key).is_ok())
    }

    fn mac(&self, user: UserId, password_hash: &str, until: Timestamp) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).ok()?;
        mac.update(b"reset ");
        mac.update(user.0.as_bytes());
        mac.update(&until.0.to_be_bytes());
        mac.update(password_hash.as_bytes());
        Some(mac)
    }
}

impl Claim {
    /// Reads what a link says, if it says anything.
    pub fn read(token: &str) -> Option<Self> {
        let raw = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (user, rest) = raw.split_first_chunk()?;
        let (until, key) = rest.split_first_chunk()?;
        Some(Self {
            user_id: UserId(Uuid::from_bytes(*user)),
            until: Timestamp(i64::from_be_bytes(*until)),
            key: key.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_its_person_time_and_password() {
        let resets = Resets::new("secret".into());
        let [ann, bob] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let token = resets.token(ann, "hash", Timestamp(7));
        let claim = Claim::read(&token).unwrap();
        assert_eq!((claim.user_id, claim.until), (ann, Timestamp(7)));
        assert!(resets.is_ours(&claim, "hash"));
        assert!(!resets.is_ours(&claim, "other"));
        assert!(!Resets::new("other".into()).is_ours(&claim, "hash"));
        let later = Claim {
            until: Timestamp(8),
            ..claim.clone()
        };
        let anothers = Claim {
            user_id: bob,
            ..claim.clone()
        };
        let keyless = Claim {
            key: Vec::new(),
            ..claim
        };
        for made_up in [later, anothers, keyless] {
            assert!(!resets.is_ours(&made_up, "hash"));
        }
        for wrong in ["", "AAAA", "%", &token[..20]] {
            assert_eq!(Claim::read(wrong), None, "{wrong}");
        }
    }
}

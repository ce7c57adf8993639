//! Links that unsubscribe from a kind of mail, whoever follows them: they are signed, so that nobody
//! makes one up, and say nothing but whose and which.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidings_domain::{id::UserId, notice::Kind};

/// The path of such links.
pub const PATH: &str = "/unsubscribe";

/// Signs links, and knows its own.
#[derive(Clone)]
pub struct Signer {
    /// The secret of the database.
    secret: String,
}

impl Signer {
    /// With this secret.
    pub fn new(secret: String) -> Self {
        Self { secret }
    }

    /// The path and query that unsubscribe a person from a kind of mail.
    pub fn link(&self, user: UserId, kind: Kind) -> String {
        let key = self.mac(user, kind).map(|mac| mac.finalize().into_bytes());
        let key = BASE64_URL_SAFE_NO_PAD.encode(key.unwrap_or_default());
        format!("{PATH}?user={user}&kind={}&key={key}", kind.as_str())
    }

    /// Whether the key is ours for this person and kind; in constant time.
    pub fn is_ours(&self, user: UserId, kind: Kind, key: &str) -> bool {
        let key = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap_or_default();
        let mac = self.mac(user, kind);
        mac.is_some_and(|mac| mac.verify_slice(&key).is_ok())
    }

    fn mac(&self, user: UserId, kind: Kind) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).ok()?;
        mac.update(b"unsubscribe ");
        mac.update(user.0.as_bytes());
        mac.update(kind.as_str().as_bytes());
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_link_is_good_for_its_person_and_kind() {
        let signer = Signer::new("secret".into());
        let [ann, bob] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let link = signer.link(ann, Kind::Reminder);
        let (_, key) = link.split_once("&key=").unwrap();
        assert!(signer.is_ours(ann, Kind::Reminder, key));
        assert!(!signer.is_ours(bob, Kind::Reminder, key));
        assert!(!signer.is_ours(ann, Kind::Streak, key));
        assert!(!Signer::new("other".into()).is_ours(ann, Kind::Reminder, key));
        for wrong in ["", "AAAA", &key[1..], "%"] {
            assert!(!signer.is_ours(ann, Kind::Reminder, wrong), "{wrong}");
        }
    }
}

//! How push services know who sends: RFC 8292.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::sec1::ToSec1Point,
};
use serde_json::json;
use tidings_domain::time::Timestamp;

use crate::error::{Error, Result};

/// How long what is signed holds, in seconds: half of what services take.
const VALID: i64 = 12 * 3_600;

/// Signs what is sent.
pub struct Vapid {
    key: SigningKey,
    /// Its public half, uncompressed, in base64url.
    public: String,
    /// Whom a push service may write to.
    contact: Option<String>,
}

impl Vapid {
    /// A new private key, in base64url.
    pub fn fresh() -> String {
        BASE64_URL_SAFE_NO_PAD.encode(super::random_key().to_bytes())
    }

    /// With a private key as [`fresh`](Self::fresh) makes them, and a `mailto:` or `https:` URL to
    /// write to.
    ///
    /// # Errors
    /// Internal, where it is no key.
    pub fn new(key: &str, contact: Option<String>) -> Result<Self> {
        // Neither error may hold what is no key: it may be one, cut off.
        let wrong = || Error::internal("the key of Web Push is none");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(key).map_err(|_| wrong())?;
        // A shorter one would be filled up.
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong())?;
        let key = SecretKey::from_slice(&bytes).map_err(|_| wrong())?;
        let public = key.public_key().to_sec1_point(false);
        Ok(Self {
            key: key.into(),
            public: BASE64_URL_SAFE_NO_PAD.encode(public.as_bytes()),
            contact,
        })
    }

    /// What browsers subscribe with.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The header `Authorization` for a push service, which is known by its origin.
    pub fn authorization(&self, origin: &str, now: Timestamp) -> String {
        let signed = self.claims(origin, now);
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public)
    }

    /// What is signed.
    fn claims(&self, origin: &str, now: Timestamp) -> String {
        let mut claims = json!({ "aud": origin, "exp": now.0 / 1_000 + VALID });
        if let Some(contact) = &self.contact {
            claims["sub"] = json!(contact);
        }
        let [head, claims] = [r#"{"typ":"JWT","alg":"ES256"}"#, &claims.to_string()]
            .map(|text| BASE64_URL_SAFE_NO_PAD.encode(text));
        format!("{head}.{claims}")
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{VerifyingKey, signature::Verifier};

    use super::*;

    /// Whether the header is signed by the key that it names.
    fn is_signed(header: &str) -> bool {
        let (token, key) = header
            .strip_prefix("vapid t=")
            .unwrap()
            .split_once(", k=")
            .unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bytes = |text| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let signature = Signature::from_slice(&bytes(signature)).unwrap();
        let key = VerifyingKey::from_sec1_bytes(&bytes(key)).unwrap();
        key.verify(signed.as_bytes(), &signature).is_ok()
    }

    /// The header of RFC 8292, section 2.4.
    const EXAMPLE: &str = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZ\
        XhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4x\
        fxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RU\
        M1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

    #[test]
    fn signs_what_the_rfc_signs() {
        assert!(is_signed(EXAMPLE));
        let contact = Some("mailto:push@example.com".to_owned());
        let vapid = Vapid::new(&Vapid::fresh(), contact).unwrap();
        let now = Timestamp((1_453_523_768 - VALID) * 1_000);
        let header = vapid.authorization("https://push.example.net", now);
        // Their key is not known, and so neither is their signature.
        let signed = |header: &str| header.rsplit_once('.').unwrap().0.to_owned();
        assert_eq!(signed(&header), signed(EXAMPLE));
        assert!(is_signed(&header) && header.ends_with(vapid.public()));
        let other = Vapid::new(&Vapid::fresh(), None).unwrap();
        assert!(!is_signed(&header.replace(vapid.public(), other.public())));
    }

    #[test]
    fn has_the_key_that_is_kept() {
        let key = Vapid::fresh();
        let [one, two] = [&key, &key].map(|key| Vapid::new(key, None).unwrap());
        assert_eq!(one.public(), two.public());
        for wrong in ["", "secret", &key[4..], &"A".repeat(43)] {
            let error = Vapid::new(wrong, None).err().unwrap();
            assert!(!format!("{error:?}").contains("secret"), "{wrong}");
        }
    }
}

//! Messages that only the browser reads which subscribed: RFC 8291, over the one record of RFC 8188.

use aes_gcm::{Aes128Gcm, KeyInit, aead::Aead};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToSec1Point};
use sha2::Sha256;

/// The size of the record, which is the whole message: what every push service takes.
const RECORD: u32 = 4_096;
/// Before the record: salt, size of the record, the sender's public key and its length.
const HEADER: usize = 16 + 4 + 1 + 65;
/// The longest text, in bytes: a mark ends it and a tag seals it.
pub const TEXT_MAX: usize = RECORD as usize - HEADER - 1 - 16;

/// What a browser told of itself when it subscribed.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    key: PublicKey,
    auth: [u8; 16],
}

impl Receiver {
    /// From a public key, uncompressed, and the secret beside it; nothing where they are none.
    pub fn new(p256dh: &[u8], auth: &[u8]) -> Option<Self> {
        let uncompressed = p256dh.len() == 65;
        let key = PublicKey::from_sec1_bytes(p256dh).ok();
        Some(Self {
            key: key.filter(|_| uncompressed)?,
            auth: auth.try_into().ok()?,
        })
    }

    /// The body of a message, content coding `aes128gcm`; nothing where the text is longer than
    /// [`TEXT_MAX`].
    pub fn encrypt(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.encrypt_with(text, &super::random_key(), rand::random())
    }

    /// With a key pair and a salt that are used this once.
    fn encrypt_with(&self, text: &[u8], sender: &SecretKey, salt: [u8; 16]) -> Option<Vec<u8>> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let ours = sender.public_key().to_sec1_point(false);
        let theirs = self.key.to_sec1_point(false);
        let shared = diffie_hellman(sender.to_nonzero_scalar(), self.key.as_affine());
        let info = [b"WebPush: info\0", theirs.as_bytes(), ours.as_bytes()].concat();
        let secret: [u8; 32] = derive(&self.auth, shared.raw_secret_bytes(), &info)?;
        let key: [u8; 16] = derive(&salt, &secret, b"Content-Encoding: aes128gcm\0")?;
        let nonce: [u8; 12] = derive(&salt, &secret, b"Content-Encoding: nonce\0")?;
        let cipher = Aes128Gcm::new(&key.into());
        // 2: the last record.
        let sealed = cipher.encrypt(&nonce.into(), &*[text, &[2]].concat());
        let mut body = salt.to_vec();
        body.extend(RECORD.to_be_bytes());
        body.push(65);
        body.extend(ours.as_bytes());
        body.extend(sealed.ok()?);
        Some(body)
    }
}

/// HKDF with SHA-256 (RFC 5869).
fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<[u8; N]> {
    let mut key = [0; N];
    let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
    hkdf.expand(info, &mut key).ok().map(|()| key)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The receiver of RFC 8291, section 5.
    fn receiver() -> Receiver {
        let key = bytes(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        );
        Receiver::new(&key, &bytes("BTBZMqHH6r4Tts7J_aSIgg")).unwrap()
    }

    #[test]
    fn writes_the_message_of_the_rfc() {
        let sender = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"));
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let body = receiver().encrypt_with(text, &sender.unwrap(), salt);
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(body.unwrap()),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY\
             WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS\
             gSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn fits_into_a_message_or_is_refused() {
        let longest = receiver().encrypt(&[7; TEXT_MAX]).unwrap();
        assert_eq!(longest.len(), RECORD as usize);
        assert!(receiver().encrypt(&[7; TEXT_MAX + 1]).is_none());
    }

    #[test]
    fn takes_no_other_keys() {
        let key = receiver().key.to_sec1_point(false);
        let short = receiver().key.to_sec1_point(true);
        let mut off = key.as_bytes().to_vec();
        off[64] ^= 1;
        assert!(Receiver::new(key.as_bytes(), &[1; 16]).is_some());
        for (key, auth) in [
            (&off[..], &[1; 16][..]),
            (short.as_bytes(), &[1; 16]),
            (&key.as_bytes()[1..], &[1; 16]),
            (key.as_bytes(), &[1; 15]),
            (&[], &[]),
        ] {
            assert!(Receiver::new(key, auth).is_none());
        }
    }
}

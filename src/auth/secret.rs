//! Secrets that are handed out once: made here, and kept only as their SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a secret.
pub type Digest = [u8; 32];

/// What personal tokens begin with, so that scanners find leaked ones.
pub const TOKEN_PREFIX: &str = "tdg_";

/// A new session's secret: 32 random bytes.
pub fn session() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A new personal token: 32 random bytes after its prefix.
pub fn token() -> String {
    [TOKEN_PREFIX, &session()].concat()
}

/// What is kept of a secret.
pub fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

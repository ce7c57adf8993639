//! A push service of our own, and browsers that read what comes there: RFC 8291 and RFC 8292 from the
//! other end.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use aes_gcm::{Aes128Gcm, KeyInit, aead::Aead};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use p256::{
    PublicKey, SecretKey,
    ecdh::diffie_hellman,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    elliptic_curve::sec1::ToSec1Point,
};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

/// How it answers; in the end, with a 201.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    Says(u16),
    /// A 429, with how many seconds to wait.
    Busy(u32),
    /// Says nothing for longer than anybody waits.
    Silent,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Default)]
struct Desk {
    moods: Mutex<VecDeque<Mood>>,
    got: Mutex<Vec<Got>>,
}

/// The service.
pub(crate) struct PushService {
    pub(crate) base: String,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl PushService {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk::default());
        let router = Router::new().fallback(any(take)).with_state(desk.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, desk, task }
    }

    /// Answers so, each once.
    pub(crate) fn be(&self, moods: &[Mood]) {
        *self.desk.moods.lock().unwrap() = moods.iter().copied().collect();
    }

    /// All that came, whatever it was answered.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.desk.got.lock().unwrap().clone()
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let body = body.to_vec();
    desk.got.lock().unwrap().push(Got {
        path,
        headers,
        body,
    });
    let mood = desk.moods.lock().unwrap().pop_front();
    match mood.unwrap_or(Mood::Says(201)) {
        Mood::Says(302) => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Mood::Says(status) => {
            let words = "so says the push service ".repeat(10_000);
            (StatusCode::from_u16(status).unwrap(), words).into_response()
        }
        Mood::Busy(seconds) => {
            let after = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, after).into_response()
        }
        Mood::Silent => {
            sleep(Duration::from_secs(60)).await;
            StatusCode::CREATED.into_response()
        }
    }
}

/// A browser with keys of its own.
pub(crate) struct Browser {
    pub(crate) endpoint: String,
    key: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    pub(crate) fn at(endpoint: String) -> Self {
        Self {
            endpoint,
            key: SecretKey::from_slice(&rand::random::<[u8; 32]>()).unwrap(),
            auth: rand::random(),
        }
    }

    /// As the browser writes its subscription.
    pub(crate) fn subscription(&self) -> Value {
        let key = self.key.public_key().to_sec1_point(false);
        json!({ "endpoint": self.endpoint, "expirationTime": null, "keys": {
            "p256dh": BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes()),
            "auth": BASE64_URL_SAFE_NO_PAD.encode(self.auth),
        } })
    }

    /// What a message says.
    pub(crate) fn read(&self, got: &Got) -> Value {
        assert_eq!(got.header("content-encoding"), "aes128gcm");
        let (salt, rest) = got.body.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert!(got.body.len() <= 4_096 && size == [0, 0, 16, 0]);
        let (theirs, sealed) = rest[1..].split_at(usize::from(rest[0]));
        let ours = self.key.public_key().to_sec1_point(false);
        let public = PublicKey::from_sec1_bytes(theirs).unwrap();
        let shared = diffie_hellman(self.key.to_nonzero_scalar(), public.as_affine());
        let derive = |salt: &[u8], secret: &[u8], info: &[u8], length: usize| {
            let mut key = vec![0; length];
            let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
            hkdf.expand(info, &mut key).unwrap();
            key
        };
        let info = [b"WebPush: info\0", ours.as_bytes(), theirs].concat();
        let secret = derive(&self.auth, shared.raw_secret_bytes(), &info, 32);
        let key = derive(salt, &secret, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = derive(salt, &secret, b"Content-Encoding: nonce\0", 12);
        let cipher = Aes128Gcm::new_from_slice(&key).unwrap();
        let nonce: [u8; 12] = nonce.try_into().unwrap();
        let text = cipher.decrypt(&nonce.into(), sealed).unwrap();
        let (mark, text) = text.split_last().unwrap();
        assert_eq!((*mark, text.len() % 256), (2, 0));
        serde_json::from_slice(text).unwrap()
    }
}

/// The claims of a message, which the key has signed.
pub(crate) fn claims(got: &Got, key: &str) -> Value {
    let header = got
        .header("authorization")
        .strip_prefix("vapid t=")
        .unwrap();
    let (token, named) = header.split_once(", k=").unwrap();
    assert_eq!(named, key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let signature = Signature::from_slice(&bytes(signature)).unwrap();
    let key = VerifyingKey::from_sec1_bytes(&bytes(key)).unwrap();
    key.verify(signed.as_bytes(), &signature).unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let head: Value = serde_json::from_slice(&bytes(head)).unwrap();
    assert_eq!(head, json!({ "typ": "JWT", "alg": "ES256" }));
    serde_json::from_slice(&bytes(claims)).unwrap()
}

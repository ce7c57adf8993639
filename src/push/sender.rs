//! Sends what waits for browsers to their push services (RFC 8030), and forgets browsers that are gone.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode, header};
use reqwest::redirect::Policy;
use serde::Serialize;
use tidings_domain::notice::Kind;
use uuid::Uuid;

use super::{
    encrypt::Receiver,
    hosts::Hosts,
    reach::{Reach, is_closed},
    vapid::Vapid,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    metrics::Metrics,
    queue::{Queue, backoff},
    store::{Posted, Push, PushMessage, Pushes},
};

/// Pushes in hand at once.
const BATCH: usize = 100;
/// How long a push service may take, from connecting to its last word.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long pushes in hand are nobody else's, in milliseconds: longer than all of it can take.
const LEASE_MS: i64 = 180_000;
/// The first back-off and the longest, in milliseconds; a push service may ask for more, up to that.
const BACKOFF_MS: (i64, i64) = (15_000, 900_000);
const ASKED_MS: i64 = 3_600_000;
/// For how long a push is worth sending, and keeping for a browser that is away: a day, in
/// milliseconds. It is in the list of notifications all the same.
const WORTH_MS: i64 = 86_400_000;
/// Of what a push service says to a refusal, so many bytes are kept for operators.
const WORDS_MAX: usize = 200;
/// The text is filled up to a multiple of this, in bytes, so that its length tells little of it.
const BLOCK: usize = 256;

/// Sends pushes.
pub struct Sender {
    pushes: Arc<dyn Pushes>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    vapid: Arc<Vapid>,
    reach: Reach,
    hosts: Hosts,
    http: reqwest::Client,
}

/// What the service worker reads.
#[derive(Serialize)]
struct Text<'a> {
    id: Uuid,
    title: &'a str,
    body: &'a str,
    /// A path of ours where a click leads.
    path: String,
}

/// Why a push was not sent.
enum Failure {
    /// It may be, later; not before so many milliseconds.
    Passing(String, i64),
    /// The browser does not take it any more, nor anything else.
    Gone(&'static str),
    /// It never will.
    Final(String),
}

impl Sender {
    /// Sends what is in these tables.
    ///
    /// # Errors
    /// Internal, where there is no TLS.
    pub fn new(
        pushes: Arc<dyn Pushes>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        vapid: Arc<Vapid>,
        reach: Reach,
    ) -> Result<Self> {
        // A proxy would look names up by itself, where nobody looks at what they stand for.
        let http = reqwest::Client::builder()
            .dns_resolver(Arc::new(reach))
            .no_proxy()
            .redirect(Policy::none())
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            pushes,
            clock,
            metrics,
            vapid,
            reach,
            hosts: Hosts::default(),
            http,
        })
    }

    async fn send(&self, push: &Push, message: &PushMessage) -> Result<(), Failure> {
        let closed = Failure::Gone("closed");
        let endpoint = self.reach.endpoint(&message.endpoint).ok_or(closed)?;
        let receiver = Receiver::new(&message.p256dh, &message.auth);
        let receiver = receiver.ok_or(Failure::Gone("gone"))?;
        let body = receiver.encrypt(&text(message)?);
        let body = body.ok_or_else(|| Failure::Final("the text is too long".into()))?;
        let origin = endpoint.origin().ascii_serialization();
        let busy = || Failure::Passing("its push service has enough in hand".into(), 0);
        let _room = self.hosts.room(&origin).await.ok_or_else(busy)?;
        let now = self.clock.now();
        let left = (WORTH_MS - (now.0 - push.created_at.0)).clamp(0, WORTH_MS);
        let request = self
            .http
            .post(endpoint)
            .header(
                header::AUTHORIZATION,
                self.vapid.authorization(&origin, now),
            )
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header("TTL", left / 1_000)
            .header("Urgency", urgency(push.kind))
            .header("Topic", topic(push, message))
            .body(body);
        let answer = request
            .send()
            .await
            .map_err(|error| match is_closed(&error) {
                true => Failure::Gone("closed"),
                // The address is a secret: whoever knows it may send.
                false => Failure::Passing(words_of(&error.without_url()), 0),
            })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let after = retry_after(answer.headers());
        let words = format!("{status} {}", first_words(answer).await);
        Err(match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Failure::Gone("gone"),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Failure::Passing(words, after)
            }
            status if status.is_server_error() => Failure::Passing(words, after),
            _ => Failure::Final(words),
        })
    }

    /// Forgets the browser that a push is for, and with it whatever else waits for it.
    async fn forget(&self, push: &Push, message: &PushMessage) -> Result<Posted> {
        let forget = self
            .pushes
            .forget_subscription(push.user_id, message.subscription);
        forget.await.map(|()| Posted::Done(push.n))
    }

    fn again(&self, push: &Push, error: String, after: i64) -> Posted {
        self.metrics.pushed("retry");
        let wait = backoff(BACKOFF_MS, push.attempts).max(after);
        let at = self.clock.now().plus_ms(wait);
        Posted::Retry {
            n: push.n,
            at,
            error,
        }
    }
}

#[async_trait]
impl Queue for Sender {
    type Item = Push;
    const WHAT: &'static str = "what browsers are to be told";
    /// All that are in hand: each service has a bound of its own.
    const ABREAST: usize = BATCH;

    async fn claim(&self) -> Result<Vec<Push>> {
        let now = self.clock.now();
        let until = now.plus_ms(LEASE_MS);
        self.pushes.claim_pushes(now, until, BATCH).await
    }

    async fn post(&self, push: &Push) -> Posted {
        let (n, user_id, kind) = (push.n, push.user_id, push.kind.as_str());
        let late = self.clock.now().0 - push.created_at.0 >= WORTH_MS;
        let Some(message) = push.message.as_ref().filter(|_| !late) else {
            tracing::debug!(%user_id, kind, "a push was left out: nobody needs it any more");
            self.metrics.pushed("moot");
            return Posted::Done(n);
        };
        match self.send(push, message).await {
            Ok(()) => {
                tracing::debug!(%user_id, kind, "a push was sent");
                self.metrics.pushed("sent");
                Posted::Done(n)
            }
            Err(Failure::Passing(error, after)) => {
                tracing::debug!(%user_id, kind, "a push was not sent and will be tried again");
                self.again(push, error, after)
            }
            Err(Failure::Gone(outcome)) => match self.forget(push, message).await {
                Ok(done) => {
                    tracing::info!(%user_id, kind, outcome, "a browser is not told any more");
                    self.metrics.pushed(outcome);
                    done
                }
                Err(error) => self.again(push, error.to_string(), 0),
            },
            Err(Failure::Final(error)) => {
                tracing::warn!(%user_id, kind, n, "a push was set aside");
                self.metrics.pushed("aside");
                Posted::Aside { n, error }
            }
        }
    }

    async fn settle(&self, posted: &[Posted]) -> Result<()> {
        self.pushes.settle_pushes(posted).await
    }
}

/// The text for the service worker, filled up with blanks.
fn text(message: &PushMessage) -> Result<Vec<u8>, Failure> {
    let text = Text {
        id: message.notification,
        title: &message.title,
        body: &message.body,
        path: match message.task_id {
            Some(task) => format!("/tasks/{task}"),
            None => "/notifications".into(),
        },
    };
    let text = serde_json::to_vec(&text);
    let mut text = text.map_err(|error| Failure::Final(error.to_string()))?;
    text.resize(text.len().next_multiple_of(BLOCK), b' ');
    Ok(text)
}

/// Whether a telephone is to wake up for it.
fn urgency(kind: Kind) -> &'static str {
    match kind {
        Kind::Reminder => "high",
        Kind::TaskCreated | Kind::TaskCompleted | Kind::Streak => "normal",
    }
}

/// A later push about the same takes the place of one that the browser did not fetch yet. To the push
/// service it says nothing.
fn topic(push: &Push, message: &PushMessage) -> String {
    let about = message.task_id.map_or(push.user_id.0, |task| task.0);
    let name = [
        push.kind.as_str().as_bytes(),
        message.subscription.as_bytes(),
    ]
    .concat();
    Uuid::new_v5(&about, &name).simple().to_string()
}

/// How long a push service asks to be left alone, in milliseconds.
fn retry_after(headers: &HeaderMap) -> i64 {
    let seconds = headers.get(header::RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    (i64::from(seconds.unwrap_or(0)) * 1_000).min(ASKED_MS)
}

/// An error with what it comes of.
fn words_of(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    let words = sources.map(|source| format!(": {source}"));
    error.to_string() + &words.collect::<String>()
}

/// What an answer says at first; no more of it is read.
async fn first_words(mut answer: reqwest::Response) -> String {
    let mut words = Vec::new();
    while words.len() < WORDS_MAX
        && let Ok(Some(part)) = answer.chunk().await
    {
        words.extend_from_slice(&part);
    }
    words.truncate(WORDS_MAX);
    String::from_utf8_lossy(&words).into_owned()
}

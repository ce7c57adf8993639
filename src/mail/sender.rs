//! Sends mail that waits, and sets aside what cannot be sent ever.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        self,
        response::{Category, Severity},
    },
};
use tidings_domain::{notice::Kind, time::Timestamp};
use tokio::time::timeout;

use super::{Smtp, compose::Letterhead};
use crate::{
    clock::Clock,
    error::{Error, Result},
    metrics::Metrics,
    queue::{Queue, backoff},
    store::{Mail, Mails, Posted},
};

/// Mail in hand at once.
const BATCH: usize = 20;
/// How long a mail may take from connecting to the server's last word.
const MAIL_WITHIN: Duration = Duration::from_secs(60);
/// How long mail in hand is nobody else's, in milliseconds: longer than all of it can take.
const LEASE_MS: i64 = 600_000;
/// The first back-off and the longest, in milliseconds.
const BACKOFF_MS: (i64, i64) = (30_000, 900_000);
/// Mail that could not be sent for so long is set aside, in milliseconds: three days.
const TIRED_MS: i64 = 3 * 86_400_000;
/// How long the log is told no more that mail waits, in milliseconds.
const WARN_MS: i64 = 3_600_000;

/// Sends mail.
pub struct Sender {
    mails: Arc<dyn Mails>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    letterhead: Letterhead,
    /// Where to; nowhere, and mail is a line in the log.
    smtp: Option<(Smtp, AsyncSmtpTransport<Tokio1Executor>)>,
    /// Whether the server took the last mail of ours that it took or refused for no reason of its own:
    /// then it does not mind who sends.
    trusted: AtomicBool,
    /// When the log was last told that mail cannot be sent: it has that once an hour, not for each.
    warned: AtomicI64,
}

/// Why a mail was not sent.
enum Failure {
    /// It may be, later.
    Passing(String),
    /// It never will.
    Final(String),
}

impl Sender {
    /// Sends what is in this table through `smtp`.
    ///
    /// # Errors
    /// Internal, where no mail can be handed in there.
    pub fn new(
        mails: Arc<dyn Mails>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        letterhead: Letterhead,
        smtp: Option<Smtp>,
    ) -> Result<Self> {
        let smtp = match smtp {
            Some(smtp) => {
                let transport = smtp.transport().map_err(Error::internal)?;
                Some((smtp, transport))
            }
            None => None,
        };
        Ok(Self {
            mails,
            clock,
            metrics,
            letterhead,
            smtp,
            trusted: AtomicBool::new(false),
            warned: AtomicI64::new(i64::MIN),
        })
    }

    async fn send(
        &self,
        mail: &Mail,
        smtp: &Smtp,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
    ) -> Result<(), Failure> {
        let message = self.letterhead.compose(mail, smtp);
        let message = message.map_err(|error| Failure::Final(error.to_string()))?;
        let sent = timeout(MAIL_WITHIN, async {
            let error = match transport.send(message).await {
                Ok(_) => {
                    self.trusted.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => error,
            };
            let is_final = match fault(&error) {
                Fault::Passing => false,
                Fault::Recipient => true,
                // It greets nobody with the same codes: then this mail is not what it refuses. Nor is
                // it where the one before was refused as well, and none was taken since.
                Fault::Unknown => {
                    transport.test_connection().await.is_ok()
                        && self.trusted.swap(false, Ordering::Relaxed)
                }
            };
            Err(match is_final {
                true => Failure::Final(error.to_string()),
                false => Failure::Passing(error.to_string()),
            })
        });
        let sent = sent.await;
        sent.map_err(|_| Failure::Passing("the server takes too long".into()))?
    }

    fn is_tired(&self, mail: &Mail) -> bool {
        let Timestamp(now) = self.clock.now();
        now - mail.created_at.0 > TIRED_MS
    }
}

#[async_trait]
impl Queue for Sender {
    type Item = Mail;
    const WHAT: &'static str = "mail";
    const ABREAST: usize = 4;

    async fn claim(&self) -> Result<Vec<Mail>> {
        let now = self.clock.now();
        let until = now.plus_ms(LEASE_MS);
        self.mails.claim_mails(now, until, BATCH).await
    }

    async fn post(&self, mail: &Mail) -> Posted {
        let (n, kind) = (mail.n, mail.kind.map_or("-", Kind::as_str));
        let user_id = mail.user_id;
        if mail.moot {
            tracing::debug!(%user_id, kind, "a mail was left out: its task is not open any more");
            self.metrics.mailed("moot");
            return Posted::Done(n);
        }
        let Some((smtp, transport)) = &self.smtp else {
            tracing::info!(%user_id, kind, "a mail; there is no SMTP_URL to send it");
            self.metrics.mailed("logged");
            return Posted::Done(n);
        };
        match self.send(mail, smtp, transport).await {
            Ok(()) => {
                tracing::debug!(%user_id, kind, "a mail was sent");
                self.metrics.mailed("sent");
                Posted::Done(n)
            }
            Err(Failure::Passing(error)) if !self.is_tired(mail) => {
                tracing::debug!(%user_id, kind, "a mail was not sent and will be tried again");
                self.metrics.mailed("retry");
                let now = self.clock.now();
                if now.0.saturating_sub(self.warned.load(Ordering::Relaxed)) >= WARN_MS {
                    self.warned.store(now.0, Ordering::Relaxed);
                    tracing::warn!("mail cannot be sent and waits: see tidings mails list");
                }
                let at = now.plus_ms(backoff(BACKOFF_MS, mail.attempts));
                Posted::Retry { n, at, error }
            }
            Err(Failure::Passing(error) | Failure::Final(error)) => {
                // The server's words may hold the address: they are for operators who ask.
                tracing::warn!(%user_id, kind, n, "a mail was set aside");
                self.metrics.mailed("aside");
                Posted::Aside { n, error }
            }
        }
    }

    async fn settle(&self, posted: &[Posted]) -> Result<()> {
        self.mails.settle_mails(posted).await
    }
}

/// Why a server took no mail.
enum Fault {
    /// It may take it later: it is out of reach or busy, does not know us (53x), or not the sender
    /// (x.1.7 and x.1.8 of RFC 3463).
    Passing,
    /// It refused the recipient for good.
    Recipient,
    /// It refused for good, whatever it was.
    Unknown,
}

fn fault(error: &smtp::Error) -> Fault {
    let refused = error.status().is_some_and(|code| {
        code.severity == Severity::PermanentNegativeCompletion
            && code.category != Category::Unspecified3
    });
    let words = error.to_string();
    let says = |codes: &[&str]| words.split_whitespace().any(|word| codes.contains(&word));
    if !refused || says(&["5.1.7", "5.1.8"]) {
        Fault::Passing
    } else if says(&[
        "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.2.2",
    ]) {
        Fault::Recipient
    } else {
        Fault::Unknown
    }
}

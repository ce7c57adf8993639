//! Sends mail that waits, and sets aside what cannot be sent ever.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        self,
        response::{Category, Severity},
    },
};
use tidings_domain::{notice::Kind, time::Timestamp};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Smtp, compose::Letterhead};
use crate::{
    clock::Clock,
    error::{Error, Result},
    metrics::Metrics,
    store::{Mail, Mails, Posted},
};

/// It looks for mail this often.
const TICK: Duration = Duration::from_secs(2);
/// Mail in hand at once.
const BATCH: usize = 20;
/// Of it, so much at the server at once.
const ABREAST: usize = 4;
/// How long a mail may take from connecting to the server's last word.
const MAIL_WITHIN: Duration = Duration::from_secs(60);
/// How long mail in hand is nobody else's, in milliseconds: longer than all of it can take.
const LEASE_MS: i64 = 600_000;
/// How long mail under way may go on after the sender was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// The first back-off and the longest, in milliseconds.
const BACKOFF_MS: (i64, i64) = (30_000, 900_000);
/// Mail that could not be sent for so long is set aside, in milliseconds: three days.
const TIRED_MS: i64 = 3 * 86_400_000;

/// Sends mail until it is told to stop.
pub struct Sender {
    mails: Arc<dyn Mails>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    letterhead: Letterhead,
    /// Where to; nowhere, and mail is a line in the log.
    smtp: Option<(Smtp, AsyncSmtpTransport<Tokio1Executor>)>,
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
        })
    }

    /// Goes on until `stop`; mail that is under way then has a few seconds.
    pub async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        while !stop.is_cancelled() {
            let turn = self.turn(&stop).await;
            if let Err(error) = &turn
                && !failing
            {
                tracing::warn!(%error, "mail was not looked for; it will be later");
            }
            failing = turn.is_err();
            if turn.is_ok_and(|count| count == BATCH) {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(TICK) => {}
            }
        }
    }

    /// Sends what is due, at most a batch; how much there was.
    ///
    /// # Errors
    /// The store's.
    pub async fn turn(&self, stop: &CancellationToken) -> Result<usize> {
        let now = self.clock.now();
        let until = now.plus_ms(LEASE_MS);
        let mails = self.mails.claim_mails(now, until, BATCH).await?;
        if mails.is_empty() {
            return Ok(0);
        }
        let count = mails.len();
        let mut posted = Vec::with_capacity(count);
        let late = async {
            stop.cancelled().await;
            sleep(DRAIN).await;
        };
        let mut sending = stream::iter(mails)
            .map(|mail| async move { self.post(&mail).await })
            .buffer_unordered(ABREAST);
        let all = async {
            while let Some(one) = sending.next().await {
                posted.push(one);
            }
        };
        tokio::select! {
            () = all => {}
            () = late => tracing::warn!("mail that was under way will be sent again"),
        }
        self.mails.settle_mails(&posted).await?;
        Ok(count)
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
                let at = self.clock.now().plus_ms(backoff(mail.attempts));
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

    async fn send(
        &self,
        mail: &Mail,
        smtp: &Smtp,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
    ) -> Result<(), Failure> {
        let message = self.letterhead.compose(mail, smtp);
        let message = message.map_err(|error| Failure::Final(error.to_string()))?;
        let sent = timeout(MAIL_WITHIN, async {
            match transport.send(message).await {
                Ok(_) => Ok(()),
                // It greets nobody with the same codes: then this mail is not what it refuses.
                Err(error) if is_final(&error) && transport.test_connection().await.is_ok() => {
                    Err(Failure::Final(error.to_string()))
                }
                Err(error) => Err(Failure::Passing(error.to_string())),
            }
        });
        let sent = sent.await;
        sent.map_err(|_| Failure::Passing("the server takes too long".into()))?
    }

    fn is_tired(&self, mail: &Mail) -> bool {
        let Timestamp(now) = self.clock.now();
        now - mail.created_at.0 > TIRED_MS
    }
}

/// Whether the server refused this mail for good. That it does not know us (53x), or not the sender
/// (x.1.7 and x.1.8 of RFC 3463), is no fault of the mail.
fn is_final(error: &smtp::Error) -> bool {
    let refused = error.status().is_some_and(|code| {
        code.severity == Severity::PermanentNegativeCompletion
            && code.category != Category::Unspecified3
    });
    let words = error.to_string();
    refused && !["5.1.7", "5.1.8"].iter().any(|code| words.contains(code))
}

/// How long to wait after a failure that `attempts` others went before, in milliseconds.
fn backoff(attempts: i64) -> i64 {
    let (base, cap) = BACKOFF_MS;
    let full = (base << attempts.clamp(0, 16)).min(cap);
    full / 2 + rand::random_range(0..=full / 2)
}

//! Mail: an owned task that empties the table of mail, by SMTP or, where none is set, into the log.

pub mod compose;
mod sender;
pub mod unsubscribe;

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox};
use url::Url;

pub use self::sender::Sender;

/// How long a server may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Where mail is handed in, and from whom it comes.
#[derive(Clone)]
pub struct Smtp {
    /// As configured; holds a password, perhaps.
    url: String,
    /// The sender.
    pub from: Mailbox,
}

/// No mail is handed in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It names no server.
    #[error("must be smtp://host:port, smtps://host or smtp://user:password@host:587?tls=required")]
    NoServer,
    /// The password would go over a network in the clear.
    #[error(
        "would send its password in the clear: add ?tls=required, or ?tls=opportunistic where it may"
    )]
    InTheClear,
}

impl Smtp {
    /// A server at `url`, and who sends.
    ///
    /// # Errors
    /// Where the URL is none, or tells a password to whoever listens.
    pub fn new(url: &str, from: Mailbox) -> Result<Self, BadUrl> {
        if is_in_the_clear(url) {
            return Err(BadUrl::InTheClear);
        }
        let url = url.to_owned();
        let smtp = Self { url, from };
        smtp.transport().map(|_| smtp)
    }

    /// The way there. Each mail goes over a connection of its own.
    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, BadUrl> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.url);
        let builder = builder.map_err(|_| BadUrl::NoServer)?;
        Ok(builder.timeout(Some(ANSWER_WITHIN)).build())
    }

    /// Whether the server greets us, proves who it is and lets us in, where the URL asks for that.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn answers(&self) -> Result<(), String> {
        let transport = self.transport().map_err(|error| error.to_string())?;
        match transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it ended the connection".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The domain of the sender.
    fn domain(&self) -> &str {
        self.from.email.domain()
    }
}

impl fmt::Debug for Smtp {
    /// Without the URL, which holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

/// Whether a password would leave this machine without TLS, and nobody said that it may.
fn is_in_the_clear(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_here = host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.is_loopback());
    let says_tls = url.query_pairs().any(|(name, _)| name == "tls");
    url.scheme() == "smtp" && url.password().is_some() && !is_here && !says_tls
}

/// Who sends: `tidings@example.org`, or `Tidings <tidings@example.org>`.
///
/// # Errors
/// Words for whoever configures it.
pub fn sender(text: &str) -> Result<Mailbox, &'static str> {
    Mailbox::from_str(text.trim())
        .map_err(|_| "must be an address, such as Tidings <me@example.org>")
}

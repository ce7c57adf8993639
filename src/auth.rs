//! Who asks, and by which right: passwords, sessions, personal tokens, and how often anyone may try.

pub mod cache;
pub mod failures;
pub mod password;
pub mod rate;
pub mod reset;
pub mod secret;
pub mod sessions;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tidings_domain::{
    account::User,
    error::Code,
    event::{self, Metadata},
    id::{ClientId, MutationId},
};

use self::secret::Digest;
use crate::{error::Result, telemetry::TraceContext};

/// Where a request comes from, whoever makes it.
#[derive(Debug)]
pub struct Caller {
    /// The address, as far as proxies that are trusted tell it.
    pub ip: IpAddr,
    /// What the client calls itself, cut short.
    pub user_agent: Option<String>,
    /// Whether the client spoke https.
    pub https: bool,
    /// Where in a trace the request is.
    pub trace: TraceContext,
    /// Set where the session was extended, so that its cookie is sent again.
    pub(crate) renewed: AtomicBool,
}

impl Caller {
    /// A caller.
    pub fn new(ip: IpAddr, user_agent: Option<String>, https: bool, trace: TraceContext) -> Self {
        Self {
            ip,
            user_agent,
            https,
            trace,
            renewed: AtomicBool::new(false),
        }
    }

    /// Whether the session's cookie is to be sent again.
    pub fn is_renewed(&self) -> bool {
        self.renewed.load(Ordering::Relaxed)
    }
}

/// The right by which somebody is who they are; known by the SHA-256 of its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A session of a browser.
    Session(Digest),
    /// A personal token.
    Token(Digest),
}

/// Somebody who is signed in, and the request that they make.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub user: Arc<User>,
    /// `light`, `dark` or `system`.
    pub theme: Arc<str>,
    /// By which right.
    pub via: Via,
    /// From where.
    pub caller: Arc<Caller>,
}

impl Actor {
    /// The session that the request belongs to.
    ///
    /// # Errors
    /// `forbidden` for a personal token, which may not manage tokens, passwords or the account.
    pub fn session(&self) -> Result<Digest> {
        match self.via {
            Via::Session(hash) => Ok(hash),
            Via::Token(_) => Err(Code::Forbidden.into()),
        }
    }

    /// How an event that this actor causes came about.
    pub fn metadata(
        &self,
        mutation_id: Option<MutationId>,
        client_id: Option<ClientId>,
    ) -> Metadata {
        Metadata {
            mutation_id,
            client_id,
            actor: match self.via {
                Via::Session(_) => event::Actor::User,
                Via::Token(_) => event::Actor::Api,
            },
            traceparent: Some(self.caller.trace.to_string()),
        }
    }
}

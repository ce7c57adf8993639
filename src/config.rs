//! What a server runs on, checked as a whole at start.

mod events;
mod flags;
mod mail;
mod onboarding;
mod push;
mod secrets;
mod traces;
mod values;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use url::Url;

pub use self::{
    events::EventArgs,
    flags::{AddressArgs, DatabaseArgs, LogArgs, ServeArgs},
    mail::MailArgs,
    onboarding::OnboardingArgs,
};
use crate::{
    consumers::Roles,
    dapr::{Settings, Token},
    http::ws::Timing,
    mail::Smtp,
    push::Reach,
    service::accounts::Limits,
    telemetry::Traces,
};

/// What a server runs on.
#[derive(Clone, Debug)]
pub struct Config {
    /// The public listener. Port 0 picks a free one.
    pub site_addr: SocketAddr,
    /// Where the sidecar reaches us. Port 0 picks a free one.
    pub sidecar_addr: SocketAddr,
    /// How events travel.
    pub transport: EventTransport,
    /// The sidecar and its components.
    pub dapr: Settings,
    /// What the sidecar must show.
    pub app_token: Option<Token>,
    /// Where the database is.
    pub database_url: String,
    /// Where the browser's files lie.
    pub site_root: PathBuf,
    /// The build's list of hashes in their names: lines of `js: <hash>`; empty where there are none.
    pub hashes: String,
    /// What this process does.
    pub roles: Roles,
    /// How often open sockets look for events by themselves.
    pub live_poll: Option<Duration>,
    /// How often consumers look in the log for what a broker never delivered.
    pub catch_up: Option<Duration>,
    /// Where people reach this server; unset: under the loopback names.
    pub public_url: Option<Url>,
    /// Where mail is handed in; unset: mail is a line in the log.
    pub smtp: Option<Smtp>,
    /// Where push services may be.
    pub push: Reach,
    /// Networks whose X-Forwarded-For and -Proto are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How often anyone may try to sign in or up.
    pub limits: Limits,
    /// Requests that may be under way at once.
    pub requests: usize,
    /// How patient sockets are.
    pub timing: Timing,
    /// Whether new people get sample tasks.
    pub sample_tasks: bool,
    /// Where spans go.
    pub traces: Option<Traces>,
}

impl Default for Config {
    /// This machine alone, without limits or sample tasks: what tests begin with.
    fn default() -> Self {
        Self {
            site_addr: (Ipv4Addr::LOCALHOST, 3000).into(),
            sidecar_addr: (Ipv4Addr::LOCALHOST, 3001).into(),
            transport: EventTransport::InProcess,
            dapr: Settings::default(),
            app_token: None,
            database_url: "sqlite://data/tidings.db".into(),
            site_root: "target/site".into(),
            hashes: String::new(),
            roles: Roles::all(),
            live_poll: Some(Duration::from_secs(3)),
            catch_up: Some(Duration::from_secs(300)),
            public_url: None,
            smtp: None,
            push: Reach { loopback: false },
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            requests: 1_024,
            timing: Timing::default(),
            sample_tasks: false,
            traces: None,
        }
    }
}

/// How events travel from the outbox to consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTransport {
    /// By the sidecar.
    Dapr,
    /// Not at all: consumers are in this process.
    InProcess,
}

/// What is wrong with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Its name in the environment.
    pub variable: &'static str,
    /// What it must be.
    pub words: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.words)
    }
}

//! Flags of how events travel, and of the sidecar.

use std::net::SocketAddr;

use clap::Args;

use super::{
    ConfigFault, EventTransport,
    flags::Faults,
    secrets::Secrets,
    values::{address, component, port, switch, token},
};
use crate::dapr::{Settings, Token};

/// How events travel.
#[derive(Args, Clone, Debug)]
pub struct EventArgs {
    /// Where the sidecar reaches us, and metrics are
    #[arg(
        long,
        env = "SIDECAR_ADDR",
        default_value = "127.0.0.1:3001",
        value_name = "HOST:PORT"
    )]
    sidecar_addr: String,
    /// How events travel: dapr, in-process, or auto: dapr where DAPR_HTTP_PORT is set
    #[arg(
        long,
        env = "EVENT_TRANSPORT",
        default_value = "auto",
        value_name = "TRANSPORT"
    )]
    event_transport: String,
    /// false: nothing is published, consumers run in this process
    #[arg(
        long,
        env = "EVENT_PUBLISHING_ENABLED",
        default_value = "true",
        value_name = "BOOL"
    )]
    event_publishing_enabled: String,
    /// The sidecar's host
    #[arg(
        long,
        env = "DAPR_HOST",
        default_value = "localhost",
        value_name = "HOST"
    )]
    dapr_host: String,
    /// The sidecar's HTTP port; unset: 3500
    #[arg(
        long,
        env = "DAPR_HTTP_PORT",
        default_value = "",
        hide_default_value = true,
        value_name = "PORT"
    )]
    dapr_http_port: String,
    /// The component that is a work queue
    #[arg(
        long,
        env = "DAPR_PUBSUB_NAME",
        default_value = "todo-pubsub",
        value_name = "NAME"
    )]
    dapr_pubsub_name: String,
    /// The component that reaches every replica
    #[arg(
        long,
        env = "DAPR_BROADCAST_PUBSUB_NAME",
        default_value = "todo-broadcast",
        value_name = "NAME"
    )]
    dapr_broadcast_pubsub_name: String,
    /// The component that keeps what may be lost
    #[arg(
        long,
        env = "DAPR_STATE_STORE",
        default_value = "todo-state",
        value_name = "NAME"
    )]
    dapr_state_store: String,
    /// The component that APP_API_TOKEN, DATABASE_URL and SMTP_URL are read from at start; unset: none
    #[arg(
        long,
        env = "DAPR_SECRET_STORE",
        default_value = "",
        hide_default_value = true,
        value_name = "NAME"
    )]
    dapr_secret_store: String,
    /// What the sidecar wants to be shown
    #[arg(
        long,
        env = "DAPR_API_TOKEN",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    dapr_api_token: String,
    /// What the sidecar must show
    #[arg(
        long,
        env = "APP_API_TOKEN",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    app_api_token: String,
}

/// What the flags say, once all of it was read.
pub(super) struct Events {
    pub(super) sidecar_addr: SocketAddr,
    pub(super) transport: EventTransport,
    pub(super) dapr: Settings,
    pub(super) app_token: Option<Token>,
}

impl EventArgs {
    /// Reads secrets from the sidecar's store, where one is set: these, and what `others` names.
    ///
    /// # Errors
    /// Where the store does not answer. What is wrong with the flags themselves, [`Self::check`]
    /// tells.
    pub(super) async fn fill(
        &mut self,
        others: &mut [(&'static str, &mut String)],
    ) -> Result<(), ConfigFault> {
        let Some(settings) = self.settings(&mut Faults::default()) else {
            return Ok(());
        };
        let Some(secrets) = Secrets::open(&settings).await? else {
            return Ok(());
        };
        for (name, value) in others {
            secrets.fill(name, value).await?;
        }
        secrets.fill("APP_API_TOKEN", &mut self.app_api_token).await
    }

    /// Checks them; nothing once a fault was noted.
    pub(super) fn check(&self, faults: &mut Faults) -> Option<Events> {
        let sidecar_addr = faults.take("SIDECAR_ADDR", address(&self.sidecar_addr));
        let transport = faults.take("EVENT_TRANSPORT", self.transport());
        let publishing = switch(&self.event_publishing_enabled);
        let publishing = faults.take("EVENT_PUBLISHING_ENABLED", publishing);
        let dapr = self.settings(faults);
        let app_token = faults.take("APP_API_TOKEN", token(&self.app_api_token))?;
        let sidecar_addr = sidecar_addr?;
        if !sidecar_addr.ip().is_loopback() && app_token.is_none() {
            let words = "whoever reaches it could bring events: \
                set APP_API_TOKEN, or listen on a loopback address";
            return faults.take("SIDECAR_ADDR", Err(words));
        }
        Some(Events {
            sidecar_addr,
            transport: if publishing? {
                transport?
            } else {
                EventTransport::InProcess
            },
            dapr: dapr?,
            app_token,
        })
    }

    fn transport(&self) -> Result<EventTransport, &'static str> {
        match self.event_transport.as_str() {
            "dapr" => Ok(EventTransport::Dapr),
            "auto" if !self.dapr_http_port.is_empty() => Ok(EventTransport::Dapr),
            "auto" | "in-process" => Ok(EventTransport::InProcess),
            _ => Err("must be auto, dapr or in-process"),
        }
    }

    fn settings(&self, faults: &mut Faults) -> Option<Settings> {
        let default = Settings::default();
        let host = faults.take("DAPR_HOST", component(&self.dapr_host));
        let port = match self.dapr_http_port.as_str() {
            "" => Some(default.port),
            text => faults.take("DAPR_HTTP_PORT", port(text)),
        };
        let pubsub = faults.take("DAPR_PUBSUB_NAME", component(&self.dapr_pubsub_name));
        let broadcast = component(&self.dapr_broadcast_pubsub_name);
        let broadcast = faults.take("DAPR_BROADCAST_PUBSUB_NAME", broadcast);
        let state_store = faults.take("DAPR_STATE_STORE", component(&self.dapr_state_store));
        let secret_store = match self.dapr_secret_store.as_str() {
            "" => Some(None),
            text => faults.take("DAPR_SECRET_STORE", component(text)).map(Some),
        };
        let api_token = faults.take("DAPR_API_TOKEN", token(&self.dapr_api_token));
        Some(Settings {
            host: host?,
            port: port?,
            pubsub: pubsub?,
            broadcast: broadcast?,
            state_store: state_store?,
            secret_store: secret_store?,
            api_token: api_token?,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        events: EventArgs,
    }

    fn check(flags: &[&str]) -> Result<Events, Vec<&'static str>> {
        let program = Program::try_parse_from(["tidings"].iter().chain(flags)).unwrap();
        let mut faults = Faults::default();
        let events = program.events.check(&mut faults);
        let named = faults.0.iter().map(|fault| fault.variable).collect();
        events.ok_or(named)
    }

    #[test]
    fn events_travel_by_dapr_where_a_sidecar_is_told_of() {
        let transport = |flags: &[&str]| check(flags).map(|events| events.transport);
        use EventTransport::{Dapr, InProcess};
        for (flags, expected) in [
            (&[][..], InProcess),
            (&["--dapr-http-port=3600"], Dapr),
            (&["--event-transport=dapr"], Dapr),
            (
                &["--event-transport=in-process", "--dapr-http-port=3600"],
                InProcess,
            ),
            (
                &["--event-publishing-enabled=false", "--dapr-http-port=3600"],
                InProcess,
            ),
        ] {
            assert_eq!(transport(flags), Ok(expected), "{flags:?}");
        }
        assert_eq!(check(&[]).map(|e| e.dapr), Ok(Settings::default()));
        assert_eq!(
            check(&["--dapr-http-port=3600"]).map(|e| e.dapr.port),
            Ok(3600)
        );
    }

    #[test]
    fn each_fault_names_its_variable() {
        let wrong = |flags: &[&str]| check(flags).err().unwrap_or_default();
        assert_eq!(wrong(&["--event-transport=pigeon"]), ["EVENT_TRANSPORT"]);
        assert_eq!(
            wrong(&["--event-publishing-enabled=no"]),
            ["EVENT_PUBLISHING_ENABLED"]
        );
        assert_eq!(wrong(&["--dapr-http-port=0"]), ["DAPR_HTTP_PORT"]);
        assert_eq!(wrong(&["--dapr-pubsub-name=a/b"]), ["DAPR_PUBSUB_NAME"]);
        assert_eq!(wrong(&["--app-api-token=two words"]), ["APP_API_TOKEN"]);
    }

    #[test]
    fn a_listener_that_others_reach_needs_a_token() {
        let open = "--sidecar-addr=0.0.0.0:3001";
        assert_eq!(check(&[open]).err().unwrap(), ["SIDECAR_ADDR"]);
        assert!(check(&[open, "--app-api-token=t"]).is_ok());
        assert!(check(&["--sidecar-addr=[::1]:3001"]).is_ok());
    }
}

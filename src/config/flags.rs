//! Flags, each with its environment variable.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::{
    Config, ConfigFault,
    events::EventArgs,
    mail::MailArgs,
    onboarding::OnboardingArgs,
    push::PushArgs,
    traces::TraceArgs,
    values::{address, database, networks, public_url, rate, read, roles, seconds, switch},
};
use crate::{
    service::accounts::Limits,
    telemetry::{LogFormat, Logging},
};

/// What every command must know.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// What is logged, such as info or tidings=debug
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
    /// text or json
    #[arg(
        long,
        env = "LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    log_format: String,
}

/// Where the database is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseArgs {
    /// The database: sqlite://<path> or postgres://<user>@<host>/<database>
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite://data/tidings.db",
        value_name = "URL"
    )]
    database_url: String,
}

/// Where the server listens.
#[derive(Args, Clone, Debug)]
pub struct AddressArgs {
    /// The public listener
    #[arg(
        long,
        env = "LEPTOS_SITE_ADDR",
        default_value = "127.0.0.1:3000",
        value_name = "HOST:PORT"
    )]
    site_addr: String,
}

/// Flags of `tidings serve`. They are texts here, so that all faults are told at once.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    #[command(flatten)]
    address: AddressArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Where the browser's files lie
    #[arg(
        long,
        env = "LEPTOS_SITE_ROOT",
        default_value = "target/site",
        value_name = "FOLDER"
    )]
    site_root: PathBuf,
    /// Whether their names hold hashes
    #[arg(
        long,
        env = "LEPTOS_HASH_FILES",
        default_value = "false",
        value_name = "BOOL"
    )]
    hash_files: String,
    /// The build's list of hashes; unset: hash.txt beside the program
    #[arg(
        long,
        env = "LEPTOS_HASH_FILE_NAME",
        default_value = "",
        hide_default_value = true,
        value_name = "FILE"
    )]
    hash_file: String,
    #[command(flatten)]
    events: EventArgs,
    #[command(flatten)]
    traces: TraceArgs,
    /// all, or any of web, live, audit, recurring, reminders, notifications, onboarding, analytics;
    /// in-process events need all of them that consume events
    #[arg(long, env = "ROLES", default_value = "all", value_name = "ROLES")]
    roles: String,
    /// How often open sockets look for events by themselves; 0: never
    #[arg(
        long,
        env = "LIVE_POLL_SECONDS",
        default_value = "3",
        value_name = "SECONDS"
    )]
    live_poll_seconds: String,
    /// How often consumers look in the log for what a broker never delivered; 0: never
    #[arg(
        long,
        env = "CATCH_UP_SECONDS",
        default_value = "300",
        value_name = "SECONDS"
    )]
    catch_up_seconds: String,
    /// Where people reach this server, such as https://tidings.example; unset: this machine alone
    #[arg(
        long,
        env = "PUBLIC_URL",
        default_value = "",
        hide_default_value = true,
        value_name = "URL"
    )]
    public_url: String,
    #[command(flatten)]
    mail: MailArgs,
    #[command(flatten)]
    push: PushArgs,
    #[command(flatten)]
    onboarding: OnboardingArgs,
    /// Networks whose X-Forwarded-For and -Proto are believed, such as 10.0.0.0/8,::1
    #[arg(
        long,
        env = "TRUSTED_PROXIES",
        default_value = "",
        hide_default_value = true,
        value_name = "CIDRS"
    )]
    trusted_proxies: String,
    /// Sign-ins from an address: <count>/<period>, or off
    #[arg(
        long,
        env = "SIGN_IN_LIMIT_ADDRESS",
        default_value = "300/10m",
        value_name = "RATE"
    )]
    sign_in_limit_address: String,
    /// Sign-ins to an account from an address, and proofs of a password: <count>/<period>, or off
    #[arg(
        long,
        env = "SIGN_IN_LIMIT_ACCOUNT",
        default_value = "20/10m",
        value_name = "RATE"
    )]
    sign_in_limit_account: String,
    /// Sign-ups from an address: <count>/<period>, or off
    #[arg(
        long,
        env = "SIGN_UP_LIMIT_ADDRESS",
        default_value = "300/1h",
        value_name = "RATE"
    )]
    sign_up_limit_address: String,
}
/// Faults, as they are found.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<ConfigFault>);

impl Faults {
    /// The value, or nothing once what is wrong with it was noted.
    pub(super) fn take<T, E: fmt::Display>(
        &mut self,
        variable: &'static str,
        value: Result<T, E>,
    ) -> Option<T> {
        value
            .map_err(|error| {
                // One line a fault, whatever the words hold.
                let words = error.to_string().replace(['\n', '\r'], " ");
                self.0.push(ConfigFault { variable, words });
            })
            .ok()
    }
}
impl LogArgs {
    /// Checks them.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(&self) -> Result<Logging, Vec<ConfigFault>> {
        let mut faults = Faults::default();
        let filter = faults.take("RUST_LOG", EnvFilter::from_str(&self.log));
        let format = faults.take("LOG_FORMAT", self.log_format.parse::<LogFormat>());
        match (filter, format) {
            (Some(filter), Some(format)) => Ok(Logging { filter, format }),
            _ => Err(faults.0),
        }
    }
}

impl DatabaseArgs {
    /// Checks them: the URL of a database.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(&self) -> Result<String, Vec<ConfigFault>> {
        let mut faults = Faults::default();
        faults
            .take("DATABASE_URL", database(&self.database_url))
            .ok_or(faults.0)
    }
}

impl AddressArgs {
    /// Checks them: where the server listens.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(&self) -> Result<SocketAddr, Vec<ConfigFault>> {
        let mut faults = Faults::default();
        faults
            .take("LEPTOS_SITE_ADDR", address(&self.site_addr))
            .ok_or(faults.0)
    }
}

impl ServeArgs {
    /// Reads what the sidecar's secret store has, where one is set.
    ///
    /// # Errors
    /// Where it does not answer within a minute.
    pub async fn read_secrets(&mut self) -> Result<(), Vec<ConfigFault>> {
        let others = &mut [
            ("DATABASE_URL", &mut self.database.database_url),
            ("SMTP_URL", &mut self.mail.smtp_url),
        ];
        self.events.fill(others).await.map_err(|fault| vec![fault])
    }

    /// Checks them.
    ///
    /// # Errors
    /// Every fault.
    pub fn check(&self) -> Result<Config, Vec<ConfigFault>> {
        let mut faults = Faults::default();
        let site_addr = faults.take("LEPTOS_SITE_ADDR", address(&self.address.site_addr));
        let database_url = faults.take("DATABASE_URL", database(&self.database.database_url));
        let hash_file = faults.take("LEPTOS_HASH_FILES", self.hash_file());
        let hashes = hash_file.flatten().map_or(Ok(String::new()), read);
        let hashes = faults.take("LEPTOS_HASH_FILE_NAME", hashes);
        let events = self.events.check(&mut faults);
        let transport = events.as_ref().map(|events| events.transport);
        let roles = faults.take("ROLES", roles(&self.roles, transport));
        let live_poll = faults.take("LIVE_POLL_SECONDS", seconds(&self.live_poll_seconds));
        let catch_up = faults.take("CATCH_UP_SECONDS", seconds(&self.catch_up_seconds));
        let public_url = faults.take("PUBLIC_URL", public_url(&self.public_url));
        let smtp = self.mail.check(&mut faults);
        let push = self.push.check(&mut faults);
        let sample_tasks = self.onboarding.take(&mut faults);
        let proxies = faults.take("TRUSTED_PROXIES", networks(&self.trusted_proxies));
        let traces = self.traces.check(&mut faults);
        let mut limit = |variable, text: &str| faults.take(variable, rate(text)).flatten();
        let limits = Limits {
            sign_in_address: limit("SIGN_IN_LIMIT_ADDRESS", &self.sign_in_limit_address),
            sign_in_account: limit("SIGN_IN_LIMIT_ACCOUNT", &self.sign_in_limit_account),
            sign_up_address: limit("SIGN_UP_LIMIT_ADDRESS", &self.sign_up_limit_address),
        };
        let (Some(events), true) = (events, faults.0.is_empty()) else {
            return Err(faults.0);
        };
        let default = Config::default();
        Ok(Config {
            site_addr: site_addr.unwrap_or(default.site_addr),
            sidecar_addr: events.sidecar_addr,
            transport: events.transport,
            dapr: events.dapr,
            app_token: events.app_token,
            database_url: database_url.unwrap_or(default.database_url),
            site_root: self.site_root.clone(),
            hashes: hashes.unwrap_or_default(),
            roles: roles.unwrap_or(default.roles),
            live_poll: live_poll.flatten(),
            catch_up: catch_up.flatten(),
            public_url: public_url.flatten(),
            smtp,
            push: push.unwrap_or(default.push),
            trusted_proxies: proxies.unwrap_or_default(),
            limits,
            requests: default.requests,
            timing: default.timing,
            sample_tasks: sample_tasks.unwrap_or(true),
            traces,
        })
    }

    fn hash_file(&self) -> Result<Option<PathBuf>, String> {
        if !switch(&self.hash_files)? {
            return Ok(None);
        }
        if !self.hash_file.is_empty() {
            return Ok(Some(self.hash_file.clone().into()));
        }
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        Ok(Some(program.with_file_name("hash.txt")))
    }
}
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        log: LogArgs,
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn program(flags: &[&str]) -> Program {
        Program::try_parse_from(["tidings"].iter().chain(flags)).unwrap()
    }

    #[test]
    fn a_server_runs_on_defaults() {
        let config = program(&[]).serve.check().unwrap();
        assert_eq!(config.site_addr, Config::default().site_addr);
        assert_eq!(config.live_poll, Some(Duration::from_secs(3)));
        assert_eq!(config.catch_up, Some(Duration::from_secs(300)));
        assert!(config.limits.sign_up_address.is_some());
        assert!(config.sample_tasks);
        assert!(config.traces.is_none());
    }

    #[test]
    fn traces_have_a_collector_and_a_sampler() {
        let check = |flags: &[&str]| program(flags).serve.check();
        let collector = "--otel-exporter-otlp-endpoint=http://127.0.0.1:4318/";
        let traces = check(&[collector]).unwrap().traces.unwrap();
        assert_eq!(traces.service, "tidings");
        assert_eq!(traces.endpoint.as_str(), "http://127.0.0.1:4318/");
        // Whether or not there is a collector.
        let faults = check(&["--otel-traces-sampler=traceidratio"]).unwrap_err();
        assert_eq!(faults[0].variable, "OTEL_TRACES_SAMPLER");
    }

    #[test]
    fn every_fault_is_told_with_its_variable() {
        let program = program(&[
            "--site-addr=nowhere",
            "--database-url=mysql://x",
            "--event-transport=pigeon",
            "--roles=cook",
            "--live-poll-seconds=-1",
            "--catch-up-seconds=soon",
            "--public-url=https://example.com/app",
            "--trusted-proxies=10.0.0.0/8,home",
            "--otel-exporter-otlp-endpoint=https://collector",
            "--push-to-loopback=perhaps",
            "--sample-tasks=three",
            "--sign-in-limit-account=many",
            "--log=a=b=c",
            "--log-format=xml",
        ]);
        let mut faults = program.serve.check().unwrap_err();
        faults.extend(program.log.check().err().unwrap());
        let named: Vec<_> = faults.iter().map(|fault| fault.variable).collect();
        let expected = [
            "LEPTOS_SITE_ADDR",
            "DATABASE_URL",
            "EVENT_TRANSPORT",
            "ROLES",
            "LIVE_POLL_SECONDS",
            "CATCH_UP_SECONDS",
            "PUBLIC_URL",
            "PUSH_TO_LOOPBACK",
            "SAMPLE_TASKS",
            "TRUSTED_PROXIES",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "SIGN_IN_LIMIT_ACCOUNT",
            "RUST_LOG",
            "LOG_FORMAT",
        ];
        assert_eq!(named, expected);
        assert!(faults.iter().all(|f| !f.to_string().contains('\n')));
    }

    #[test]
    fn in_process_events_need_every_consumer_here() {
        let check = |roles: &str| program(&[&format!("--roles={roles}")]).serve.check();
        for enough in [
            "all",
            "web,live,audit,recurring,notifications,onboarding,analytics",
            "live,audit,recurring,notifications,onboarding,analytics",
        ] {
            assert!(check(enough).is_ok(), "{enough}");
        }
        for (few, missing) in [
            ("web", "live"),
            ("web,live", "audit"),
            ("audit", "live"),
            ("live,audit,notifications,onboarding,analytics", "recurring"),
            ("live,audit,recurring,onboarding,analytics", "notifications"),
            ("live,audit,recurring,notifications,analytics", "onboarding"),
            ("live,audit,recurring,notifications,onboarding", "analytics"),
        ] {
            let faults = check(few).unwrap_err();
            assert_eq!(faults.len(), 1);
            let words = faults[0].to_string();
            assert!(words.starts_with("ROLES: in-process events"), "{words}");
            assert!(words.ends_with(&format!("{missing} is missing")), "{words}");
        }
        let by_dapr = program(&["--roles=web", "--dapr-http-port=3600"]);
        assert!(by_dapr.serve.check().is_ok());
    }

    #[test]
    fn databases_are_read() {
        let check = |url: &str| program(&["--database-url", url]).serve.check();
        for url in [
            "sqlite://data/tidings.db",
            "sqlite:tidings.db",
            "postgres://tidings:secret@db.example:5433/tidings?sslmode=require",
            "postgresql://%2Frun%2Fpostgresql/tidings",
        ] {
            assert_eq!(check(url).unwrap().database_url, url);
        }
        for url in [
            "sqlite://",
            "postgres:secret",
            "postgres://host:secret/x",
            "secret",
        ] {
            let faults = check(url).unwrap_err();
            assert_eq!(faults[0].variable, "DATABASE_URL");
            assert!(!faults[0].words.contains("secret"));
        }
    }

    #[test]
    fn mail_needs_a_sender_and_a_server_that_there_can_be() {
        let check = |flags: &[&str]| program(flags).serve.check();
        let from = "--mail-from=Tidings <tidings@example.org>";
        assert!(check(&[from]).unwrap().smtp.is_none());
        for url in [
            "smtp://127.0.0.1:2525",
            "smtps://mail.example.org",
            "smtp://me:hunter2@mail.example.org:587?tls=required",
            "smtp://me:hunter2@mail.example.org?tls=opportunistic",
            "smtp://me:hunter2@localhost:2525",
            "smtp://me:hunter2@[::1]:2525",
        ] {
            let config = check(&["--smtp-url", url, from]).unwrap();
            let shown = format!("{config:?}");
            assert!(config.smtp.is_some() && !shown.contains("hunter2"));
        }
        let bad = check(&["--smtp-url=pigeon://secret", "--mail-from=nobody"]).unwrap_err();
        let named: Vec<_> = bad.iter().map(|fault| fault.variable).collect();
        assert_eq!(named, ["MAIL_FROM", "SMTP_URL"]);
        assert!(!bad[1].words.contains("secret"));
        let bare = check(&["--smtp-url=smtp://127.0.0.1"]).unwrap_err();
        assert_eq!(bare[0].variable, "MAIL_FROM");
        let told = "--smtp-url=smtp://me:hunter2@mail.example.org:587";
        let told = check(&[told, from]).unwrap_err();
        assert_eq!(told[0].variable, "SMTP_URL");
        assert!(told[0].words.contains("in the clear") && !told[0].words.contains("hunter2"));
    }

    #[test]
    fn proxies_and_limits_are_read() {
        let config = program(&[
            "--trusted-proxies=10.0.0.0/8, ::1",
            "--sign-up-limit-address=off",
            "--live-poll-seconds=0",
            "--public-url=https://tidings.example",
        ]);
        let config = config.serve.check().unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
        assert!(config.limits.sign_up_address.is_none());
        assert!(config.live_poll.is_none());
        assert_eq!(
            config.public_url.unwrap().as_str(),
            "https://tidings.example/"
        );
    }
}

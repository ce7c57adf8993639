//! Looks at all that a server needs, and says what to do where something is not as it should be.

use std::{io::Write, sync::Arc};

use serde_json::Value;
use tidings_domain::id::UserId;

use super::{Error, line};
use crate::{
    clock::Ambient,
    config::{Config, EventTransport},
    dapr::{self, Client, Metadata},
    events::Wanted,
    http::{
        ask,
        sidecar::subscriptions::{Subscription, subscriptions},
    },
    store::{self, OnCommit, Schema},
};

/// What came of a check: how things are, or what is wrong and what to do.
type Found = Result<String, String>;

/// Told of commits where nobody waits for them: a server that runs looks by itself.
pub struct Nobody;

impl OnCommit for Nobody {
    fn committed(&self, _: &[UserId]) {}

    fn account_changed(&self, _: UserId) {}
}

/// Makes every check, a line each. What is wrong stays as it is.
///
/// # Errors
/// Where one fails.
pub async fn doctor(config: &Config, out: &mut dyn Write) -> Result<(), Error> {
    let mut report = Report { out, failed: 0 };
    let by_dapr = config.transport == EventTransport::Dapr;
    let travel = match by_dapr {
        true => "events travel by a sidecar",
        false => "events stay in this process, without a sidecar",
    };
    report.tell("configuration", Ok(travel.into()))?;
    let database = database(config).await;
    let is_there = database.is_ok();
    report.tell("database", database)?;
    if is_there {
        report.tell("set aside", set_aside(config).await)?;
    }
    report.tell("server", server(config).await)?;
    report.tell("mail", mail(config).await)?;
    if by_dapr {
        match sidecar(config).await {
            Ok(metadata) => {
                let words = format!("version {} of app {}", metadata.version, metadata.id);
                report.tell("sidecar", Ok(words))?;
                behind(config, &metadata, &mut report)?;
            }
            Err(words) => report.tell("sidecar", Err(words))?,
        }
    }
    match report.failed {
        0 => Ok(()),
        failed => Err(Error::Partly(format!("{failed} checks failed"))),
    }
}

struct Report<'a> {
    out: &'a mut dyn Write,
    failed: usize,
}

impl Report<'_> {
    fn tell(&mut self, what: &str, found: Found) -> Result<(), Error> {
        self.failed += usize::from(found.is_err());
        let (word, words) = match &found {
            Ok(words) => ("ok", words),
            Err(words) => ("wrong", words),
        };
        writeln!(self.out, "{word}\t{what}\t{words}")?;
        Ok(())
    }
}

async fn database(config: &Config) -> Found {
    match store::schema(&config.database_url).await {
        Ok(Schema::Newest) => Ok("it is there, with the newest schema".into()),
        Ok(Schema::Behind(steps)) => Err(format!(
            "its schema is {steps} steps behind: run tidings migrate, or start the server"
        )),
        Ok(Schema::Ahead) => Err("a newer Tidings migrated it: run that one".into()),
        Err(error) => Err(format!(
            "{}: look at DATABASE_URL, and at the database",
            shown(&error)
        )),
    }
}

async fn set_aside(config: &Config) -> Found {
    let count = async {
        let url = &config.database_url;
        let store = store::open(url, Ambient::default(), Arc::new(Nobody)).await?;
        let depth = store.depth().await;
        let letters = store.count_letters().await;
        let mails = store.mail_depth().await;
        let pushes = store.push_depth().await;
        store.close().await;
        let rows: i64 = depth?.iter().map(|depth| depth.dead).sum();
        Ok::<_, crate::error::Error>((rows, letters?, mails?.aside, pushes?.aside))
    };
    match count.await {
        Ok((0, 0, 0, 0)) => Ok("nothing".into()),
        Ok((rows, letters, mails, pushes)) => Err(format!(
            "{rows} rows that could not be published, {letters} dead letters, {mails} mails, \
             {pushes} pushes: see tidings outbox list, tidings dead-letters list, tidings mails \
             list and tidings pushes list"
        )),
        Err(error) => Err(shown(&error)),
    }
}

async fn mail(config: &Config) -> Found {
    let Some(smtp) = &config.smtp else {
        return Ok("without SMTP_URL it is a line in the log".into());
    };
    match smtp.answers().await {
        Ok(()) => Ok("its server lets us in".into()),
        Err(words) => Err(format!(
            "{}: look at SMTP_URL, and at that server",
            shown(&words)
        )),
    }
}

/// Only the server itself knows of topics that pause.
async fn server(config: &Config) -> Found {
    let addr = config.site_addr;
    let Ok((status, body)) = ask::get(addr, "/readyz").await else {
        return Ok(format!("none runs at {addr}"));
    };
    if status != 200 {
        return Err(format!("the one at {addr} is not ready: look at its log"));
    }
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let told = &told["dapr"];
    let mut faults = Vec::new();
    if let Some(roles) = told["other_roles"].as_str() {
        faults.push(format!(
            "other processes of this app id run other ROLES ({}): give each set an app id of its own",
            shown(&roles)
        ));
    }
    for (of, words) in [
        ("failing", "topics take nothing for now: look at the broker"),
        (
            "paused",
            "topics pause, since they are refused: look at their component and its scopes",
        ),
    ] {
        if let Some(topics) = told[of].as_object().filter(|topics| !topics.is_empty()) {
            let topics = topics.iter();
            let topics = topics.map(|(topic, why)| format!("{topic} ({})", shown(why)));
            faults.push(format!("{words}: {}", Vec::from_iter(topics).join(", ")));
        }
    }
    match faults.is_empty() {
        true => Ok(format!("the one at {addr} is ready")),
        false => Err(faults.join("; ")),
    }
}

/// What the sidecar says of itself.
async fn sidecar(config: &Config) -> Result<Metadata, String> {
    let client = Client::new(&config.dapr)?;
    let start = |error: dapr::Error| {
        let error = shown(&error);
        format!("{error}: start it, and look at DAPR_HOST, DAPR_HTTP_PORT and DAPR_API_TOKEN")
    };
    client.outbound_health().await.map_err(start)?;
    client.metadata().await.map_err(start)
}

/// What is behind the sidecar.
fn behind(config: &Config, metadata: &Metadata, report: &mut Report<'_>) -> Result<(), Error> {
    let subscriptions = subscriptions(&config.roles.topics(), &config.dapr);
    let subscriptions = subscriptions.iter().map(Subscription::told);
    let wanted = Wanted::new(&config.dapr, subscriptions.collect());
    let missing = wanted.components_missing(metadata);
    let found = match missing.is_empty() {
        true => Ok("the sidecar has what is published to".into()),
        false => Err(format!(
            "the sidecar has no {}: look at its resources, their scopes, and DAPR_*_NAME",
            missing.join(", ")
        )),
    };
    report.tell("components", found)?;
    let missing = wanted.subscriptions_missing(metadata);
    let found = match missing.is_empty() {
        true => Ok("the sidecar has those of ROLES".into()),
        false => Err(format!(
            "the sidecar has no {}: it asks the server once, when both run; restart it",
            missing.join(", ")
        )),
    };
    report.tell("subscriptions", found)
}

/// Words of others, in one line.
fn shown(words: &impl ToString) -> String {
    line(&words.to_string())
}

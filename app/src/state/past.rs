//! What happened: a task's history and the person's log, fetched and kept up to date.

use crate::prelude::*;
use leptos::task::spawn_local;
use tidings_domain::{error::Fault, id::TaskId};

use super::{
    Client,
    fetch::{Fetch, Fetching},
};
use crate::{
    api::tasks::{Activity, HistoryItem},
    browser::{http, timer::Timer},
    json::{Json, ToJson},
};

/// Versions in one answer.
const VERSIONS: usize = 100;
/// Lines of the log in one answer.
const LINES: usize = 50;
/// News are waited for this long, in milliseconds, so that several are fetched as one.
const GATHER_MS: i64 = 250;

/// A task's history, as a panel shows it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct History {
    /// Oldest first.
    pub items: Signal<Vec<HistoryItem>>,
    /// Where the fetch stands.
    pub fetch: Signal<Fetch>,
}

/// The person's log, as its page shows it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Log {
    /// Newest first.
    pub items: Signal<Vec<Activity>>,
    /// Whether there is more to fetch.
    pub more: Signal<bool>,
    /// Where the fetch stands.
    pub fetch: Signal<Fetch>,
    lines: RwSignal<Vec<Activity>>,
    ended: RwSignal<bool>,
    fetching: Fetching,
}

impl Client {
    /// A task's history, from what the page came with or fetched, and kept up to date for as long
    /// as its caller's owner lives.
    pub fn history(self, id: TaskId, start: Option<Vec<HistoryItem>>) -> History {
        let items = RwSignal::new(start.unwrap_or_default());
        let fetching = Fetching::new();
        // The version that the server has: what is pending has no history yet.
        let version = Memo::new(move |_| {
            self.revision.track();
            self.cursor.track();
            self.core
                .with_value(|core| core.replica.settled(id).map(|t| t.version))
        });
        Effect::new(move || {
            let last = items.with_untracked(|i| i.last().map_or(0, |i| i.version));
            if version.get().is_none_or(|version| version > last) {
                fetching.start();
                spawn_local(fetch_history(id, items, fetching));
            }
        });
        History {
            items: items.into(),
            fetch: fetching.state(),
        }
    }

    /// The person's log, from what the page came with or fetched, and kept up to date for as long
    /// as its caller's owner lives.
    pub fn log(self, start: Option<Vec<Activity>>) -> Log {
        let fresh = start.is_none();
        let start = start.unwrap_or_default();
        let ended = RwSignal::new(start.len() < LINES);
        let lines = RwSignal::new(start);
        let fetching = Fetching::new();
        let log = Log {
            items: lines.into(),
            more: Memo::new(move |_| !ended.get()),
            fetch: fetching.state(),
            lines,
            ended,
            fetching,
        };
        // The timer of earlier news ends with the run that replaces it.
        let (mut seen, mut waiting) = (None, None::<Timer>);
        Effect::new(move || {
            let cursor = self.cursor.get();
            match seen {
                None if fresh => {
                    fetching.start();
                    spawn_local(fetch_log(log, None));
                }
                Some(seen) if seen < cursor => {
                    let again = move || spawn_local(fetch_log(log, None));
                    drop(waiting.replace(Timer::after(GATHER_MS, again)));
                }
                _ => {}
            }
            seen = Some(cursor);
        });
        log
    }

    /// Fetches the next part of the log.
    pub fn log_more(self, log: Log) {
        if let Some(last) = log.lines.with_untracked(|l| l.last().map(|l| l.item.seq)) {
            log.fetching.start();
            spawn_local(fetch_log(log, Some(last)));
        }
    }
}

async fn fetch_history(id: TaskId, items: RwSignal<Vec<HistoryItem>>, fetching: Fetching) {
    loop {
        let Some(after) = items.try_with_untracked(|i| i.last().map_or(0, |i| i.version)) else {
            return;
        };
        let args = Json::object(&[("id", id.write()), ("after", after.write())]);
        let news: Result<Vec<HistoryItem>, Fault> = http::call("history", args).await;
        match news {
            Err(fault) => return fetching.failed(fault),
            Ok(news) => {
                let whole = news.len() < VERSIONS;
                items.update(|items| {
                    let last = items.last().map_or(0, |i| i.version);
                    items.extend(news.into_iter().filter(|n| n.version > last));
                });
                if whole {
                    return fetching.done();
                }
            }
        }
    }
}

/// Fetches the newest lines, or those before a seq, and joins them to what is there.
async fn fetch_log(log: Log, before: Option<i64>) {
    let args = Json::object(&[("before", before.write())]);
    let part: Result<Vec<Activity>, Fault> = http::call("activity", args).await;
    match part {
        Err(fault) => log.fetching.failed(fault),
        Ok(part) => {
            log.fetching.done();
            let short = part.len() < LINES;
            let first = log
                .lines
                .try_with_untracked(|l| l.first().map(|l| l.item.seq))
                .flatten();
            let joins = before.is_some()
                || part
                    .last()
                    .is_none_or(|l| first.is_some_and(|f| l.item.seq <= f + 1));
            log.lines.update(|lines| {
                if !joins {
                    // More is new than one answer holds: from here on down it is fetched again.
                    lines.clear();
                }
                let (newest, oldest) = (
                    lines.first().map(|l| l.item.seq),
                    lines.last().map(|l| l.item.seq),
                );
                let mut part = part;
                if before.is_some() {
                    part.retain(|l| oldest.is_none_or(|o| l.item.seq < o));
                    lines.extend(part);
                } else {
                    part.retain(|l| newest.is_none_or(|n| l.item.seq > n));
                    lines.splice(0..0, part);
                }
            });
            if before.is_some() || !joins || first.is_none() {
                log.ended.set(short);
            }
        }
    }
}

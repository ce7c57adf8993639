//! The relay: publishes the outbox. It claims rows, hands them to the transport, and only then has
//! them removed, so that a crash at any point redelivers and never loses.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use tidings_domain::{event::Topic, id::UserId, time::Timestamp};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::transport::{Published, Transport};
use crate::{
    clock::Clock,
    error::Result,
    queue::backoff,
    store::{CLAIM_BYTES, Outbox, OutboxRow, Settled},
    telemetry::{TraceContext, field},
};

/// How long a claimed pair of person and topic is ours, in milliseconds.
const LEASE_MS: i64 = 30_000;
/// Nothing more is published once this little of the lease is left, in milliseconds: the rest is
/// claimed anew. It is as long as a transport may take for a call with all its tries, and some.
const LEASE_MARGIN_MS: i64 = 20_000;
/// Rows claimed at once.
const BATCH: usize = 1_000;
/// The relay looks by itself after this long, should a wake-up be lost.
const FALLBACK: Duration = Duration::from_secs(1);
/// Under load, rows are gathered this long from one claim to the next: each claim costs the writer a
/// transaction. The first commit after a pause is published at once.
const GATHER: Duration = Duration::from_millis(100);
/// So long for each row of the last claim: where few come, there is nothing to spare, and somebody
/// waits to see them.
const GATHER_EACH: Duration = Duration::from_micros(500);
/// From so many rows on it is load, and whoever commits comes first: as long as they do, the relay
/// rests so many times as long as it worked, and no longer than this.
const LOADED: usize = 200;
const RESTS: u32 = 3;
const REST_MAX: Duration = Duration::from_secs(1);
/// Unless rows have waited longer than this, in milliseconds: after an outage there is much to do, and
/// a load that lasts must not put publishing off for as long.
const LATE_MS: i64 = 5_000;
/// A claim that takes longer walks past what is not ours; that is not done at every commit, either.
const SLOW: Duration = Duration::from_millis(5);
/// How long the relay may go on after it was told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// The first back-off and the longest, in milliseconds.
const BACKOFF_MS: (i64, i64) = (500, 60_000);
/// A row that failed this often while its topic took others is set aside.
const STRIKES: u32 = 10;
/// Rows whose failures are counted. Beyond it counts start anew, which only delays setting aside.
const COUNTED: usize = 10_000;

/// Publishes the outbox until it is told to stop.
pub struct Relay {
    outbox: Arc<dyn Outbox>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    /// Told of every commit.
    wake: Arc<Notify>,
    /// Whom our leases belong to.
    holder: Uuid,
    /// Whether leases may be ours that nothing waits under.
    holding: bool,
    /// How often a topic took something.
    taken: HashMap<Topic, u64>,
    /// Rows that failed.
    strikes: HashMap<i64, Strike>,
    /// Topics whose failures were told of.
    failing: HashSet<Topic>,
}

/// The failures of a row.
struct Strike {
    /// How many count.
    count: u32,
    /// What `taken` of its topic was at the last that counted.
    seen: u64,
}

/// What a turn leaves to do.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    /// More is waiting.
    again: bool,
    /// When the first of the rows that failed is due.
    retry_at: Option<Timestamp>,
    /// How long rows are gathered before the next.
    gather: Duration,
}

impl Relay {
    /// A relay that is woken by `wake`. Leases belong to `holder`: two relays at work on one
    /// database must differ in it, and one that comes back after a crash under the same holder
    /// goes on at once instead of waiting for its own leases to end.
    pub fn new(
        outbox: Arc<dyn Outbox>,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        wake: Arc<Notify>,
        holder: Uuid,
    ) -> Self {
        Self {
            outbox,
            transport,
            clock,
            wake,
            holder,
            holding: true,
            taken: HashMap::new(),
            strikes: HashMap::new(),
            failing: HashSet::new(),
        }
    }

    /// Publishes until `stop`, then what is still waiting for at most 5 s, and lets its leases go.
    pub async fn run(mut self, stop: CancellationToken) {
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = self.serve(&stop) => {}
            () = late => tracing::warn!("the outbox was not drained in time; it goes on at the next start"),
        }
        if let Err(error) = self.outbox.release(self.holder).await {
            tracing::warn!(%error, "leases of the outbox were not released; they end by themselves");
        }
    }

    async fn serve(&mut self, stop: &CancellationToken) {
        let mut failures = 0;
        loop {
            let started = Instant::now();
            let turn = match self.transport.is_open() {
                true => self.turn().await,
                false => Ok(Turn {
                    again: false,
                    retry_at: None,
                    gather: GATHER,
                }),
            };
            let gather = turn.as_ref().map_or(GATHER, |turn| turn.gather);
            let wait = match turn {
                Ok(turn) if turn.again => {
                    let committed = self.wake.notified().now_or_never().is_some();
                    if committed {
                        rest(started + gather, stop).await;
                    }
                    continue;
                }
                Ok(turn) => {
                    failures = 0;
                    let due = turn.retry_at.map(|at| at.0 - self.clock.now().0);
                    due.map_or(FALLBACK, |ms| millis(ms).min(FALLBACK))
                }
                Err(error) => {
                    tracing::warn!(%error, "the outbox is out of reach");
                    failures += 1;
                    millis(backoff(BACKOFF_MS, failures))
                }
            };
            if stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => continue,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
            rest(started + gather, stop).await;
        }
    }

    /// Claims, publishes and settles once.
    async fn turn(&mut self) -> Result<Turn> {
        let started = Instant::now();
        let now = self.clock.now();
        let until = now.plus_ms(LEASE_MS);
        let rows = self.outbox.claim(self.holder, now, until, BATCH).await?;
        let looked = Some(started.elapsed()).filter(|looked| *looked > SLOW);
        let looked = looked.map_or(Duration::ZERO, |looked| rested(looked).min(GATHER));
        if rows.is_empty() {
            if std::mem::take(&mut self.holding) {
                self.outbox.release(self.holder).await?;
            }
            return Ok(Turn {
                again: false,
                retry_at: None,
                gather: looked,
            });
        }
        self.holding = true;
        let count = rows.len();
        // The next one did not fit in, if there is one.
        let bytes: usize = rows.iter().map(|row| row.json.len()).sum();
        let full = count >= BATCH || bytes >= CLAIM_BYTES / 2;
        let oldest = rows.iter().map(|row| row.timestamp).min();
        let is_late = oldest.is_some_and(|at| now.0 - at.0 > LATE_MS);
        let mut topics: BTreeMap<Topic, Vec<OutboxRow>> = BTreeMap::new();
        for row in rows {
            topics.entry(row.topic).or_default().push(row);
        }
        let stop_at = until.plus_ms(-LEASE_MARGIN_MS);
        let published = join_all(
            topics
                .into_iter()
                .map(|(topic, rows)| self.publish(topic, rows, stop_at)),
        )
        .await;
        let mut settled = Vec::new();
        let mut again = full;
        for (topic, outcome) in published {
            again |= outcome.left;
            self.judge(topic, outcome.rows, &mut settled);
        }
        let retry_at = settled.iter().filter_map(|s| match s {
            Settled::Retry { at, .. } => Some(*at),
            _ => None,
        });
        let retry_at = retry_at.min();
        self.outbox.settle(&settled).await?;
        let gather = match count >= LOADED {
            true if is_late => GATHER,
            true => rested(started.elapsed()).max(GATHER),
            false => looked.max(GATHER_EACH * u32::try_from(count).unwrap_or(u32::MAX)),
        };
        Ok(Turn {
            again,
            retry_at,
            gather,
        })
    }

    /// Publishes rows of a topic, holding back those of a person behind one that failed.
    async fn publish(
        &self,
        topic: Topic,
        rows: Vec<OutboxRow>,
        stop_at: Timestamp,
    ) -> (Topic, Outcome) {
        let mut outcome = Outcome::default();
        let mut blocked: HashSet<Option<UserId>> = HashSet::new();
        let mut waiting = rows;
        while !waiting.is_empty() {
            if self.clock.now() >= stop_at {
                outcome.left = true;
                break;
            }
            let round = if self.transport.keeps_order() {
                std::mem::take(&mut waiting)
            } else {
                let mut seen = HashSet::new();
                waiting
                    .extract_if(.., |row| seen.insert(row.user_id))
                    .collect()
            };
            let answers = self.transport.publish(topic, &round).await;
            let missing = || Published::Passing("no answer".into());
            let answers = answers.into_iter().chain(std::iter::repeat_with(missing));
            for (row, answer) in round.into_iter().zip(answers) {
                if blocked.contains(&row.user_id) {
                    continue;
                }
                if !matches!(answer, Published::Taken | Published::Unfit(_)) {
                    blocked.insert(row.user_id);
                }
                if answer == Published::Untried {
                    outcome.left = true;
                    continue;
                }
                outcome.rows.push((row, answer));
            }
            waiting.retain(|row| !blocked.contains(&row.user_id));
        }
        (topic, outcome)
    }

    /// Turns what became of rows of a topic into what the outbox is to write down.
    fn judge(
        &mut self,
        topic: Topic,
        rows: Vec<(OutboxRow, Published)>,
        settled: &mut Vec<Settled>,
    ) {
        if rows.iter().any(|(_, p)| *p == Published::Taken) {
            *self.taken.entry(topic).or_default() += 1;
        }
        let mut failed = false;
        for (row, published) in rows {
            let id = row.id;
            settled.push(match published {
                Published::Taken => {
                    self.strikes.remove(&id);
                    Settled::Done(id)
                }
                Published::Unfit(error) => self.bury(&row, error),
                Published::Untried => continue,
                Published::Passing(error) | Published::Refused(error) => {
                    if self.strike(topic, id) >= STRIKES {
                        self.bury(&row, error)
                    } else {
                        failed = true;
                        // One line a topic: an outage concerns every row.
                        if self.failing.insert(topic) {
                            tracing::warn!(topic = topic.as_str(), event_id = %row.event_id, user_id = field(row.user_id), attempts = row.attempts, error, "events were not published and will be tried again");
                        }
                        let at = self.clock.now().plus_ms(backoff(BACKOFF_MS, row.attempts));
                        Settled::Retry { id, at, error }
                    }
                }
            });
        }
        if !failed && self.failing.remove(&topic) {
            tracing::info!(topic = topic.as_str(), "events are published again");
        }
    }

    fn bury(&mut self, row: &OutboxRow, error: String) -> Settled {
        self.strikes.remove(&row.id);
        let trace = TraceContext::of_event(&row.json);
        tracing::error!(
            topic = row.topic.as_str(),
            event_id = %row.event_id,
            user_id = field(row.user_id),
            trace_id = field(trace.map(TraceContext::trace_id)),
            error,
            "an event was set aside"
        );
        Settled::Dead { id: row.id, error }
    }

    /// Counts a failure, if its topic took something since the last one. Where nothing gets
    /// through, the fault is not the row's.
    fn strike(&mut self, topic: Topic, id: i64) -> u32 {
        if self.strikes.len() >= COUNTED {
            self.strikes.clear();
        }
        let taken = self.taken.get(&topic).copied().unwrap_or(0);
        let strike = self
            .strikes
            .entry(id)
            .or_insert(Strike { count: 0, seen: 0 });
        if taken > strike.seen {
            strike.seen = taken;
            strike.count += 1;
        }
        strike.count
    }
}

/// From the begin of work that took so long to the end of the rest after it.
fn rested(worked: Duration) -> Duration {
    worked + REST_MAX.min(worked * RESTS)
}

async fn rest(until: Instant, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep_until(until) => {}
    }
}

/// What came of publishing rows of one topic.
#[derive(Default)]
struct Outcome {
    /// Those that were tried.
    rows: Vec<(OutboxRow, Published)>,
    /// Whether others were not, for want of time.
    left: bool,
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests;

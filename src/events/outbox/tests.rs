use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use async_trait::async_trait;
use proptest::prelude::*;
use tidings_domain::id::EventId;

use super::*;
use crate::store::OutboxDepth;

/// A clock that stands until it is set.
#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

type Pair = (Option<UserId>, Topic);

/// The outbox as its trait describes it, in memory.
#[derive(Default)]
struct Rows {
    rows: Mutex<Vec<(OutboxRow, Option<Timestamp>, bool)>>,
    leases: Mutex<HashMap<Pair, (Uuid, Timestamp)>>,
    /// Settling fails this often.
    unsettled: AtomicI64,
}

impl Rows {
    fn push(&self, id: i64, user: u128, topic: Topic) {
        let row = OutboxRow {
            id,
            topic,
            user_id: Some(UserId(Uuid::from_u128(user))),
            event_id: EventId(Uuid::from_u128(id as u128)),
            event_type: "task.created".into(),
            subject: String::new(),
            timestamp: Timestamp(0),
            json: "{}".into(),
            attempts: 0,
        };
        self.rows.lock().unwrap().push((row, None, false));
    }

    fn pending(&self) -> Vec<i64> {
        let rows = self.rows.lock().unwrap();
        rows.iter().filter(|r| !r.2).map(|r| r.0.id).collect()
    }

    fn dead(&self) -> Vec<i64> {
        let rows = self.rows.lock().unwrap();
        rows.iter().filter(|r| r.2).map(|r| r.0.id).collect()
    }
}

#[async_trait]
impl Outbox for Rows {
    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>> {
        let mut leases = self.leases.lock().unwrap();
        let mut blocked = HashSet::new();
        let mut claimed = Vec::new();
        for (row, due, dead) in self.rows.lock().unwrap().iter() {
            let pair = (row.user_id, row.topic);
            let leased = leases.get(&pair);
            if *dead || blocked.contains(&pair) {
                continue;
            }
            if due.is_some_and(|at| at > now)
                || leased.is_some_and(|(other, end)| *other != holder && *end > now)
            {
                blocked.insert(pair);
                continue;
            }
            leases.insert(pair, (holder, until));
            claimed.push(row.clone());
            if claimed.len() == limit {
                break;
            }
        }
        Ok(claimed)
    }

    async fn settle(&self, settled: &[Settled]) -> Result<()> {
        if self.unsettled.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Err(crate::error::Error::Unavailable("no".into()));
        }
        let mut rows = self.rows.lock().unwrap();
        for one in settled {
            match one {
                Settled::Done(id) => rows.retain(|r| r.0.id != *id),
                Settled::Retry { id, at, .. } => {
                    for row in rows.iter_mut().filter(|r| r.0.id == *id) {
                        row.0.attempts += 1;
                        row.1 = Some(*at);
                    }
                }
                Settled::Dead { id, .. } => {
                    for row in rows.iter_mut().filter(|r| r.0.id == *id) {
                        row.2 = true;
                    }
                }
            }
        }
        Ok(())
    }

    async fn release(&self, holder: Uuid) -> Result<()> {
        self.leases.lock().unwrap().retain(|_, l| l.0 != holder);
        Ok(())
    }

    async fn depth(&self) -> Result<Vec<OutboxDepth>> {
        Ok(Vec::new())
    }
}

/// A transport that does what it is told, and remembers what it took.
struct Wire {
    ordered: bool,
    closed: AtomicBool,
    /// Answers to come; when they run out everything is taken.
    script: Mutex<Vec<Published>>,
    /// Rows that never get through.
    stuck: HashSet<i64>,
    taken: Mutex<Vec<(Option<UserId>, Topic, i64)>>,
    /// How long each call takes.
    takes: Duration,
}

impl Wire {
    fn new(ordered: bool) -> Self {
        Self {
            ordered,
            closed: AtomicBool::new(false),
            script: Mutex::default(),
            stuck: HashSet::new(),
            takes: Duration::ZERO,
            taken: Mutex::default(),
        }
    }

    fn ids(&self) -> Vec<i64> {
        self.taken.lock().unwrap().iter().map(|t| t.2).collect()
    }
}

#[async_trait]
impl Transport for Wire {
    fn keeps_order(&self) -> bool {
        self.ordered
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::SeqCst)
    }

    async fn publish(&self, topic: Topic, rows: &[OutboxRow]) -> Vec<Published> {
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        let mut people = HashSet::new();
        let mut blocked = HashSet::new();
        let mut published = Vec::new();
        for row in rows {
            let first = people.insert(row.user_id);
            assert!(self.ordered || first, "one row a person");
            let answer = if blocked.contains(&row.user_id) {
                Published::Passing("behind".into())
            } else if self.stuck.contains(&row.id) {
                Published::Passing("stuck".into())
            } else {
                self.script
                    .lock()
                    .unwrap()
                    .pop()
                    .unwrap_or(Published::Taken)
            };
            match answer {
                Published::Taken => self
                    .taken
                    .lock()
                    .unwrap()
                    .push((row.user_id, topic, row.id)),
                Published::Unfit(_) => {}
                _ => {
                    blocked.insert(row.user_id);
                }
            }
            published.push(answer);
        }
        published
    }
}

const HOLDER: Uuid = Uuid::from_u128(1);

struct Bench {
    rows: Arc<Rows>,
    wire: Arc<Wire>,
    clock: Arc<Hands>,
    relay: Relay,
}

impl Bench {
    fn new(wire: Wire) -> Self {
        let rows = Arc::new(Rows::default());
        let wire = Arc::new(wire);
        let clock = Arc::new(Hands::default());
        let relay = Relay::new(
            rows.clone(),
            wire.clone(),
            clock.clone(),
            Arc::new(Notify::new()),
            HOLDER,
        );
        Self {
            rows,
            wire,
            clock,
            relay,
        }
    }

    fn later(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

fn answers() -> impl Strategy<Value = Published> {
    prop_oneof![
        3 => Just(Published::Taken),
        2 => Just(Published::Passing("busy".into())),
        1 => Just(Published::Refused("no topic".into())),
        1 => Just(Published::Untried),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn order_holds_and_nothing_is_lost_through_any_failures(
        rows in prop::collection::vec((0u128..4, prop::bool::ANY), 1..60),
        script in prop::collection::vec(answers(), 0..60),
        ordered in prop::bool::ANY,
        unsettled in 0i64..4,
    ) {
        let mut wire = Wire::new(ordered);
        wire.script = Mutex::new(script);
        let mut bench = Bench::new(wire);
        for (i, (user, task)) in rows.iter().enumerate() {
            let topic = if *task { Topic::TaskEvents } else { Topic::TaskUpdates };
            bench.rows.push(i as i64, *user, topic);
        }
        bench.rows.unsettled.store(unsettled, Ordering::SeqCst);
        block_on(async {
            for _ in 0..200 {
                // Where settling fails, as in a crash, the rows come again.
                let _ = bench.relay.turn().await;
                bench.later(BACKOFF_MS.1);
            }
        });
        prop_assert!(bench.rows.pending().is_empty());
        let mut seen: HashMap<_, Vec<i64>> = HashMap::new();
        for (user, topic, id) in bench.wire.taken.lock().unwrap().iter() {
            let ids = seen.entry((*user, *topic)).or_default();
            // Redelivery begins anew at a row that was taken before; a first delivery never
            // overtakes an earlier row.
            if !ids.contains(id) {
                prop_assert!(ids.iter().all(|earlier| earlier < id));
                ids.push(*id);
            }
        }
        let delivered: usize = seen.values().map(Vec::len).sum();
        prop_assert_eq!(delivered + bench.rows.dead().len(), rows.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_row_holds_up_its_own_pair_and_no_other() {
    let mut wire = Wire::new(true);
    wire.stuck.insert(1);
    let mut bench = Bench::new(wire);
    bench.rows.push(1, 7, Topic::TaskEvents);
    bench.rows.push(2, 7, Topic::TaskEvents);
    bench.rows.push(3, 7, Topic::TaskUpdates);
    bench.rows.push(4, 8, Topic::TaskEvents);
    let turn = bench.relay.turn().await.unwrap();
    assert!(!turn.again);
    assert!(turn.retry_at.unwrap() > Timestamp(0));
    assert_eq!(bench.rows.pending(), [1, 2]);
    let mut taken = bench.wire.ids();
    taken.sort_unstable();
    assert_eq!(taken, [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_keeps_failing_is_set_aside_only_while_its_topic_takes_others() {
    let mut wire = Wire::new(true);
    wire.stuck.insert(0);
    let mut bench = Bench::new(wire);
    bench.rows.push(0, 7, Topic::TaskEvents);
    for _ in 0..50 {
        bench.relay.turn().await.unwrap();
        bench.later(BACKOFF_MS.1);
    }
    assert_eq!(
        bench.rows.pending(),
        [0],
        "nothing got through: not its fault"
    );
    for id in 1..=i64::from(STRIKES) {
        assert!(bench.rows.dead().is_empty());
        bench.rows.push(id, 8, Topic::TaskEvents);
        bench.relay.turn().await.unwrap();
        bench.later(BACKOFF_MS.1);
    }
    assert_eq!(bench.rows.dead(), [0]);
}

#[tokio::test(start_paused = true)]
async fn what_can_never_be_taken_is_set_aside_and_holds_up_nothing() {
    let wire = Wire::new(true);
    wire.script
        .lock()
        .unwrap()
        .push(Published::Unfit("413".into()));
    let mut bench = Bench::new(wire);
    bench.rows.push(1, 7, Topic::TaskEvents);
    bench.rows.push(2, 7, Topic::TaskEvents);
    bench.relay.turn().await.unwrap();
    assert_eq!(bench.rows.dead(), [1]);
    assert_eq!(bench.wire.ids(), [2]);
}

#[tokio::test(start_paused = true)]
async fn anothers_lease_is_respected_until_it_ends() {
    let mut bench = Bench::new(Wire::new(true));
    bench.rows.push(1, 7, Topic::TaskEvents);
    let other = Uuid::from_u128(2);
    let until = Timestamp(LEASE_MS);
    bench
        .rows
        .claim(other, Timestamp(0), until, 1)
        .await
        .unwrap();
    bench.relay.turn().await.unwrap();
    assert!(bench.wire.ids().is_empty());
    bench.later(LEASE_MS + 1);
    bench.relay.turn().await.unwrap();
    assert_eq!(bench.wire.ids(), [1]);
}

#[tokio::test(start_paused = true)]
async fn it_is_woken_looks_by_itself_drains_and_releases() {
    let bench = Bench::new(Wire::new(false));
    let (rows, wire, wake) = (bench.rows, bench.wire, bench.relay.wake.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.relay.run(stop.clone()));
    let until_taken = async |n: usize| {
        while wire.ids().len() < n {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let started = Instant::now();
    rows.push(1, 7, Topic::TaskEvents);
    wake.notify_one();
    until_taken(1).await;
    assert!(started.elapsed() <= GATHER * 2, "woken");
    rows.push(2, 7, Topic::TaskEvents);
    until_taken(2).await;
    assert!(started.elapsed() <= FALLBACK * 2, "by itself");
    for id in 3..20 {
        rows.push(id, 7, Topic::TaskEvents);
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(wire.ids().len(), 19, "drained");
    assert!(rows.leases.lock().unwrap().is_empty(), "released");
}

#[tokio::test(start_paused = true)]
async fn few_rows_are_not_kept_waiting_for_more() {
    let bench = Bench::new(Wire::new(false));
    let (rows, wire, wake) = (bench.rows, bench.wire, bench.relay.wake.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.relay.run(stop.clone()));
    let started = Instant::now();
    for id in 1..4 {
        rows.push(id, 7, Topic::TaskEvents);
        wake.notify_one();
        while wire.ids().len() < id as usize {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert!(started.elapsed() < GATHER, "{:?}", started.elapsed());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_many_rows_it_rests_unless_they_waited_long() {
    let takes = Duration::from_millis(100);
    let mut bench = Bench::new(Wire {
        takes,
        ..Wire::new(true)
    });
    let mut gathers = Vec::new();
    for (many, later) in [(LOADED, 0), (LOADED - 1, 0), (LOADED, LATE_MS + 1)] {
        for id in 0..many {
            bench.rows.push(id as i64, 7, Topic::TaskEvents);
        }
        bench.later(later);
        gathers.push(bench.relay.turn().await.unwrap().gather);
    }
    assert!(gathers[0] >= takes * (1 + RESTS), "{gathers:?}");
    assert!(gathers[1..].iter().all(|g| *g <= GATHER), "{gathers:?}");
}

#[test]
fn back_off_grows_to_its_cap_and_varies() {
    let (base, cap) = BACKOFF_MS;
    for attempts in 0..40 {
        let full = (base << attempts.min(16)).min(cap);
        assert!((full / 2..=full).contains(&backoff(BACKOFF_MS, attempts)));
    }
    assert!(
        (0..50)
            .map(|_| backoff(BACKOFF_MS, 30))
            .collect::<HashSet<_>>()
            .len()
            > 1
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_tried_stays_as_it_is() {
    let wire = Wire::new(true);
    wire.script.lock().unwrap().push(Published::Untried);
    let mut bench = Bench::new(wire);
    bench.rows.push(1, 7, Topic::TaskEvents);
    bench.rows.push(2, 7, Topic::TaskEvents);
    let turn = bench.relay.turn().await.unwrap();
    assert!(turn.again && turn.retry_at.is_none());
    assert_eq!(bench.rows.pending(), [1, 2], "and what is behind it waits");
    bench.relay.turn().await.unwrap();
    assert_eq!(bench.wire.ids(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_transport_is_not_called_until_it_opens() {
    let wire = Wire::new(true);
    wire.closed.store(true, Ordering::SeqCst);
    let bench = Bench::new(wire);
    let (rows, wire) = (bench.rows, bench.wire);
    rows.push(1, 7, Topic::TaskEvents);
    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.relay.run(stop.clone()));
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(wire.ids().is_empty() && rows.leases.lock().unwrap().is_empty());
    wire.closed.store(false, Ordering::SeqCst);
    tokio::time::sleep(FALLBACK * 2).await;
    assert_eq!(wire.ids(), [1], "at once: nothing counted as its failure");
    wire.closed.store(true, Ordering::SeqCst);
    rows.push(2, 7, Topic::TaskEvents);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(rows.pending(), [2]);
}

use std::sync::{Mutex, atomic::AtomicU32};

use proptest::prelude::*;
use serde_json::json;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    dapr::Fault,
    live::tabs::Tab,
    metrics::{Metrics, seconds},
};

/// A state store in memory. Every so many writes another is first, by chance.
#[derive(Default)]
struct Memory {
    values: Mutex<HashMap<String, (Value, u64, Instant)>>,
    etags: Mutex<u64>,
    is_broken: AtomicBool,
    reads: AtomicU32,
    writes: AtomicU32,
    /// The n-th write is too late; 0: none.
    late: AtomicU32,
    /// Of whom nothing can be written.
    barred: Option<UserId>,
}

impl Memory {
    fn fault(&self) -> Result<(), Error> {
        match self.is_broken.load(Ordering::SeqCst) {
            true => Err(gone()),
            false => Ok(()),
        }
    }

    /// Whether a write goes through, by what is there and what was read.
    fn fits(&self, key: &str, etag: Option<&str>) -> bool {
        let late = self.late.load(Ordering::SeqCst);
        let writes = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let values = self.values.lock().unwrap();
        let there = values
            .get(key)
            .filter(|(_, _, until)| *until > Instant::now());
        let there = there.map(|(_, etag, _)| etag.to_string());
        there.as_deref() == etag && !writes.is_multiple_of(late)
    }

    fn notes(&self, user: UserId) -> Option<Notes> {
        let values = self.values.lock().unwrap();
        let (value, _, until) = values.get(&key(&user))?;
        let value = (*until > Instant::now()).then(|| value.clone())?;
        serde_json::from_value(value).ok()
    }
}

#[async_trait]
impl Shelf for Memory {
    async fn read(&self, keys: &[String]) -> Result<Vec<Option<Item<Value>>>, Error> {
        self.fault()?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        assert!(keys.len() <= BULK);
        tokio::task::yield_now().await;
        let values = self.values.lock().unwrap();
        let read = |key: &String| {
            let (value, etag, until) = values.get(key)?;
            (*until > Instant::now()).then(|| Item {
                value: value.clone(),
                etag: etag.to_string(),
            })
        };
        Ok(keys.iter().map(read).collect())
    }

    async fn write(&self, key: &str, notes: &Notes, etag: Option<&str>) -> Result<bool, Error> {
        self.fault()?;
        tokio::task::yield_now().await;
        if self.barred.is_some_and(|user| key == super::key(&user)) {
            return Err(gone());
        }
        // Whoever fails is faster.
        tokio::task::yield_now().await;
        if !self.fits(key, etag) {
            return Ok(false);
        }
        let mut etags = self.etags.lock().unwrap();
        *etags += 1;
        let value = (json!(notes), *etags, Instant::now() + KEPT);
        self.values.lock().unwrap().insert(key.to_owned(), value);
        Ok(true)
    }

    async fn remove(&self, key: &str, etag: &str) -> Result<bool, Error> {
        self.fault()?;
        let fits = self.fits(key, Some(etag));
        if fits {
            self.values.lock().unwrap().remove(key);
        }
        Ok(fits)
    }
}

fn gone() -> Error {
    Error {
        call: "state",
        component: "memory".into(),
        fault: Fault::Unreachable("gone".into()),
    }
}

/// A clock that goes with the time of tests, and may go wrong by some.
struct Wall(Instant, i64);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.elapsed().as_millis() as i64 + self.1)
    }
}

/// A server: its tabs, and what counts those of others.
struct Replica {
    tabs: Arc<Tabs>,
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    open: Vec<(UserId, Tab)>,
}

impl Replica {
    fn new(memory: &Arc<Memory>, n: u128, start: Instant) -> Self {
        let (tabs, standing) = (Arc::new(Tabs::default()), Arc::new(Standing::default()));
        let metrics = Metrics::new(seconds());
        standing.found();
        let presence = Presence::new(
            tabs.clone(),
            memory.clone(),
            Uuid::from_u128(n),
            Arc::new(Wall(start, 5_000 * n as i64)),
            standing.clone(),
            metrics.clone(),
        );
        let stop = CancellationToken::new();
        Self {
            tabs,
            standing,
            metrics,
            task: tokio::spawn(presence.run(stop.clone())),
            stop,
            open: Vec::new(),
        }
    }

    fn open(&mut self, user: UserId) {
        self.open.push((user, self.tabs.open(user)));
    }

    fn close(&mut self, user: UserId) {
        if let Some(at) = self.open.iter().position(|(of, _)| *of == user) {
            self.open.swap_remove(at);
        }
    }

    /// What the tabs of a person say.
    fn says(&mut self, user: UserId) -> Vec<u32> {
        let tabs = self.open.iter_mut().filter(|(of, _)| *of == user);
        tabs.map(|(_, tab)| tab.count()).collect()
    }

    /// Gone without a word.
    fn crash(&mut self) {
        self.task.abort();
        self.open.clear();
    }

    fn faults(&self) -> bool {
        let text = self.metrics.text();
        !text.contains("tidings_presence_faults_total 0\n")
    }
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn replicas<const N: usize>(memory: &Arc<Memory>) -> [Replica; N] {
    let start = Instant::now();
    std::array::from_fn(|n| Replica::new(memory, n as u128, start))
}

#[tokio::test(start_paused = true)]
async fn tabs_are_counted_across_servers() {
    let memory = Arc::new(Memory::default());
    let [mut one, mut two] = replicas(&memory);
    let ann = user(1);
    one.open(ann);
    one.open(ann);
    two.open(ann);
    assert_eq!((one.says(ann), two.says(ann)), (vec![2, 2], vec![1]));
    sleep(LOOK * 2).await;
    assert_eq!((one.says(ann), two.says(ann)), (vec![3, 3], vec![3]));
    two.close(ann);
    sleep(LOOK * 2).await;
    assert_eq!(one.says(ann), [2, 2]);
    assert_eq!(memory.notes(ann).unwrap().len(), 1);
    one.open.clear();
    sleep(LOOK).await;
    assert_eq!(memory.notes(ann), None, "nothing is left behind");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_takes_its_notes_along_and_one_that_dies_is_forgotten() {
    let memory = Arc::new(Memory::default());
    let [mut one, mut two, mut three] = replicas(&memory);
    let ann = user(1);
    for replica in [&mut one, &mut two, &mut three] {
        replica.open(ann);
    }
    sleep(LOOK * 2).await;
    assert_eq!(one.says(ann), [3]);
    two.open.clear();
    two.stop.cancel();
    two.task.await.unwrap();
    assert_eq!(memory.notes(ann).unwrap().len(), 2);
    three.crash();
    sleep(LOOK * 2).await;
    assert_eq!(one.says(ann), [2]);
    // Its clock is ten seconds ahead.
    sleep(KEPT + Duration::from_secs(10)).await;
    assert_eq!(one.says(ann), [1]);
}

#[tokio::test(start_paused = true)]
async fn where_the_store_fails_each_counts_its_own_and_leaves_the_store_alone() {
    let memory = Arc::new(Memory::default());
    let [mut one, mut two] = replicas(&memory);
    let ann = user(1);
    one.open(ann);
    two.open(ann);
    sleep(LOOK * 2).await;
    assert_eq!(one.says(ann), [2]);
    assert!(!one.faults());
    memory.is_broken.store(true, Ordering::SeqCst);
    sleep(LOOK * 2).await;
    assert_eq!(one.says(ann), [1]);
    assert!(one.faults());
    sleep(WAIT_MAX * 10).await;
    memory.is_broken.store(false, Ordering::SeqCst);
    sleep(WAIT_MAX + LOOK).await;
    assert_eq!((one.says(ann), two.says(ann)), (vec![2], vec![2]));
    one.standing.lost("gone");
    sleep(LOOK * 2).await;
    assert_eq!((one.says(ann), two.says(ann)), (vec![1], vec![2]));
    one.standing.found();
    sleep(LOOK * 2).await;
    assert_eq!(one.says(ann), [2]);
}

#[tokio::test(start_paused = true)]
async fn what_was_noted_is_known_whoever_else_cannot_be() {
    let (ann, bob) = (user(1), user(2));
    let memory = Arc::new(Memory {
        barred: Some(ann),
        ..Memory::default()
    });
    let [mut one] = replicas(&memory);
    one.open(ann);
    one.open(bob);
    sleep(SETTLE * 2).await;
    assert!(one.faults());
    assert_eq!(memory.notes(bob).unwrap().len(), 1);
    one.open.clear();
    one.stop.cancel();
    one.task.await.unwrap();
    assert_eq!(memory.notes(bob), None, "nothing is left behind");
}

#[tokio::test(start_paused = true)]
async fn what_comes_and_goes_at_once_is_not_noted_and_what_stays_seldom() {
    let memory = Arc::new(Memory::default());
    let [mut one] = replicas(&memory);
    for n in 0..1_000 {
        one.open(user(n));
    }
    sleep(SETTLE * 2).await;
    let writes = || memory.writes.load(Ordering::SeqCst);
    assert_eq!(writes(), 1_000);
    one.close(user(7));
    one.open(user(7));
    sleep(LOOK).await;
    assert_eq!(writes(), 1_000, "loaded again");
    sleep(KEPT).await;
    assert!((2_000..=3_000).contains(&writes()), "renewed at half time");
    let reads = memory.reads.load(Ordering::SeqCst);
    let looks = (KEPT.as_secs() / LOOK.as_secs() + 3) as u32;
    assert!(
        reads <= looks * 10,
        "{reads} reads of a hundred people each"
    );
}

#[derive(Clone, Debug)]
enum Happens {
    Open(usize, u128),
    Close(usize, u128),
    Crash(usize),
    Pass(u64),
    /// The store loses everything.
    Lose,
    /// The store fails from now on, or does not.
    Fail(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0..3_usize, 0..3_u128).prop_map(|(at, who)| Happens::Open(at, who)),
        3 => (0..3_usize, 0..3_u128).prop_map(|(at, who)| Happens::Close(at, who)),
        1 => (0..3_usize).prop_map(Happens::Crash),
        3 => (0..5_000_u64).prop_map(Happens::Pass),
        1 => Just(Happens::Lose),
        1 => any::<bool>().prop_map(Happens::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happened_in_the_end_all_count_the_same(
        story in prop::collection::vec(happens(), 0..40),
        late in prop_oneof![Just(0), 2..5_u32],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let memory = Arc::new(Memory::default());
            memory.late.store(late, Ordering::SeqCst);
            let start = Instant::now();
            let mut replicas: [_; 3] = replicas(&memory);
            for event in story {
                match event {
                    Happens::Open(at, who) => replicas[at].open(user(who)),
                    Happens::Close(at, who) => replicas[at].close(user(who)),
                    Happens::Crash(at) => {
                        replicas[at].crash();
                        replicas[at] = Replica::new(&memory, at as u128, start);
                    }
                    Happens::Pass(ms) => sleep(Duration::from_millis(ms)).await,
                    Happens::Lose => memory.values.lock().unwrap().clear(),
                    Happens::Fail(fails) => memory.is_broken.store(fails, Ordering::SeqCst),
                }
            }
            memory.is_broken.store(false, Ordering::SeqCst);
            sleep(WAIT_MAX + KEPT + Duration::from_secs(30)).await;
            for who in (0..3).map(user) {
                let all = replicas.iter().map(|r| r.tabs.of(who)).sum::<u32>();
                for replica in &mut replicas {
                    let says = replica.says(who);
                    assert!(says.iter().all(|count| *count == all), "{says:?} of {all}");
                }
                let noted = memory.notes(who).unwrap_or_default();
                assert_eq!(noted.values().map(|note| note.tabs).sum::<u32>(), all);
            }
        });
    }
}

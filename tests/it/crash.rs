//! kill -9 loses nothing and doubles nothing. The real binary is killed at random points under load
//! and started again, and in the end the log, the tasks, the audit trail and what clients were
//! promised must tell the same story.

pub(crate) mod client;
pub(crate) mod server;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use self::{
    client::{Asked, Person, Tab},
    server::{Server, free_ports},
};
use crate::{live::tab::DEADLINE, postgres};

const ROUNDS: usize = 10;
const PEOPLE: usize = 4;
/// Tabs of each person that make changes at the same time.
const TABS: usize = 2;

pub(crate) async fn run(tabs: Vec<Tab>, stop: &Arc<Mutex<bool>>) -> JoinSet<Tab> {
    let mut working = JoinSet::new();
    for tab in tabs {
        working.spawn(tab.work(stop.clone()));
    }
    working
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_server_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("tidings.db").display());
    kill_and_compare(folder, &database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_server_on_postgres_loses_nothing_and_doubles_nothing() {
    let database = postgres::database().await;
    kill_and_compare(tempfile::tempdir().unwrap(), &database).await;
}

#[expect(clippy::print_stdout, reason = "a failing test tells what to repeat")]
async fn kill_and_compare(folder: TempDir, database: &str) {
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let [port, sidecar] = free_ports();
    let mut server = Server::start(folder.path(), database, port, sidecar).await;
    let mut people = Vec::new();
    let mut tabs = Vec::new();
    for n in 0..PEOPLE {
        let person = Arc::new(Person::sign_up(port, n).await);
        for _ in 0..TABS {
            tabs.push(Tab {
                person: person.clone(),
                rng: StdRng::seed_from_u64(rng.random()),
                tasks: Vec::new(),
                asked: Vec::new(),
            });
        }
        people.push(person);
    }

    let stop = Arc::new(Mutex::new(false));
    let mut in_doubt = 0;
    for _ in 0..ROUNDS {
        let working = run(tabs, &stop).await;
        // Not a wait for anything: the random point at which the server is killed.
        tokio::time::sleep(Duration::from_millis(rng.random_range(20..500))).await;
        server = server.killed_and_started_again().await;
        // A tab that asked nothing meanwhile noticed nothing.
        *stop.lock().unwrap() = true;
        tabs = working.join_all().await;
        *stop.lock().unwrap() = false;
        let last = tabs.iter().filter_map(|tab| tab.asked.last());
        in_doubt += last.filter(|asked| asked.answer.is_none()).count();
    }
    // What the last kill left unanswered is asked again; nothing new is.
    *stop.lock().unwrap() = true;
    tabs = run(tabs, &stop).await.join_all().await;

    assert!(in_doubt > 0, "no kill cut anything short");
    let asked: usize = tabs.iter().map(|tab| tab.asked.len()).sum();
    assert!(
        asked > ROUNDS * PEOPLE * TABS,
        "only {asked} changes were made"
    );
    println!("{asked} changes, {in_doubt} cut short by a kill");
    for person in &people {
        let mine = tabs.iter().filter(|tab| Arc::ptr_eq(&tab.person, person));
        let asked: Vec<_> = mine.flat_map(|tab| &tab.asked).cloned().collect();
        compare(person, &asked).await;
    }
    drop(server);
}

/// Holds a person's log, tasks and audit trail against what the person was promised.
pub(crate) async fn compare(person: &Person, asked: &[Asked]) {
    let log = person.walk("/api/events", "seq").await;
    for (event, seq) in log.iter().zip(1..) {
        assert_eq!(event["seq"], seq, "seqs rise by one");
    }
    let ids: HashSet<_> = log
        .iter()
        .map(|event| event["event_id"].to_string())
        .collect();
    assert_eq!(ids.len(), log.len(), "event ids are unique");

    let mut made: HashMap<&str, Vec<&Value>> = HashMap::new();
    for event in &log {
        let mutation = event["metadata"]["mutation_id"].as_str().unwrap();
        made.entry(mutation).or_default().push(event);
    }
    assert_eq!(
        made.len(),
        asked.len(),
        "nothing happened that nobody asked for"
    );
    for change in asked {
        let answer = change.answer.as_ref().expect("answered in the end");
        let events = made.get(&*change.key.to_string());
        let [event] = events.map_or(&[][..], Vec::as_slice) else {
            panic!("{change:?} made {events:?}");
        };
        assert_eq!(event["seq"], answer.seq);
        if change.method != Method::DELETE {
            assert_eq!(
                event["task_data"], answer.body,
                "what was answered is what was logged"
            );
        }
    }

    let mut fold = BTreeMap::new();
    for event in &log {
        let id = event["task_id"].as_str().unwrap().to_owned();
        fold.insert(id, event["task_data"].clone());
    }
    assert_eq!(
        fold,
        person.tasks().await,
        "folding the log gives the tasks"
    );

    audit_agrees(person, &log).await;

    for change in asked {
        let again = person.ask(change).await.unwrap();
        assert_eq!(Some(&again), change.answer.as_ref(), "{change:?}");
    }
    let head = person.get("/api/events?after=0&limit=1").await["head"].clone();
    assert_eq!(head, log.len(), "asking again did nothing");
}

/// Waits until the audit trail has each event of the log, and sees that it has each once.
async fn audit_agrees(person: &Person, log: &[Value]) {
    // What a sidecar held when it died is delivered again after 40 seconds.
    let deadline = Instant::now() + 4 * DEADLINE;
    let expected: HashSet<_> = log
        .iter()
        .map(|event| event["event_id"].to_string())
        .collect();
    loop {
        let trail = person.walk("/api/audit", "n").await;
        let of_tasks = trail.iter().filter(|row| !row["seq"].is_null());
        let recorded: Vec<_> = of_tasks.map(|row| row["event_id"].to_string()).collect();
        let once: HashSet<_> = recorded.iter().cloned().collect();
        assert_eq!(once.len(), recorded.len(), "an event was recorded twice");
        assert!(once.is_subset(&expected));
        if once == expected {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{} of {} events are in the audit trail",
            once.len(),
            expected.len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

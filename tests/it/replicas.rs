//! Several servers on one PostgreSQL, and a PostgreSQL that goes away under load.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::{
    crash::{
        client::{Person, Tab},
        compare, run,
        server::{Server, free_ports},
    },
    kit::{self, TestApp},
    live::tab::DEADLINE,
    postgres::{self, Cluster},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::database().await;
    let [port, sidecar] = free_ports();
    let [other, other_sidecar] = free_ports();
    let one = Server::start(folder.path(), &database, port, sidecar).await;
    let two = Server::start(folder.path(), &database, other, other_sidecar).await;
    let people = [
        Person::sign_up(port, 0).await,
        Person::sign_up(port, 1).await,
    ];
    let tabs = people.iter().flat_map(|person| {
        [port, other, port, other].map(|port| Tab {
            person: Arc::new(person.at(port)),
            rng: StdRng::seed_from_u64(rand::random()),
            tasks: Vec::new(),
            asked: Vec::new(),
        })
    });
    let tabs: Vec<_> = tabs.collect();
    // Of each person, in any order.
    let clients: Vec<Vec<_>> = tabs
        .chunks(4)
        .map(|tabs| tabs.iter().map(|t| t.person.clone()).collect())
        .collect();
    let stop = Arc::new(Mutex::new(false));
    let working = run(tabs, &stop).await;
    // Not a wait for anything: how long they work.
    sleep(Duration::from_secs(3)).await;
    *stop.lock().unwrap() = true;
    let tabs = working.join_all().await;
    let asked: usize = tabs.iter().map(|tab| tab.asked.len()).sum();
    println!("{asked} changes");
    for (person, clients) in people.iter().zip(clients) {
        let is = |tab: &&Tab| {
            clients
                .iter()
                .any(|client| Arc::ptr_eq(client, &tab.person))
        };
        let mine = tabs.iter().filter(is);
        let asked: Vec<_> = mine.flat_map(|tab| &tab.asked).cloned().collect();
        assert!(!asked.is_empty());
        // Each server tells the same story.
        compare(person, &asked).await;
        compare(&person.at(other), &asked).await;
    }
    drop((one, two));
}

/// Adds tasks one after the other until `stop`, each until it is there; how many, and how often that
/// could not be done at once.
async fn add_until(person: kit::Person, stop: Arc<Mutex<bool>>) -> (usize, usize) {
    let (mut added, mut refused) = (0, 0);
    while !*stop.lock().unwrap() {
        let key = Uuid::now_v7().to_string();
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", &*key),
        ];
        let body = json!({ "title": format!("Task {key}") }).to_string();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let asked = Instant::now();
            let answer = person.send("POST", "/api/tasks", &headers, body.clone());
            let answer = answer.await;
            if answer.code == 201 {
                break;
            }
            answer.refused(503, "unavailable", &[]);
            // The session is read (5 s to get a connection); the mutation is refused at once.
            assert!(asked.elapsed() < Duration::from_secs(8));
            assert!(Instant::now() < deadline, "it never came back");
            refused += 1;
            sleep(Duration::from_millis(20)).await;
        }
        added += 1;
    }
    (added, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_outlives_its_postgres() {
    let cluster = Cluster::start().await;
    let url = cluster.database().await;
    let app = TestApp::with(|config| config.database_url = url).await;
    let people = join_all(["Ada", "Bob", "Cy"].map(|name| app.person(name))).await;
    let nobody = app.nobody();
    let stop = Arc::new(Mutex::new(false));
    let adding = people.iter().flat_map(|person| [person, person]);
    let adding = adding.map(|person| tokio::spawn(add_until(person.clone(), stop.clone())));
    let adding: Vec<_> = adding.collect();
    for round in 0..4 {
        // Not a wait for anything: how long they work.
        sleep(Duration::from_millis(300)).await;
        if round % 2 == 0 {
            cluster.kill().await;
        } else {
            cluster.stop().await;
        }
        nobody.get("/healthz").await.status(200);
        let ready = timeout(Duration::from_secs(8), nobody.get("/readyz")).await;
        ready.unwrap().status(503);
        cluster.start_again().await;
        let deadline = Instant::now() + DEADLINE;
        while nobody.get("/readyz").await.code != 200 {
            assert!(Instant::now() < deadline);
            sleep(Duration::from_millis(10)).await;
        }
    }
    sleep(Duration::from_millis(300)).await;
    *stop.lock().unwrap() = true;
    let (mut added, mut refused) = (0, 0);
    for task in adding {
        let (more, again) = task.await.unwrap();
        added += more;
        refused += again;
    }
    println!("{added} tasks, {refused} refusals");
    assert!(refused > 0, "nobody was cut short");
    let mut there = 0;
    for person in &people {
        let feed = person.get("/api/events?after=0&limit=1").await.expect(200);
        let head = feed["head"].as_u64().unwrap() as usize;
        assert_eq!(titles(person).await.len(), head, "each task once");
        there += head;
    }
    assert_eq!(there, added, "what was promised is there, and nothing else");
    app.stop().await;
}

/// The titles of all of a person's tasks.
async fn titles(person: &kit::Person) -> HashSet<String> {
    let mut titles = HashSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/tasks?limit=200{cursor}");
        let page = person.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        titles.extend(items.iter().map(|task| task["title"].to_string()));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return titles,
        }
    }
}

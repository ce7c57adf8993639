//! kill -9 loses nothing and doubles nothing. The real binary is killed at random points under load
//! and started again, and in the end the log, the tasks, the audit trail and what clients were
//! promised must tell the same story.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

const ROUNDS: usize = 10;
const PEOPLE: usize = 4;
/// Tabs of each person that make changes at the same time.
const TABS: usize = 2;
/// Within this everything that is promised must have come about.
const DEADLINE: Duration = Duration::from_secs(30);

/// The binary, on ports and a database of its own.
struct Server {
    folder: PathBuf,
    port: u16,
    sidecar: u16,
    child: Child,
}

impl Server {
    async fn start(folder: &Path, port: u16, sidecar: u16) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("server.log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tidings"))
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .env("LEPTOS_SITE_ADDR", format!("127.0.0.1:{port}"))
            .env("SIDECAR_ADDR", format!("127.0.0.1:{sidecar}"))
            .env(
                "DATABASE_URL",
                format!("sqlite://{}", folder.join("tidings.db").display()),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            folder: folder.to_owned(),
            port,
            sidecar,
            child,
        };
        server.ready().await;
        server
    }

    async fn ready(&mut self) {
        let client = Client::new();
        let url = format!("http://127.0.0.1:{}/readyz", self.port);
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.join("server.log"));
                panic!(
                    "the server did not come up: {ended:?}\n{}",
                    log.unwrap_or_default()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn killed_and_started_again(mut self) -> Self {
        self.kill();
        let folder = self.folder.clone();
        Self::start(&folder, self.port, self.sidecar).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A change that a client asks for, and what it was promised.
#[derive(Clone, Debug)]
struct Asked {
    key: Uuid,
    method: Method,
    path: String,
    body: Option<Value>,
    answer: Option<Answer>,
}

/// An answer, as a client sees it.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: u16,
    seq: i64,
    body: Value,
}

/// A signed-in person.
struct Person {
    client: Client,
    base: String,
}

impl Person {
    async fn sign_up(port: u16, n: usize) -> Self {
        let client = Client::builder()
            .cookie_store(true)
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let person = Self {
            client,
            base: format!("http://127.0.0.1:{port}"),
        };
        let form = json!({
            "email": format!("person{n}@example.com"),
            "name": format!("Person {n}"),
            "password": "correct horse battery",
        });
        let url = format!("{}/api/auth/register", person.base);
        let answer = person.client.post(url).json(&form).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        person
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.base)).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Asks for a change. An error is a connection that broke: nobody knows what came of it.
    async fn ask(&self, asked: &Asked) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{}", self.base, asked.path);
        let mut request = self.client.request(asked.method.clone(), url);
        request = request.header("Idempotency-Key", asked.key.to_string());
        if let Some(body) = &asked.body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let seq = answer.headers().get("Tidings-Seq").cloned();
        let body = answer.text().await?;
        assert!((200..300).contains(&status), "{asked:?}: {status} {body}");
        let seq = seq.expect("Tidings-Seq").to_str().unwrap().parse().unwrap();
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        Ok(Answer { status, seq, body })
    }

    /// Everything of a list that is walked by `after`.
    async fn walk(&self, path: &str, rank: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = 0;
        loop {
            let page = self.get(&format!("{path}?after={after}&limit=200")).await;
            let page = page["items"].as_array().unwrap();
            let Some(last) = page.last() else {
                return items;
            };
            after = last[rank].as_i64().unwrap();
            items.extend(page.iter().cloned());
        }
    }

    /// Every task, in the trash or not, by id.
    async fn tasks(&self) -> BTreeMap<String, Value> {
        let mut tasks = BTreeMap::new();
        for view in ["all", "trash"] {
            let mut cursor = String::new();
            loop {
                let path = format!("/api/tasks?view={view}&limit=200{cursor}");
                let page = self.get(&path).await;
                for task in page["items"].as_array().unwrap() {
                    let id = task["id"].as_str().unwrap().to_owned();
                    assert!(tasks.insert(id, task.clone()).is_none(), "a task twice");
                }
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
        }
        tasks
    }
}

/// A tab: makes changes one after the other, each of which makes one event.
struct Tab {
    person: Arc<Person>,
    rng: StdRng,
    /// Its tasks: id, completed, in the trash.
    tasks: Vec<(Uuid, bool, bool)>,
    /// What it asked for so far, answered but for the last perhaps.
    asked: Vec<Asked>,
}

impl Tab {
    fn think(&mut self) -> Asked {
        let pick = self.rng.random_range(0..10);
        let (method, path, body) = match (pick, self.tasks.len()) {
            (0..3, _) | (_, 0) => {
                let id = Uuid::now_v7();
                self.tasks.push((id, false, false));
                let body = json!({ "id": id, "title": format!("Task {id}"), "tags": ["load"] });
                (Method::POST, "/api/tasks".to_owned(), Some(body))
            }
            (_, n) => {
                let n = self.rng.random_range(0..n);
                let (id, completed, trashed) = &mut self.tasks[n];
                let path = format!("/api/tasks/{id}");
                if *trashed {
                    *trashed = false;
                    (Method::POST, format!("{path}/restore"), None)
                } else if pick < 6 {
                    let body = json!({ "title": format!("Task {}", Uuid::now_v7()) });
                    (Method::PATCH, path, Some(body))
                } else if pick < 9 {
                    *completed = !*completed;
                    let body = json!({ "completed": *completed });
                    (Method::PATCH, format!("{path}/complete"), Some(body))
                } else {
                    *trashed = true;
                    (Method::DELETE, path, None)
                }
            }
        };
        Asked {
            key: Uuid::now_v7(),
            method,
            path,
            body,
            answer: None,
        }
    }

    /// Asks until the server is gone. What it left unanswered is asked again first; now and then
    /// something that was answered is too, as a client does whose answer was lost on the way.
    async fn work(mut self, stop: Arc<Mutex<bool>>) -> Self {
        loop {
            let waiting = self.asked.last().is_some_and(|a| a.answer.is_none());
            if !waiting {
                if *stop.lock().unwrap() {
                    return self;
                }
                let next = self.think();
                self.asked.push(next);
            }
            let last = self.asked.len() - 1;
            match self.person.ask(&self.asked[last]).await {
                Ok(answer) => self.asked[last].answer = Some(answer),
                Err(_) => return self,
            }
            if self.rng.random_bool(0.1) {
                let again = self.rng.random_range(0..self.asked.len());
                if let Ok(answer) = self.person.ask(&self.asked[again]).await {
                    assert_eq!(
                        Some(answer),
                        self.asked[again].answer,
                        "{:?}",
                        self.asked[again]
                    );
                }
            }
        }
    }
}

async fn run(tabs: Vec<Tab>, stop: &Arc<Mutex<bool>>) -> JoinSet<Tab> {
    let mut working = JoinSet::new();
    for tab in tabs {
        working.spawn(tab.work(stop.clone()));
    }
    working
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_server_loses_nothing_and_doubles_nothing() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let [port, sidecar] = free_ports();
    let mut server = Server::start(folder.path(), port, sidecar).await;
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
        tabs = working.join_all().await;
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
async fn compare(person: &Person, asked: &[Asked]) {
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
    let deadline = Instant::now() + DEADLINE;
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

fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

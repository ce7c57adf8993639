//! People at work while something breaks, and what must be true afterwards.

use std::{
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::time::timeout;

use super::{kit::Replica, watchers::Follower};
use crate::crash::{
    client::{Person, Tab},
    compare, run,
};

const PEOPLE: usize = 3;
/// Of each person, at each replica, that make changes at the same time.
const CLIENTS: usize = 2;

/// Several people, each of whom changes things at every replica, and looks on there.
pub(crate) struct Scene {
    people: Vec<Somebody>,
    tabs: Vec<Tab>,
    stop: Arc<Mutex<bool>>,
}

struct Somebody {
    id: String,
    person: Person,
    /// Whose changes are this person's.
    clients: Vec<Arc<Person>>,
    followers: Vec<Follower>,
}

impl Scene {
    /// People who sign up at the first replica.
    pub(crate) async fn open(replicas: &[&Replica]) -> Self {
        let looking_at: Vec<_> = replicas.iter().map(|replica| &*replica.base).collect();
        Self::looking_at(&looking_at, replicas).await
    }

    /// The same, but they look on elsewhere.
    pub(crate) async fn looking_at(bases: &[&str], replicas: &[&Replica]) -> Self {
        let mut scene = Self {
            people: Vec::new(),
            tabs: Vec::new(),
            stop: Arc::default(),
        };
        for n in 0..PEOPLE {
            let person = Person::sign_up(replicas[0].port(), n).await;
            let id = person.get("/api/me").await["id"].as_str().unwrap().into();
            let token = person.token().await;
            let mut followers = Vec::new();
            for base in bases {
                followers.push(Follower::start(base, &token).await);
            }
            let ports = replicas
                .iter()
                .flat_map(|replica| [replica.port(); CLIENTS]);
            let clients: Vec<_> = ports.map(|port| Arc::new(person.at(port))).collect();
            scene.tabs.extend(clients.iter().map(|client| Tab {
                person: client.clone(),
                rng: StdRng::seed_from_u64(rand::random()),
                tasks: Vec::new(),
                asked: Vec::new(),
            }));
            scene.people.push(Somebody {
                id,
                person,
                clients,
                followers,
            });
        }
        scene
    }

    /// Everybody works as long as this takes. Who finds the replica gone stops, and goes on with the
    /// next call.
    pub(crate) async fn work(&mut self, meanwhile: impl Future<Output = ()>) {
        *self.stop.lock().unwrap() = false;
        let working = run(mem::take(&mut self.tabs), &self.stop).await;
        meanwhile.await;
        *self.stop.lock().unwrap() = true;
        self.tabs = working.join_all().await;
    }

    /// Everybody works for so long.
    pub(crate) async fn work_for(&mut self, ms: u64) {
        self.work(tokio::time::sleep(Duration::from_millis(ms)))
            .await;
    }

    /// Everybody works until those who look on see it at once. A broadcast that begins with what comes
    /// reaches a replica only once its sidecar is there.
    pub(crate) async fn joined(&mut self) {
        let mut in_a_row = 0;
        for _ in 0..30 {
            self.work_for(50).await;
            let seen = timeout(Duration::from_secs(2), self.seen()).await;
            in_a_row = if seen.is_ok() { in_a_row + 1 } else { 0 };
            if in_a_row == 3 {
                return;
            }
        }
        panic!("the broadcast does not reach every replica");
    }

    /// Each person's id and log.
    pub(crate) async fn logs(&self) -> Vec<(String, Vec<Value>)> {
        let mut logs = Vec::new();
        for somebody in &self.people {
            let log = somebody.person.walk("/api/events", "seq").await;
            logs.push((somebody.id.clone(), log));
        }
        logs
    }

    /// The ids of what the audit trail has of each person.
    pub(crate) async fn trails(&self) -> Vec<(String, Vec<String>)> {
        let mut trails = Vec::new();
        for somebody in &self.people {
            let rows = somebody.person.walk("/api/audit", "n").await;
            let ids = rows.iter().map(|row| row["event_id"].as_str().unwrap());
            trails.push((somebody.id.clone(), ids.map(str::to_owned).collect()));
        }
        trails
    }

    /// Waits until everybody who looks on has seen each log.
    pub(crate) async fn seen(&self) {
        let logs = self.logs().await;
        for (somebody, (_, log)) in self.people.iter().zip(&logs) {
            for follower in &somebody.followers {
                follower.has(log).await;
            }
        }
    }

    /// Asks again what was left unanswered. Then logs, tasks, audit trail, what was promised and what
    /// was seen must tell the same story; the logs.
    pub(crate) async fn agrees(&mut self) -> Vec<(String, Vec<Value>)> {
        *self.stop.lock().unwrap() = true;
        let tabs = mem::take(&mut self.tabs);
        self.tabs = run(tabs, &self.stop).await.join_all().await;
        for somebody in &self.people {
            let clients = &somebody.clients;
            let is = |tab: &&Tab| clients.iter().any(|c| Arc::ptr_eq(c, &tab.person));
            let mine = self.tabs.iter().filter(is);
            let asked: Vec<_> = mine.flat_map(|tab| &tab.asked).cloned().collect();
            assert!(!asked.is_empty());
            compare(&somebody.person, &asked).await;
        }
        self.seen().await;
        self.logs().await
    }
}

//! Clients that remember what they asked for and what they were promised.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{Rng, rngs::StdRng};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

/// A change that a client asks for, and what it was promised.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) key: Uuid,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) answer: Option<Answer>,
}

/// An answer, as a client sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    status: u16,
    pub(crate) seq: i64,
    pub(crate) body: Value,
}

/// A signed-in person.
pub(crate) struct Person {
    client: Client,
    base: String,
}

impl Person {
    pub(crate) async fn sign_up(port: u16, n: usize) -> Self {
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

    /// The same person at another server, with the same cookies.
    pub(crate) fn at(&self, port: u16) -> Self {
        Self {
            client: self.client.clone(),
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// What a program shows to act for the person.
    pub(crate) async fn token(&self) -> String {
        let url = format!("{}/api/tokens", self.base);
        let form = json!({ "name": "Program" });
        let answer = self.client.post(url).json(&form).send().await.unwrap();
        let made: Value = answer.json().await.unwrap();
        format!("Bearer {}", made["token"].as_str().unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.base)).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Asks for a change. An error is a connection that broke: nobody knows what came of it.
    pub(crate) async fn ask(&self, asked: &Asked) -> Result<Answer, reqwest::Error> {
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
    pub(crate) async fn walk(&self, path: &str, rank: &str) -> Vec<Value> {
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
    pub(crate) async fn tasks(&self) -> BTreeMap<String, Value> {
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
pub(crate) struct Tab {
    pub(crate) person: Arc<Person>,
    pub(crate) rng: StdRng,
    /// Its tasks: id, completed, in the trash.
    pub(crate) tasks: Vec<(Uuid, bool, bool)>,
    /// What it asked for so far, answered but for the last perhaps.
    pub(crate) asked: Vec<Asked>,
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
    pub(crate) async fn work(mut self, stop: Arc<Mutex<bool>>) -> Self {
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

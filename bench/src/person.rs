//! People to measure with.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    Outcome,
    http::{Connection, header, post},
};

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    /// The session, as a Cookie header holds it.
    pub(crate) cookie: String,
}

impl Person {
    /// Makes `count` accounts.
    pub(crate) async fn several(address: SocketAddr, count: usize) -> Outcome<Vec<Self>> {
        let mut connection = Connection::open(address).await?;
        let mut people = Vec::with_capacity(count);
        for _ in 0..count {
            let email = format!("{}@example.org", uuid::Uuid::now_v7());
            let body = json!({ "email": email, "name": "Bench", "password": "a few plain words" });
            let request = post("/api/auth/register", "", &body.to_string());
            let answer = connection.send(&request).await?;
            let cookie = header(&answer.head, "set-cookie").and_then(|c| c.split(';').next());
            let cookie = cookie.ok_or("no session cookie")?.to_owned();
            people.push(Self { cookie });
        }
        Ok(people)
    }

    /// The request that creates a task; `completed` from the start or not.
    pub(crate) fn create(&self, completed: bool) -> Vec<u8> {
        let body = format!(
            "{{\"title\":\"Buy groceries and cook dinner\",\"priority\":\"high\",\
             \"tags\":[\"home\"],\"completed\":{completed}}}"
        );
        post("/api/tasks", &self.cookie, &body)
    }

    /// Creates `count` open tasks and answers with the id of the last.
    pub(crate) async fn fill(&self, address: SocketAddr, count: usize) -> Outcome<String> {
        let mut connection = Connection::open(address).await?;
        let mut last = String::new();
        for _ in 0..count {
            let answer = connection.send(&self.create(false)).await?;
            let task: Value = serde_json::from_slice(&answer.body)?;
            last = task
                .get("id")
                .and_then(Value::as_str)
                .ok_or("no id")?
                .to_owned();
        }
        Ok(last)
    }
}

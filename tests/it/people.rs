//! People: accounts, sessions, tokens, and how often anyone may try.

mod accounts;
mod limits;
mod reset;
mod sessions;
mod tokens;

use serde_json::{Value, json};

use crate::kit::{Answer, PASSWORD, Person, TestApp};

/// Tries to sign in.
async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let form = json!({ "email": email, "password": password });
    app.nobody().post("/api/auth/login", form).await
}

/// The same person in another browser.
async fn other_browser(app: &TestApp, person: &Person) -> Person {
    let email = format!("{}@example.com", person.name);
    let answer = sign_in(app, &email, PASSWORD).await;
    let cookie = answer.header("set-cookie");
    answer.status(200);
    let (cookie, _) = cookie.split_once(';').unwrap();
    person.known_by("cookie", cookie)
}

/// Whether somebody is still signed in.
async fn is_in(person: &Person) -> bool {
    let answer = person.get("/api/me").await;
    if answer.code == 200 {
        return true;
    }
    answer.refused(401, "unauthenticated", &[]);
    false
}

/// The secret that a person's requests carry.
fn secret(person: &Person) -> String {
    let (_, value) = person.credential.clone().unwrap();
    value.rsplit(['=', ' ']).next().unwrap().to_owned()
}

/// The data of events of a type, as they lie in the database.
async fn recorded(app: &TestApp, event_type: &str) -> Vec<Value> {
    let mut database = app.database().await;
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT json FROM events WHERE event_type = ?1 ORDER BY n")
            .bind(event_type)
            .fetch_all(&mut database)
            .await
            .unwrap();
    let read = |row: &String| serde_json::from_str(row).unwrap();
    rows.iter().map(read).collect()
}

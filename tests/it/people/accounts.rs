//! Signing up, one's profile, the password, the end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{is_in, other_browser, recorded, sign_in};
use crate::kit::{PASSWORD, TestApp};

fn form(email: &str, name: &str, password: &str) -> Value {
    json!({ "email": email, "name": name, "password": password })
}

#[tokio::test]
async fn somebody_signs_up() {
    let app = TestApp::new().await;
    let mut form = form(" Ada@Example.com ", " Ada ", PASSWORD);
    form["time_zone"] = "Europe/Berlin".into();
    let answer = app.nobody().post("/api/auth/register", form).await;
    let cookie = answer.header("set-cookie");
    for part in [
        "; HttpOnly",
        "; SameSite=Lax",
        "; Path=/",
        "; Max-Age=2592000",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    let (secret, _) = cookie
        .strip_prefix("auth_token=")
        .unwrap()
        .split_once(';')
        .unwrap();
    assert_eq!(secret.len(), 43);
    let user = answer.expect(201);
    let mut fields: Vec<_> = user.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["created_at", "email", "id", "name", "time_zone"]);
    assert_eq!(user["email"], "Ada@Example.com");
    assert_eq!(user["name"], "Ada");
    assert_eq!(user["time_zone"], "Europe/Berlin");
    let events = recorded(&app, "user.registered").await;
    assert_eq!(events[0]["user_id"], user["id"]);
    assert_eq!(events[0]["data"]["email"], user["email"]);
    assert_eq!(events[0]["seq"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_with_a_sign_up_is_named() {
    let app = TestApp::new().await;
    app.person("Ada").await;
    let nobody = app.nobody();
    let mut odd = form("nobody", "", "short");
    odd["time_zone"] = "Mars/Olympus".into();
    let mut unknown = form("bob@example.com", "Bob", PASSWORD);
    unknown["admin"] = true.into();
    let mut wrong_type = form("bob@example.com", "Bob", PASSWORD);
    wrong_type["name"] = 7.into();
    let table: [(Value, u16, &str, &[&str]); 7] = [
        (
            json!({}),
            422,
            "validation_failed",
            &["email", "name", "password"],
        ),
        (
            odd,
            422,
            "validation_failed",
            &["email", "name", "password", "time_zone"],
        ),
        (unknown, 422, "validation_failed", &["admin"]),
        (wrong_type, 422, "validation_failed", &["name"]),
        (
            form("b@example.com", "a\u{0}b", PASSWORD),
            422,
            "validation_failed",
            &["name"],
        ),
        (json!([1]), 422, "validation_failed", &[]),
        (
            form("ADA@example.COM", "Ada", PASSWORD),
            409,
            "email_taken",
            &[],
        ),
    ];
    for (body, status, code, fields) in table {
        let answer = nobody.post("/api/auth/register", body).await;
        assert_eq!(answer.header("set-cookie"), "");
        answer.refused(status, code, fields);
    }
}

#[tokio::test]
async fn signing_in_fails_alike_for_known_and_unknown_emails() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let known = sign_in(&app, "ada@example.com", "not her password").await;
    let unknown = sign_in(&app, "eve@example.com", "not her password").await;
    assert_eq!(known.text, unknown.text);
    assert_eq!(known.header("set-cookie"), "");
    known.refused(401, "invalid_credentials", &[]);
    unknown.refused(401, "invalid_credentials", &[]);
    let me = ada.get("/api/me").await.expect(200);
    let events = recorded(&app, "audit.user.login_failed").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["user_id"], me["id"]);
    assert_eq!(events[1]["user_id"], Value::Null);
    assert_eq!(events[1]["data"]["ip"], "127.0.0.1");
    // Neither is on anybody's feed.
    let feed = ada.get("/api/events").await.expect(200);
    assert_eq!(feed["head"], 0);
}

#[tokio::test]
async fn a_profile_is_changed_field_by_field() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let before = ada.get("/api/me").await.expect(200);
    let after = ada
        .patch("/api/me", json!({ "name": " Ada L. " }))
        .await
        .expect(200);
    assert_eq!(after["name"], "Ada L.");
    assert_eq!(after["time_zone"], before["time_zone"]);
    ada.patch(
        "/api/me",
        json!({ "time_zone": "Asia/Tokyo", "theme": "dark" }),
    )
    .await
    .status(200);
    let me = ada.get("/api/me").await.expect(200);
    assert_eq!(
        (&me["name"], &me["time_zone"]),
        (&json!("Ada L."), &json!("Asia/Tokyo"))
    );
    let page = ada.get("/account").await;
    assert!(page.text.contains("data-theme=\"dark\""));
    let table: [(Value, &[&str]); 5] = [
        (json!({ "name": null }), &["name"]),
        (
            json!({ "name": "", "time_zone": "x", "theme": "pink" }),
            &["name", "theme", "time_zone"],
        ),
        (json!({ "email": "eve@example.com" }), &["email"]),
        (
            json!({ "id": 1, "created_at": 2, "colour": 3 }),
            &["colour", "created_at", "id"],
        ),
        (json!({ "name": ["Ada"] }), &["name"]),
    ];
    for (body, fields) in table {
        ada.patch("/api/me", body)
            .await
            .refused(422, "validation_failed", fields);
    }
    assert_eq!(ada.get("/api/me").await.expect(200), me);
}

#[tokio::test]
async fn a_new_password_ends_other_sessions() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let phone = other_browser(&app, &ada).await;
    let bob = app.person("Bob").await;
    assert!(is_in(&phone).await);
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let new = "another good one";
    ada.post("/api/me/password", change("not it at all", new))
        .await
        .refused(401, "invalid_credentials", &["current"]);
    ada.post("/api/me/password", change(PASSWORD, "short"))
        .await
        .refused(422, "validation_failed", &["new"]);
    ada.post("/api/me/password", change(PASSWORD, new))
        .await
        .status(204);
    assert!(is_in(&ada).await && is_in(&bob).await && !is_in(&phone).await);
    sign_in(&app, "ada@example.com", PASSWORD)
        .await
        .refused(401, "invalid_credentials", &[]);
    sign_in(&app, "ada@example.com", new).await.status(200);
    assert_eq!(recorded(&app, "audit.user.password_changed").await.len(), 1);
}

#[tokio::test]
async fn an_account_goes_with_everything_in_it() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let (phone, program) = (other_browser(&app, &ada).await, ada.program().await);
    ada.post("/api/tasks", json!({ "title": "Secret plans" }))
        .await
        .status(201);
    assert!(is_in(&phone).await && is_in(&program).await);
    ada.send(
        "DELETE",
        "/api/me",
        &[("content-type", "application/json")],
        json!({ "password": "not it at all" }).to_string(),
    )
    .await
    .refused(401, "invalid_credentials", &["password"]);
    let gone = ada
        .send(
            "DELETE",
            "/api/me",
            &[("content-type", "application/json")],
            json!({ "password": PASSWORD }).to_string(),
        )
        .await;
    assert!(gone.header("set-cookie").contains("Max-Age=0"));
    gone.status(204);
    for of_her in [&ada, &phone, &program] {
        assert!(!is_in(of_her).await);
    }
    let mut database = app.database().await;
    for table in ["users", "tasks", "sessions", "tokens", "mutations", "feeds"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let left: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut database)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(recorded(&app, "user.deleted").await.len(), 1);
    app.person("Ada").await;
}

#[tokio::test]
async fn what_people_do_with_their_account_is_in_the_audit_trail() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    sign_in(&app, "ada@example.com", "not her password")
        .await
        .status(401);
    ada.post("/api/tokens", json!({ "name": "Script" }))
        .await
        .status(201);
    other_browser(&app, &ada)
        .await
        .post("/api/auth/logout", json!({}))
        .await
        .status(204);
    let expected = [
        "audit.token.created",
        "audit.user.logged_in",
        "audit.user.logged_in",
        "audit.user.logged_out",
        "audit.user.login_failed",
        "user.registered",
    ];
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let trail = ada.get("/api/audit").await.expect(200);
        let items = trail["items"].as_array().unwrap();
        let mut types: Vec<_> = items
            .iter()
            .map(|i| i["event_type"].as_str().unwrap())
            .collect();
        types.sort_unstable();
        if types == expected {
            break;
        }
        assert!(Instant::now() < deadline, "{types:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

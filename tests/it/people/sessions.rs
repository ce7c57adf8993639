//! Sessions: how long they last, how they end, and what is kept of them.

use serde_json::json;
use tidings::store::ProfileChange;
use tidings_domain::{event::EventType, id::UserId};

use super::{is_in, other_browser, secret};
use crate::{
    desk::loose,
    kit::{PASSWORD, Person, TestApp},
};

#[tokio::test]
async fn each_sign_in_is_a_session_of_its_own() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let (phone, work) = (
        other_browser(&app, &ada).await,
        other_browser(&app, &ada).await,
    );
    assert_ne!(secret(&phone), secret(&work));
    assert!(is_in(&ada).await && is_in(&phone).await && is_in(&work).await);

    let out = phone
        .send("POST", "/api/auth/logout", &[], String::new())
        .await;
    assert!(out.header("set-cookie").starts_with("auth_token=;"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    out.status(204);
    assert!(is_in(&ada).await && !is_in(&phone).await && is_in(&work).await);

    let bob = app.person("Bob").await;
    ada.post("/api/auth/logout", json!({ "everywhere": true }))
        .await
        .status(204);
    assert!(!is_in(&ada).await && !is_in(&work).await && is_in(&bob).await);
    ada.post("/api/auth/logout", json!({}))
        .await
        .refused(401, "unauthenticated", &[]);
    bob.post("/api/auth/logout", json!({ "everywhere": "yes" }))
        .await
        .refused(422, "validation_failed", &["everywhere"]);
}

#[tokio::test]
async fn a_session_slides_and_ends() {
    let app = TestApp::new().await;
    app.clock.set("2027-01-01T12:00:00Z");
    let ada = app.person("Ada").await;
    let cookie = |at| {
        app.clock.set(at);
        let ada = ada.clone();
        async move {
            let me = ada.get("/api/me").await;
            (me.code, me.header("set-cookie"))
        }
    };
    assert_eq!(cookie("2027-01-02T11:59:00Z").await, (200, String::new()));
    let (code, renewed) = cookie("2027-01-02T12:01:00Z").await;
    assert_eq!(code, 200);
    let expected = format!("auth_token={}; ", secret(&ada));
    assert!(renewed.starts_with(&expected) && renewed.contains("Max-Age=2592000"));
    // At most once a day.
    assert_eq!(cookie("2027-01-03T11:00:00Z").await, (200, String::new()));
    // It would have ended on the 31st.
    assert_eq!(cookie("2027-02-01T11:00:00Z").await.0, 200);
    assert_eq!(cookie("2027-03-03T11:01:00Z").await, (401, String::new()));
}

#[tokio::test]
async fn a_request_does_not_ask_the_database_who_it_is() {
    let app = TestApp::new().await;
    app.clock.set("2027-01-01T12:00:00Z");
    let ada = app.person("Ada").await;
    assert!(is_in(&ada).await);
    // Another process ends the session.
    let mut database = app.database().await;
    let ended = sqlx::query("DELETE FROM sessions")
        .execute(&mut database)
        .await;
    assert_eq!(ended.unwrap().rows_affected(), 1);
    assert!(is_in(&ada).await);
    // What was read is believed for half a minute, and no longer.
    app.clock.set("2027-01-01T12:00:31Z");
    assert!(!is_in(&ada).await);
}

#[tokio::test]
async fn what_ends_is_forgotten_though_nobody_waits_for_it() {
    let app = TestApp::new().await;
    let store = &app.inside.store;
    // As where a request goes away: the store has done it, and the request no more.
    let [ada, bob, cem, dee] = ["Ada", "Bob", "Cem", "Dee"];
    let (ada, bob) = (app.person(ada).await, app.person(bob).await);
    let (cem, dee) = (app.person(cem).await.program().await, app.person(dee).await);
    let id = async |person: &Person| {
        let me = person.get("/api/me").await.expect(200);
        UserId(me["id"].as_str().unwrap().parse().unwrap())
    };
    let (a, b, c, d) = (
        id(&ada).await,
        id(&bob).await,
        id(&cem).await,
        id(&dee).await,
    );
    let out = loose(EventType::LoggedOut, a);
    store.end_session(&[0; 32], a, true, &out).await.unwrap();
    assert!(!is_in(&ada).await && is_in(&bob).await);
    let changed = loose(EventType::PasswordChanged, b);
    let old = store.account(b).await.unwrap().unwrap().password_hash;
    let set = store.set_password(b, &old, "new", None, &changed);
    assert!(set.await.unwrap());
    assert!(!is_in(&bob).await && is_in(&cem).await);
    let token = store.tokens(c).await.unwrap()[0].id;
    let revoked = loose(EventType::TokenRevoked, c);
    store.revoke_token(c, token, &revoked).await.unwrap();
    assert!(!is_in(&cem).await && is_in(&dee).await);
    let change = ProfileChange {
        name: Some("Di".into()),
        ..ProfileChange::default()
    };
    store.update_account(d, &change).await.unwrap();
    assert_eq!(dee.get("/api/me").await.expect(200)["name"], "Di");
    let deleted = loose(EventType::UserDeleted, d);
    store.delete_account(d, &deleted).await.unwrap();
    assert!(!is_in(&dee).await);
}

#[tokio::test]
async fn secrets_are_not_kept() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let (phone, program) = (other_browser(&app, &ada).await, ada.program().await);
    assert!(is_in(&program).await);
    let secrets = [
        secret(&ada),
        secret(&phone),
        secret(&program),
        PASSWORD.to_owned(),
    ];
    let files = app.stop().await;
    let mut read = 0;
    for file in std::fs::read_dir(files.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        read += bytes.len();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    }
    assert!(read > 0);
}

#[tokio::test]
async fn a_cookie_that_is_no_session_is_nobody() {
    let app = TestApp::new().await;
    let mut person = app.person("Ada").await;
    for value in [
        "auth_token=",
        "auth_token=x",
        "other=1",
        "auth_token=a\"b",
        ";;=",
        "auth_token",
    ] {
        person.credential = Some(("cookie", value.to_owned()));
        assert!(!is_in(&person).await, "{value}");
    }
}

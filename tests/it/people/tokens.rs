//! Personal tokens.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{is_in, recorded, secret};
use crate::kit::{PASSWORD, TestApp};

#[tokio::test]
async fn a_token_is_shown_once_and_revoked() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let answer = ada.post("/api/tokens", json!({ "name": " Script " })).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = answer.expect(201);
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("tdg_") && token.len() == 47, "{token}");
    let row = json!({ "id": made["id"], "name": "Script", "created_at": made["created_at"] });
    assert_eq!(
        ada.get("/api/tokens").await.expect(200),
        json!({ "items": [row] })
    );
    let program = ada.known_by("authorization", format!("bearer {token}"));
    assert!(is_in(&program).await);

    let path = format!("/api/tokens/{}", made["id"].as_str().unwrap());
    app.person("Bob")
        .await
        .delete(&path)
        .await
        .refused(404, "not_found", &[]);
    assert!(is_in(&program).await);
    ada.delete(&path).await.status(204);
    assert!(!is_in(&program).await);
    ada.delete(&path).await.refused(404, "not_found", &[]);
    ada.delete("/api/tokens/7")
        .await
        .refused(404, "not_found", &[]);
    assert_eq!(ada.get("/api/tokens").await.expect(200)["items"], json!([]));
    assert_eq!(recorded(&app, "audit.token.created").await.len(), 1);
    let revoked = recorded(&app, "audit.token.revoked").await;
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["data"]["token_id"], made["id"]);
}

#[tokio::test]
async fn tokens_are_named_and_counted() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let table: [(Value, &[&str]); 4] = [
        (json!({}), &["name"]),
        (json!({ "name": " " }), &["name"]),
        (json!({ "name": "x".repeat(81) }), &["name"]),
        (json!({ "name": "x", "scope": "all" }), &["scope"]),
    ];
    for (body, fields) in table {
        ada.post("/api/tokens", body)
            .await
            .refused(422, "validation_failed", fields);
    }
    for n in 0..100 {
        ada.post("/api/tokens", json!({ "name": format!("Token {n}") }))
            .await
            .status(201);
    }
    ada.post("/api/tokens", json!({ "name": "One more" }))
        .await
        .refused(409, "conflict", &[]);
    let list = ada.get("/api/tokens").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_token_manages_neither_tokens_nor_passwords_nor_the_account() {
    let app = TestApp::new().await;
    let program = app.person("Ada").await.program().await;
    let json = [("content-type", "application/json")];
    let table = [
        ("GET", "/api/tokens".to_owned(), json!({})),
        (
            "POST",
            "/api/tokens".to_owned(),
            json!({ "name": "Another" }),
        ),
        (
            "DELETE",
            format!("/api/tokens/{}", Uuid::now_v7()),
            json!({}),
        ),
        ("PATCH", "/api/me".to_owned(), json!({ "name": "Eve" })),
        (
            "DELETE",
            "/api/me".to_owned(),
            json!({ "password": PASSWORD }),
        ),
        (
            "POST",
            "/api/auth/logout".to_owned(),
            json!({ "everywhere": true }),
        ),
        (
            "POST",
            "/api/me/password".to_owned(),
            json!({ "current": PASSWORD, "new": "another good one" }),
        ),
    ];
    for (method, path, body) in table {
        let answer = program.send(method, &path, &json, body.to_string()).await;
        answer.refused(403, "forbidden", &[]);
    }
    assert!(is_in(&program).await);
}

#[tokio::test]
async fn a_token_wins_over_the_cookie() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let program = ada.program().await;
    let cookie = format!("auth_token={}", secret(&bob));
    let both = [("cookie", cookie.as_str())];
    let me = program.send("GET", "/api/me", &both, String::new());
    assert_eq!(me.await.expect(200)["name"], "Ada");
    for bad in ["Bearer", "Bearer ", "Bearer tdg_x", "Bearer x"] {
        let headers = [("authorization", bad)];
        let me = bob.send("GET", "/api/me", &headers, String::new()).await;
        assert_eq!(me.header("www-authenticate"), "Bearer");
        me.refused(401, "unauthenticated", &[]);
    }
    // What a proxy adds for itself is none of ours.
    let headers = [("authorization", "Basic dXNlcjpwYXNz")];
    let me = bob.send("GET", "/api/me", &headers, String::new()).await;
    assert_eq!(me.expect(200)["name"], "Bob");
}

//! How often anyone may try, and whom a proxy speaks for.

use serde_json::{Value, json};

use super::sign_in;
use crate::kit::{Answer, PASSWORD, TestApp};

/// A request by way of a proxy.
async fn forwarded(app: &TestApp, ip: &str, path: &str, body: Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", ip),
    ];
    app.nobody()
        .send("POST", path, &headers, body.to_string())
        .await
}

fn retry_after(answer: &Answer) -> u32 {
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test]
async fn an_account_is_tried_only_so_often() {
    let app = TestApp::with(|config| {
        config.limits.sign_in_account = Some("3/1m".parse().unwrap());
    })
    .await;
    app.clock.set("2027-01-01T12:00:00Z");
    app.person("Ada").await;
    for email in ["ada@example.com", "ADA@example.com", " Ada@Example.com"] {
        sign_in(&app, email, "not her password").await.status(401);
    }
    let early = sign_in(&app, "ada@example.com", PASSWORD).await;
    assert_eq!(retry_after(&early), 20);
    early.refused(429, "rate_limited", &[]);
    // Whether there is such an account makes no difference, and others are let in.
    for _ in 0..3 {
        sign_in(&app, "eve@example.com", PASSWORD).await.status(401);
    }
    sign_in(&app, "eve@example.com", PASSWORD)
        .await
        .refused(429, "rate_limited", &[]);
    app.person("Bob").await;
    sign_in(&app, "bob@example.com", PASSWORD).await.status(200);
    app.clock.set("2027-01-01T12:00:20Z");
    sign_in(&app, "ada@example.com", PASSWORD).await.status(200);
}

#[tokio::test]
async fn nobody_is_locked_out_by_others() {
    let app = TestApp::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.sign_in_account = Some("2/1m".parse().unwrap());
    })
    .await;
    let ada = app.person("Ada").await;
    let login = "/api/auth/login";
    let with = |password: &str| json!({ "email": "ada@example.com", "password": password });
    for _ in 0..2 {
        forwarded(&app, "2001:db8::1", login, with("a guess of it"))
            .await
            .status(401);
    }
    forwarded(&app, "2001:db8::2", login, with(PASSWORD))
        .await
        .refused(429, "rate_limited", &[]);
    forwarded(&app, "2001:db8:0:1::1", login, with(PASSWORD))
        .await
        .status(200);
    // Nor is who is in kept from what needs the password.
    let local = with("a guess of it");
    for _ in 0..2 {
        app.nobody().post(login, local.clone()).await.status(401);
    }
    let change = json!({ "current": PASSWORD, "new": "another good one" });
    ada.post("/api/me/password", change).await.status(204);
}

#[tokio::test]
async fn a_password_is_proven_only_so_often() {
    let app = TestApp::with(|config| {
        config.limits.sign_in_account = Some("2/1m".parse().unwrap());
    })
    .await;
    let ada = app.person("Ada").await;
    let guess = json!({ "current": "not it at all", "new": "another good one" });
    for _ in 0..2 {
        ada.post("/api/me/password", guess.clone())
            .await
            .status(401);
    }
    ada.post("/api/me/password", guess)
        .await
        .refused(429, "rate_limited", &[]);
}

#[tokio::test]
async fn an_address_tries_only_so_often() {
    let app = TestApp::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.sign_in_address = Some("2/1m".parse().unwrap());
        config.limits.sign_up_address = Some("1/1h".parse().unwrap());
    })
    .await;
    let guess = |n: u8| json!({ "email": format!("{n}@example.com"), "password": PASSWORD });
    let login = "/api/auth/login";
    for n in 0..2 {
        forwarded(&app, "192.0.2.1", login, guess(n))
            .await
            .status(401);
    }
    forwarded(&app, "192.0.2.1", login, guess(2))
        .await
        .refused(429, "rate_limited", &[]);
    // What stands before the proxy's own word may be made up.
    forwarded(&app, "192.0.2.9, 192.0.2.1", login, guess(2))
        .await
        .status(429);
    forwarded(&app, "192.0.2.2", login, guess(2))
        .await
        .status(401);

    let form = |n: u8| json!({ "email": format!("{n}@example.com"), "name": "Somebody", "password": PASSWORD });
    let register = "/api/auth/register";
    forwarded(&app, "2001:db8::1", register, form(0))
        .await
        .status(201);
    let again = forwarded(&app, "2001:db8::2", register, form(1)).await;
    assert!((3500..=3600).contains(&retry_after(&again)));
    again.refused(429, "rate_limited", &[]);
    forwarded(&app, "2001:db8:0:1::1", register, form(1))
        .await
        .status(201);
}

#[tokio::test]
async fn nobody_but_a_trusted_proxy_is_believed() {
    let app = TestApp::with(|config| {
        config.limits.sign_in_address = Some("1/1m".parse().unwrap());
    })
    .await;
    let guess = json!({ "email": "ada@example.com", "password": PASSWORD });
    let login = "/api/auth/login";
    forwarded(&app, "192.0.2.1", login, guess.clone())
        .await
        .status(401);
    forwarded(&app, "192.0.2.2", login, guess).await.status(429);
}

//! The security log: what a person sees of their audit trail.

use serde_json::json;

use crate::{
    kit::{Answer, PASSWORD, Person, TestApp, on_each_database},
    notifications::soon,
};

on_each_database!(TestApp:
    a_person_sees_what_was_recorded,
    a_log_is_downloaded,
);

/// Somebody tries to sign in, and says that they are this program.
async fn sign_in(app: &TestApp, email: &str, password: &str, program: &str) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", program),
    ];
    let form = json!({ "email": email, "password": password });
    app.nobody()
        .send("POST", "/api/auth/login", &headers, form.to_string())
        .await
}

/// The page, once so many rows are on it.
async fn page(person: &Person, path: &str, rows: usize) -> String {
    soon(async || {
        let page = person.get(path).await;
        page.status(200);
        let shown = page.text.matches("</time></li>").count();
        (shown == rows).then_some(page.text)
    })
    .await
}

async fn a_person_sees_what_was_recorded(app: TestApp) {
    let (ada, bob) = (
        app.person_in("Ada", "Asia/Tokyo").await,
        app.person("Bob").await,
    );
    sign_in(
        &app,
        "ada@example.com",
        "not her password",
        "Mallory/1.0 <b>",
    )
    .await
    .status(401);
    sign_in(&app, "eve@example.com", "nobody has one", "Eve/1.0")
        .await
        .status(401);
    let token = ada.post("/api/tokens", json!({ "name": "Script" })).await;
    let token = token.expect(201)["id"].as_str().unwrap().to_owned();
    ada.delete(&format!("/api/tokens/{token}"))
        .await
        .status(204);
    ada.post("/api/tasks", json!({ "title": "Water the plants" }))
        .await
        .status(201);
    // Signing up signs in too.
    let all = page(&ada, "/audit", 6).await;
    for shown in [
        "Account created",
        "Signed in",
        "Sign-in failed",
        "127.0.0.1",
        "Mallory/1.0 &lt;b&gt;",
        "Token created",
        "Token revoked",
        "Task created",
        "Water the plants",
    ] {
        assert!(all.contains(shown), "{shown}");
    }
    assert!(!all.contains("Eve/1.0"));
    for (kind, rows) in [("tasks", 1), ("security", 4), ("account", 1), ("", 6)] {
        page(&ada, &format!("/audit?kind={kind}"), rows).await;
    }
    for (days, rows) in [("to=2026-01-01", 0), ("from=2026-01-01", 6)] {
        page(&ada, &format!("/audit?{days}"), rows).await;
    }
    let others = page(&bob, "/audit", 2).await;
    assert!(!others.contains("Water the plants") && !others.contains("Mallory"));
    for wrong in ["kind=others", "from=yesterday", "to=2026-02-30", "before=9"] {
        ada.get(&format!("/audit?{wrong}")).await.status(422);
    }
    assert!(ada.get("/account").await.text.contains("href=\"/audit\""));
    // A program may not look where its person signs in.
    let program = ada.program().await;
    program.get("/audit").await.status(403);
    program
        .send("POST", "/audit.csv", &[], String::new())
        .await
        .refused(403, "forbidden", &[]);
}

async fn a_log_is_downloaded(app: TestApp) {
    let ada = app.person("Ada").await;
    let program = "=HYPERLINK(\"http://example.com\")";
    sign_in(&app, "ada@example.com", "not her password", program)
        .await
        .status(401);
    for title in ["+1 \"task\", or two", "Buy milk"] {
        ada.post("/api/tasks", json!({ "title": title }))
            .await
            .status(201);
    }
    page(&ada, "/audit", 5).await;
    let file = ada.form("/audit.csv", "/audit", &[("kind", "")]).await;
    file.status(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("cache-control"), "no-store");
    let name = "attachment; filename=\"tidings-security-log.csv\"";
    assert_eq!(file.header("content-disposition"), name);
    let lines: Vec<_> = file.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 6, "{lines:#?}");
    assert!(lines[0].starts_with("time,what,type,"));
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has(
        ",\"Task created\",\"task.created\",\"'+1 \"\"task\"\", or two\","
    ));
    assert!(has(
        ",\"127.0.0.1\",\"'=HYPERLINK(\"\"http://example.com\"\")\","
    ));
    // The page tells of the download, and so does the next file; to look is none.
    let account = page(&ada, "/audit?kind=account", 2).await;
    assert!(account.contains("Data downloaded"));
    let again = ada.form("/audit.csv", "/audit", &[("kind", "account")]);
    let again = again.await.text;
    assert_eq!(again.matches("audit.data.exported").count(), 1, "{again}");
    ada.form("/audit.csv", "/audit", &[("from", "soon")])
        .await
        .refused(422, "validation_failed", &["from"]);
    ada.get("/audit.csv")
        .await
        .refused(405, "method_not_allowed", &[]);
    // From elsewhere it cannot be asked for.
    let elsewhere = [("origin", "https://example.com")];
    ada.send("POST", "/audit.csv", &elsewhere, String::new())
        .await
        .refused(403, "forbidden", &[]);
    page(&ada, "/audit?kind=account", 3).await;
}

#[tokio::test]
async fn a_long_log_has_pages_and_is_one_file() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for n in 0..520 {
        ada.post("/api/tasks", json!({ "title": format!("Task {n}.") }))
            .await
            .status(201);
    }
    soon(async || {
        let trail = ada.get("/api/audit?limit=1000").await.expect(200);
        (trail["items"].as_array().unwrap().len() == 522).then_some(())
    })
    .await;
    let first = page(&ada, "/audit?kind=tasks", 50).await;
    assert!(first.contains(">Task 519.<") && first.contains(">Task 470.<"));
    let (_, rest) = first.split_once("href=\"/audit?kind=tasks").unwrap();
    let (_, rest) = rest.split_once("before=").unwrap();
    let (before, _) = rest.split_once('"').unwrap();
    let second = page(&ada, &format!("/audit?kind=tasks&before={before}"), 50).await;
    assert!(second.contains(">Task 469.<") && second.contains(">Task 420.<"));
    let file = ada.form("/audit.csv", "/audit", &[("kind", "tasks")]).await;
    let lines: Vec<_> = file.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 521);
    assert!(lines[1].contains("Task 519.") && lines[520].contains("Task 0."));
}

#[tokio::test]
async fn ten_failures_an_hour_are_written_down() {
    let app = TestApp::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.sign_in_account = None;
        config.limits.sign_in_address = None;
    })
    .await;
    app.clock.set("2027-01-01T12:00:00Z");
    let ada = app.person("Ada").await;
    let guess = async |ip: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", ip),
        ];
        let form = json!({ "email": "ada@example.com", "password": "a guess of it" });
        app.nobody()
            .send("POST", "/api/auth/login", &headers, form.to_string())
            .await
            .refused(401, "invalid_credentials", &[]);
    };
    let failures = async |expected: usize| {
        let mut database = app.database().await;
        let count = "SELECT count(*) FROM events WHERE event_type = 'audit.user.login_failed'";
        let count: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut database)
            .await
            .unwrap();
        assert_eq!(count, expected as i64);
    };
    for _ in 0..13 {
        guess("192.0.2.1").await;
    }
    failures(10).await;
    guess("192.0.2.2").await;
    failures(11).await;
    app.clock.set("2027-01-01T12:59:59Z");
    guess("192.0.2.1").await;
    failures(11).await;
    app.clock.set("2027-01-01T13:00:00Z");
    guess("192.0.2.1").await;
    failures(12).await;
    // However it went, whoever knows the password is let in.
    let form = json!({ "email": "ada@example.com", "password": PASSWORD });
    ada.post("/api/auth/login", form).await.status(200);
}

//! What `tidings doctor` says, without a sidecar; with one: `dapr`.

use std::process::Output;

use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    kit::TestApp,
    postgres::cluster,
    process::{free, run, tidings},
};

/// What it says of a check.
pub(crate) fn said(output: &Output, check: &str) -> String {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let of = |line: &&str| line.split('\t').nth(1) == Some(check);
    let line = text.lines().find(of);
    line.unwrap_or_else(|| panic!("nothing of {check} in {text}"))
        .to_owned()
}

#[tokio::test]
async fn it_says_what_to_do_and_does_none_of_it() {
    let site = free().await;
    let variables = [
        ("LEPTOS_SITE_ADDR", &*site),
        ("DATABASE_URL", "sqlite://t.db"),
    ];
    let (output, folder) = run(&["doctor"], &variables).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output, "configuration").starts_with("ok"));
    assert!(said(&output, "database").contains("look at DATABASE_URL"));
    assert!(!folder.path().join("t.db").exists());

    let command = async |arguments: &[&str]| {
        let output = tidings(folder.path(), arguments, &variables).output();
        output.await.unwrap()
    };
    assert!(command(&["migrate"]).await.status.success());
    let output = command(&["doctor"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(said(&output, "set aside"), "ok\tset aside\tnothing");
    assert!(said(&output, "server").contains("none runs"));
    assert!(said(&output, "mail").starts_with("ok\tmail\twithout SMTP_URL"));

    let nobody = format!("smtp://{}", free().await);
    let mail = [
        &variables[..],
        &[("SMTP_URL", &*nobody), ("MAIL_FROM", "tidings@example.org")],
    ];
    let output = tidings(folder.path(), &["doctor"], &mail.concat()).output();
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output, "mail").starts_with("wrong"));
    assert!(said(&output, "mail").contains("look at SMTP_URL"));

    let wrong = [("EVENT_TRANSPORT", "pigeon")];
    let (output, _) = run(&["doctor"], &wrong).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn it_tells_of_a_schema_that_is_not_ours_of_a_server_and_of_a_sidecar_that_is_gone() {
    let app = TestApp::new().await;
    let site = app.base.strip_prefix("http://").unwrap();
    let database = cluster().await.empty_database().await;
    let [sidecar, other] = [free().await, free().await];
    let port = sidecar.rsplit(':').next().unwrap();
    let variables = [
        ("LEPTOS_SITE_ADDR", site),
        ("SIDECAR_ADDR", &*other),
        ("DATABASE_URL", &*database),
        ("DAPR_HOST", "127.0.0.1"),
        ("DAPR_HTTP_PORT", port),
    ];
    let (output, _) = run(&["doctor"], &variables).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output, "database").contains("steps behind: run tidings migrate"));
    assert!(said(&output, "server").ends_with("is ready"));
    assert!(said(&output, "sidecar").contains("look at DAPR_HOST"));

    assert!(run(&["migrate"], &variables).await.0.status.success());
    let (output, _) = run(&["doctor"], &variables).await;
    assert!(said(&output, "database").starts_with("ok"));
    let newer = "INSERT INTO _sqlx_migrations \
         (version, description, success, checksum, execution_time) VALUES (9999, '', true, '', 0)";
    let mut connection = PgConnection::connect(&database).await.unwrap();
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let (output, _) = run(&["doctor"], &variables).await;
    assert!(said(&output, "database").contains("a newer Tidings"));
}

#[tokio::test]
async fn it_tells_of_all_that_a_server_says_is_wrong() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let site = listener.local_addr().unwrap().to_string();
    let told = json!({ "status": "degraded", "dapr": { "other_roles": "audit",
        "failing": { "task-events": "away" }, "paused": { "reminders": "no such topic" } } });
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 1024];
        let _ = stream.read(&mut asked).await.unwrap();
        let body = told.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let variables = [
        ("LEPTOS_SITE_ADDR", &*site),
        ("DATABASE_URL", "sqlite://t.db"),
    ];
    let (output, _) = run(&["doctor"], &variables).await;
    server.await.unwrap();
    let words = said(&output, "server");
    for part in ["ROLES (audit)", "task-events (", "reminders ("] {
        assert!(words.contains(part), "{words}");
    }
}

#[tokio::test]
async fn it_tells_of_what_was_set_aside() {
    let app = TestApp::new().await;
    let site = app.base.strip_prefix("http://").unwrap();
    let poison = json!({ "id": "1", "topic": "user-events" });
    let answer = app.sidecar().post("/events/dead-letter", poison).await;
    answer.status(200);
    let database = app.inside.config.database_url.clone();
    let variables = [("LEPTOS_SITE_ADDR", site), ("DATABASE_URL", &*database)];
    let (output, _) = run(&["doctor"], &variables).await;
    assert_eq!(output.status.code(), Some(1));
    let words = said(&output, "set aside");
    assert!(words.starts_with("wrong") && words.contains("1 dead letters"));
}

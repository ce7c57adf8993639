//! The real binary: its commands and how it ends.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::postgres::cluster;

const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn tidings(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("SAMPLE_TASKS", "false")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub(crate) async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let output = tidings(folder.path(), arguments, variables).output();
    let output = timeout(DEADLINE, output).await.unwrap().unwrap();
    (output, folder)
}

fn errors(output: &Output) -> Vec<&str> {
    let text = std::str::from_utf8(&output.stderr).unwrap();
    text.lines().collect()
}

/// An address where nothing listens.
pub(crate) async fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn healthy(address: &str) -> bool {
    let (output, _) = run(&["healthcheck"], &[("LEPTOS_SITE_ADDR", address)]).await;
    output.status.success()
}

pub(crate) async fn end(mut child: Child, signal: &str) -> Option<i32> {
    let id = child.id().unwrap().to_string();
    let kill = Command::new("kill").args([signal, &id]).status().await;
    assert!(kill.unwrap().success());
    timeout(DEADLINE, child.wait())
        .await
        .unwrap()
        .unwrap()
        .code()
}

#[tokio::test]
async fn commands_want_a_database_and_make_none() {
    for command in [
        &["verify"][..],
        &["outbox", "list"],
        &["replay", "--consumer", "audit"],
    ] {
        let (output, folder) = run(command, &[]).await;
        assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
        assert!(!folder.path().join("data/tidings.db").exists());
    }
}

#[tokio::test]
async fn bad_configuration_is_told_a_line_a_fault() {
    let variables = [
        ("ROLES", "cook"),
        ("LOG_FORMAT", "xml"),
        ("PUBLIC_URL", "example"),
        ("EVENT_TRANSPORT", "pigeon"),
        ("LEPTOS_HASH_FILES", "true"),
        ("LEPTOS_HASH_FILE_NAME", "nothing"),
    ];
    for arguments in [&["serve"][..], &[]] {
        let (output, _) = run(arguments, &variables).await;
        assert_eq!(output.status.code(), Some(2));
        let mut lines = errors(&output);
        lines.sort_unstable();
        let named: Vec<_> = lines
            .iter()
            .map(|l| l.split(": ").next().unwrap())
            .collect();
        let expected = [
            "EVENT_TRANSPORT",
            "LEPTOS_HASH_FILE_NAME",
            "LOG_FORMAT",
            "PUBLIC_URL",
            "ROLES",
        ];
        assert_eq!(named, expected);
    }
    for arguments in [&["serve", "--nonsense"][..], &["nonsense"]] {
        assert_eq!(run(arguments, &[]).await.0.status.code(), Some(2));
    }
}

#[tokio::test]
async fn migrate_makes_the_database_and_does_nothing_else() {
    let url = [("DATABASE_URL", "sqlite://here/t.db")];
    let (output, folder) = run(&["migrate"], &url).await;
    assert!(output.status.success(), "{:?}", errors(&output));
    assert!(folder.path().join("here/t.db").exists());
    let again = tidings(folder.path(), &["migrate"], &url)
        .output()
        .await
        .unwrap();
    assert!(again.status.success());
    let (output, _) = run(&["migrate"], &[("DATABASE_URL", "mysql://here")]).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn four_migrate_a_postgres_database_at_once() {
    let database = cluster().await.empty_database().await;
    let url = [("DATABASE_URL", database.as_str())];
    for output in join_all((0..4).map(|_| run(&["migrate"], &url))).await {
        assert!(output.0.status.success(), "{:?}", errors(&output.0));
    }
    let wrong = "postgres://tidings:secret@127.0.0.1/x?sslmode=nonsense";
    let (output, _) = run(&["migrate"], &[("DATABASE_URL", wrong)]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(!errors(&output).concat().contains("secret"));
}

#[tokio::test]
async fn a_server_starts_is_healthy_and_stops() {
    let address = free().await;
    let sidecar = free().await;
    assert!(!healthy(&address).await);
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let variables = [
            ("LEPTOS_SITE_ADDR", address.as_str()),
            ("SIDECAR_ADDR", sidecar.as_str()),
        ];
        let server = tidings(folder.path(), &[], &variables).spawn().unwrap();
        let deadline = Instant::now() + DEADLINE;
        while !healthy(&address).await {
            assert!(Instant::now() < deadline);
            sleep(Duration::from_millis(10)).await;
        }
        // The port is taken: a fault while running.
        let (second, _) = run(&[], &variables).await;
        assert_eq!(second.status.code(), Some(1));
        assert!(errors(&second).concat().contains("LEPTOS_SITE_ADDR"));
        assert_eq!(end(server, signal).await, Some(0));
        assert!(!healthy(&address).await);
        // It was closed in order: the journal is in the file.
        assert!(folder.path().join("data/tidings.db").exists());
        assert!(!folder.path().join("data/tidings.db-wal").exists());
    }
}

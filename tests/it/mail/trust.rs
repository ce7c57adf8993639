//! Mail to a server that proves who it is and asks who we are, from the real binary.

use std::{fs, fs::File};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mail_parser::{Message, MessageParser};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::process::Child;

use super::peer::{Authority, Peer, Tls};
use crate::{
    doctor::said,
    notifications::soon,
    process::{end, free, tidings},
};

const PASSWORD: &str = "hunter2/ä";
/// The same, as it is written in a URL.
const WRITTEN: &str = "hunter2%2F%C3%A4";
const NAME: &str = "Zoë Groß 🌿";
const FROM: &str = "Tidings für alle <tidings@mail.test>";

/// The binary, and what it writes.
struct Server {
    site: String,
    folder: TempDir,
    child: Child,
}

impl Server {
    /// Starts one that trusts this authority alone; it is called at this URL of mail.
    async fn start(smtp_url: &str, authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("trusted.pem"), authority.pem()).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let site = free().await;
        let variables = [
            ("LEPTOS_SITE_ADDR", &*site),
            ("SIDECAR_ADDR", &*free().await),
            ("SMTP_URL", smtp_url),
            ("MAIL_FROM", FROM),
            ("SSL_CERT_FILE", "trusted.pem"),
            ("RUST_LOG", "debug"),
        ];
        let child = tidings(folder.path(), &["serve"], &variables)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let ready = format!("http://{site}/readyz");
        soon(async || {
            let answer = reqwest::get(&ready).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        Self {
            site,
            folder,
            child,
        }
    }

    /// Signs somebody up, who is welcomed by mail.
    async fn sign_up(&self) -> reqwest::Client {
        let client = reqwest::Client::builder().cookie_store(true);
        let client = client.build().unwrap();
        let form = json!({ "email": "zoe@example.com", "name": NAME,
            "password": "correct horse battery" });
        let url = format!("http://{}/api/auth/register", self.site);
        let answer = client.post(url).json(&form).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        client
    }

    /// What `tidings mails list` says.
    async fn unsent(&self) -> String {
        let mut list = tidings(self.folder.path(), &["mails", "list"], &[]);
        let output = list.output().await.unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    async fn database(&self) -> SqliteConnection {
        let file = self.folder.path().join("data/tidings.db");
        let url = format!("sqlite://{}", file.display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    /// Ends it, and looks whether it kept the password to itself: its log.
    async fn stop(self) -> String {
        assert_eq!(end(self.child, "-TERM").await, Some(0));
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert!(log.contains("DEBUG"));
        let sent = BASE64_STANDARD.encode(format!("\0tidings\0{PASSWORD}"));
        for secret in ["hunter2", &sent] {
            assert!(!log.contains(secret), "{log}");
        }
        log
    }
}

fn parsed(mail: &Value) -> Message<'_> {
    let message = mail["message"].as_str().unwrap();
    MessageParser::new().parse(message).unwrap()
}

async fn mail_arrives(tls: Tls) {
    let authority = Authority::new("Ours");
    let certified = authority.certify("localhost");
    let peer = Peer::start(0, tls, &certified, PASSWORD).await;
    let (scheme, query) = match tls {
        Tls::Implicit => ("smtps", ""),
        _ => ("smtp", "?tls=required"),
    };
    let url = format!(
        "{scheme}://tidings:{WRITTEN}@localhost:{}{query}",
        peer.port
    );
    let server = Server::start(&url, &authority).await;
    let looked = [
        ("SMTP_URL", &*url),
        ("MAIL_FROM", FROM),
        ("SSL_CERT_FILE", "trusted.pem"),
    ];
    let looked = tidings(server.folder.path(), &["doctor"], &looked).output();
    let looked = said(&looked.await.unwrap(), "mail");
    assert_eq!(looked, "ok\tmail\tits server lets us in");
    let zoe = server.sign_up().await;
    let at = |path| format!("http://{}{path}", server.site);
    let told = json!({ "task_created": { "app": false, "browser": false, "mail": true } });
    let settings = zoe.put(at("/api/me/notifications")).json(&told);
    assert_eq!(settings.send().await.unwrap().status(), 200);
    let title =
        "Käse & <Brötchen> für Jürgen kaufen, 買い物 🧀, und noch mehr, bis es zwei Zeilen sind";
    let task = zoe.post(at("/api/tasks")).json(&json!({ "title": title }));
    assert_eq!(task.send().await.unwrap().status(), 201);

    let mails = soon(async || Some(peer.said("mail")).filter(|mails| mails.len() == 2)).await;
    for mail in &mails {
        assert_eq!(
            (&mail["secure"], &mail["user"]),
            (&json!(true), &json!("tidings"))
        );
        assert_eq!(mail["from"], "tidings@mail.test");
        assert_eq!(mail["to"], json!(["zoe@example.com"]));
        let message = parsed(mail);
        let from = message.from().unwrap().first().unwrap();
        assert_eq!(from.name(), Some("Tidings für alle"));
        assert_eq!(from.address(), Some("tidings@mail.test"));
        let to = message.to().unwrap().first().unwrap();
        assert_eq!(
            (to.name(), to.address()),
            (Some(NAME), Some("zoe@example.com"))
        );
        assert!(message.message_id().unwrap().ends_with("@mail.test"));
        let greeting = format!("Hello {NAME},");
        assert!(message.body_text(0).unwrap().starts_with(&greeting));
        assert!(message.body_html(0).unwrap().contains(&greeting));
    }
    let of = |subject: &str| {
        let mut mails = mails.iter().map(parsed);
        mails.find(|mail| mail.subject() == Some(subject)).unwrap()
    };
    for kind in ["text/plain", "text/html"] {
        let part = format!("Content-Type: {kind}; charset=utf-8\r\n");
        let of_this_kind = |mail: &Value| mail["message"].as_str().unwrap().contains(&part);
        assert!(mails.iter().all(of_this_kind));
    }
    assert!(
        of("Welcome to Tidings")
            .header("List-Unsubscribe")
            .is_none()
    );
    let added = of(&format!("Added: {title}"));
    let unsubscribe = added.header_raw("List-Unsubscribe").unwrap().trim();
    let unsubscribe = unsubscribe.trim_matches(['<', '>']);
    assert!(unsubscribe.starts_with(&at("/")), "{unsubscribe}");
    assert!(added.body_text(0).unwrap().contains(unsubscribe));
    let one_click = added.header_raw("List-Unsubscribe-Post").unwrap();
    assert_eq!(one_click.trim(), "List-Unsubscribe=One-Click");
    assert!(
        added
            .body_html(0)
            .unwrap()
            .contains("Käse &amp; &lt;Brötchen&gt;")
    );
    assert_eq!(server.unsent().await, "");
    server.stop().await;
    assert_eq!(peer.stop().await.len(), 5, "three sign-ins, two mails");
}

#[tokio::test]
async fn mail_arrives_by_starttls() {
    mail_arrives(Tls::Required).await;
}

#[tokio::test]
async fn mail_arrives_by_implicit_tls() {
    mail_arrives(Tls::Implicit).await;
}

#[tokio::test]
async fn mail_waits_for_a_server_that_it_may_be_told() {
    let (ours, theirs) = (Authority::new("Ours"), Authority::new("Theirs"));
    let good = ours.certify("localhost");
    let mut peer = Peer::start(0, Tls::None, &good, PASSWORD).await;
    let port = peer.port;
    let url = format!("smtp://tidings:{WRITTEN}@localhost:{port}?tls=required");
    let server = Server::start(&url, &ours).await;
    server.sign_up().await;
    let mut database = server.database().await;
    let faults = [
        ("STARTTLS is not supported", None),
        (
            "UnknownIssuer",
            Some((theirs.certify("localhost"), PASSWORD)),
        ),
        (
            "not valid for name",
            Some((ours.certify("mail.test"), PASSWORD)),
        ),
        ("535", Some((ours.certify("localhost"), "another"))),
    ];
    for (why, next) in faults {
        if let Some((certified, password)) = next {
            let said = peer.stop().await;
            assert_eq!(said, Vec::<Value>::new(), "nothing was said to it");
            peer = Peer::start(port, Tls::Required, &certified, password).await;
            now(&mut database).await;
        }
        let told = soon(async || Some(server.unsent().await).filter(|told| told.contains(why)));
        let told = told.await;
        let fields: Vec<_> = told.trim_end().split('\t').collect();
        assert!(fields[5].starts_with("again "), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    // The one who does not know us was told over TLS alone.
    let tried = peer.stop().await;
    assert!(!tried.is_empty());
    for tried in tried {
        assert_eq!(tried["what"], "sign-in");
        assert_eq!(
            (&tried["secure"], &tried["accepted"]),
            (&json!(true), &json!(false))
        );
    }

    let id: String = sqlx::query_scalar("SELECT id FROM mails")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let peer = Peer::start(port, Tls::Required, &good, PASSWORD).await;
    now(&mut database).await;
    soon(async || server.unsent().await.is_empty().then_some(())).await;
    let log = server.stop().await;
    assert_eq!(log.matches("mail cannot be sent and waits").count(), 1);
    let mails = peer.said("mail");
    assert_eq!(mails.len(), 1);
    assert_eq!(
        parsed(&mails[0]).message_id(),
        Some(&*format!("{id}@mail.test"))
    );
    peer.stop().await;
}

/// Has what waits tried now.
async fn now(database: &mut SqliteConnection) {
    let sql = "UPDATE mails SET due_at = 0";
    sqlx::query(sql).execute(database).await.unwrap();
}

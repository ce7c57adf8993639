//! A new password for somebody who has forgotten theirs.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{is_in, other_browser, recorded, sign_in};
use crate::{
    kit::{Answer, PASSWORD, TestApp, on_each_database},
    mail::{
        app, app_with, header, read,
        server::{Mood, SmtpServer},
        settled, turn_on,
    },
    notifications::soon,
};

const NEW: &str = "a better horse";
const ADA: &str = "ada@example.com";

/// A server whose mail goes somewhere.
struct Post {
    app: TestApp,
    smtp: SmtpServer,
}

impl Post {
    async fn new() -> Self {
        let smtp = SmtpServer::start(Mood::Kind).await;
        let app = app(&smtp, false).await;
        Self { app, smtp }
    }

    async fn on_postgres() -> Self {
        let smtp = SmtpServer::start(Mood::Kind).await;
        let app = app(&smtp, true).await;
        Self { app, smtp }
    }

    async fn ask(&self, email: &str) -> Answer {
        let form = json!({ "email": email });
        self.app.nobody().post("/api/auth/reset", form).await
    }

    async fn confirm(&self, token: &str, password: &str) -> Answer {
        let form = json!({ "token": token, "password": password });
        let nobody = self.app.nobody();
        nobody.post("/api/auth/reset/confirm", form).await
    }

    /// Waits for so many mails in all: the token in the last one.
    async fn token(&self, count: usize) -> String {
        let mail = soon(async || {
            let got = self.smtp.got();
            (got.len() == count).then(|| got[count - 1].clone())
        })
        .await;
        assert_eq!(mail.to, "Ada@example.com");
        assert_eq!(header(&mail.message, "Subject"), "Set a new password");
        let text = read(&mail.message);
        assert!(!text.contains("List-Unsubscribe"), "{text}");
        let (_, rest) = text.split_once("http://tidings.test/reset?token=").unwrap();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        rest[..end.unwrap()].to_owned()
    }
}

on_each_database!(Post:
    a_link_sets_a_password_once,
    a_link_ends_after_an_hour_and_with_the_password,
    plain_forms_do_it_too,
);

async fn a_link_sets_a_password_once(post: Post) {
    let ada = post.app.person("Ada").await;
    let other = other_browser(&post.app, &ada).await;
    let program = ada.program().await;
    post.ask(" ADA@example.com ").await.status(202);
    let token = post.token(1).await;
    post.confirm(&token, "short")
        .await
        .refused(422, "validation_failed", &["password"]);
    assert!(is_in(&ada).await);
    // Of several at once, one does it.
    let (one, two) = tokio::join!(post.confirm(&token, NEW), post.confirm(&token, PASSWORD));
    let mut codes = [one.code, two.code];
    codes.sort_unstable();
    assert_eq!(codes, [204, 422], "{} {}", one.text, two.text);
    let set = if one.code == 204 { NEW } else { PASSWORD };
    post.confirm(&token, NEW)
        .await
        .refused(422, "validation_failed", &["token"]);
    for person in [&ada, &other] {
        assert!(!is_in(person).await);
    }
    // Programs have tokens of their own.
    assert!(is_in(&program).await);
    sign_in(&post.app, ADA, set).await.status(200);
    let trail = soon(async || {
        let rows = program.get("/api/audit").await.expect(200);
        let text = rows.to_string();
        text.contains("audit.user.password_changed").then_some(text)
    })
    .await;
    assert_eq!(trail.matches("audit.user.password_changed").count(), 1);
}

async fn a_link_ends_after_an_hour_and_with_the_password(post: Post) {
    let spent = async |token: &str| {
        let answer = post.confirm(token, NEW).await;
        answer.refused(422, "validation_failed", &["token"]);
    };
    let ada = post.app.person("Ada").await;
    post.ask(ADA).await.status(202);
    let late = post.token(1).await;
    turn_on(&post.app, 61);
    spent(&late).await;
    post.ask(ADA).await.status(202);
    let token = post.token(2).await;
    let change = json!({ "current": PASSWORD, "new": "yet another horse" });
    ada.post("/api/me/password", change).await.status(204);
    spent(&token).await;
    for made_up in [
        "",
        "x",
        &token[1..],
        &token.replace(&token[..8], "AAAAAAAA"),
    ] {
        let answer = post.confirm(made_up, NEW).await;
        assert_eq!(answer.code, 422, "{made_up}: {}", answer.text);
    }
    assert!(is_in(&ada).await);
}

async fn plain_forms_do_it_too(post: Post) {
    let ada = post.app.person("Ada").await;
    // People reach it under another name than these tests.
    let nobody = post.app.nobody().known_by("sec-fetch-site", "same-origin");
    let page = nobody.get("/sign-in").await;
    assert!(page.text.contains("href=\"/forgot\""));
    let page = nobody.get("/forgot").await;
    assert!(page.text.contains("action=\"/rpc/forgot_password\""));
    let send = async |email: &str| {
        let fields = [("email", email)];
        let answer = nobody
            .form("/rpc/forgot_password", "/forgot", &fields)
            .await;
        (answer.code, answer.header("location"))
    };
    let sent = (302, "/forgot?done=sent".to_owned());
    assert_eq!(send(ADA).await, sent);
    assert_eq!(send("eve@example.com").await, sent);
    let (_, back) = send("eve").await;
    let page = nobody.get(&back).await;
    assert!(page.text.contains("That is not an email address."));
    assert!(page.text.contains("value=\"eve\""));
    let page = nobody.get("/forgot?done=sent").await;
    assert!(page.text.contains("a mail is on its way"));

    let token = post.token(1).await;
    let at = format!("/reset?token={token}");
    let page = nobody.get(&at).await;
    assert!(page.text.contains("action=\"/rpc/reset_password\""));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let set = async |password: &str| {
        let fields = [("token", &*token), ("password", password)];
        let answer = nobody.form("/rpc/reset_password", &at, &fields).await;
        (answer.code, answer.header("location"))
    };
    let (_, back) = set("tiny").await;
    assert!(back.starts_with(&at) && !back.contains("tiny"), "{back}");
    let page = nobody.get(&back).await;
    assert!(page.text.contains("This must have at least 10 characters."));
    assert!(page.text.contains("action=\"/rpc/reset_password\""));
    assert_eq!(set(NEW).await, (302, "/sign-in?done=reset".to_owned()));
    let page = nobody.get("/sign-in?done=reset").await;
    assert!(page.text.contains("The new password is set."));
    assert!(!is_in(&ada).await);
    sign_in(&post.app, ADA, NEW).await.status(200);
    let (_, back) = set(NEW).await;
    let page = nobody.get(&back).await;
    assert!(page.text.contains("This link does not work any more"));
    assert!(!page.text.contains("action=\"/rpc/reset_password\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_learns_who_has_an_account() {
    let post = Post::new().await;
    post.app.person("Ada").await;
    for email in [ADA, "eve@example.com"] {
        let began = Instant::now();
        let answer = post.ask(email).await;
        assert!(began.elapsed() >= Duration::from_millis(500), "{email}");
        assert_eq!((answer.code, &*answer.text), (202, ""));
    }
    post.token(1).await;
    assert_eq!(settled(&post.app).await, 0);
    assert_eq!(post.smtp.got().len(), 1);
    post.ask("eve")
        .await
        .refused(422, "validation_failed", &["email"]);
    // To ask changes nothing.
    assert_eq!(
        recorded(&post.app, "audit.user.password_changed").await,
        Vec::<Value>::new()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_are_asked_for_only_so_often() {
    let smtp = SmtpServer::start(Mood::Kind).await;
    let app = app_with(&smtp, false, |config| {
        config.limits.sign_in_account = Some("2/1h".parse().unwrap());
        config.limits.sign_in_address = Some("5/1h".parse().unwrap());
    })
    .await;
    let post = Post { app, smtp };
    for email in ["ada@example.com", "eve@example.com"] {
        for _ in 0..2 {
            post.ask(email).await.status(202);
        }
    }
    // The account's, and, with it, the address's.
    post.ask("eve@example.com")
        .await
        .refused(429, "rate_limited", &[]);
    post.ask("bob@example.com")
        .await
        .refused(429, "rate_limited", &[]);
    post.confirm("x", NEW)
        .await
        .refused(429, "rate_limited", &[]);
}

//! A real server on a port of its own, and people who talk to it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tidings::{
    clock::{Ambient, Clock, RandomIds, SystemClock},
    config::Config,
    error::{Error, Result},
    http::state::AppState,
    server::Server,
};
use tidings_domain::time::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::postgres;

/// Runs each test over each database.
macro_rules! on_each_database {
    ($app:ident: $($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::$app::new().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::$app::on_postgres().await).await;
            })*
        }
    };
}
pub(crate) use on_each_database;

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A clock that tests turn, or the machine's until they do.
#[derive(Default)]
pub(crate) struct Hand(AtomicI64);

impl Hand {
    /// Turns it to an instant.
    pub(crate) fn set(&self, at: &str) {
        let Timestamp(ms) = at.parse().unwrap();
        self.0.store(ms, Ordering::Relaxed);
    }

    /// Whoever looks at it panics from now on.
    pub(crate) fn smash(&self) {
        self.0.store(i64::MIN, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        match self.0.load(Ordering::Relaxed) {
            0 => SystemClock.now(),
            i64::MIN => panic!("the clock is broken"),
            ms => Timestamp(ms),
        }
    }
}

/// A server that runs, with a database of its own.
pub(crate) struct TestApp {
    pub(crate) base: String,
    /// Where the sidecar reaches it.
    pub(crate) side: String,
    pub(crate) clock: Arc<Hand>,
    /// What its handlers use.
    pub(crate) inside: AppState,
    stop: CancellationToken,
    serving: Option<JoinHandle<Result<()>>>,
    folder: Option<TempDir>,
}

impl TestApp {
    /// Starts one.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts one whose configuration is another.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            site_addr: ([127, 0, 0, 1], 0).into(),
            sidecar_addr: ([127, 0, 0, 1], 0).into(),
            database_url: format!("sqlite://{}", folder.path().join("t.db").display()),
            ..Config::default()
        };
        change(&mut config);
        let clock = Arc::new(Hand::default());
        let ambient = Ambient {
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let server = Server::build(config, ambient).await.unwrap();
        let base = format!("http://{}", server.addr());
        let side = format!("http://{}", server.sidecar_addr().unwrap());
        let inside = server.app().clone();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server.run_until(stop.clone()));
        Self {
            base,
            side,
            clock,
            inside,
            stop,
            serving: Some(serving),
            folder: Some(folder),
        }
    }

    /// Starts one on PostgreSQL.
    pub(crate) async fn on_postgres() -> Self {
        let url = postgres::database().await;
        Self::with(|config| config.database_url = url).await
    }

    /// Somebody who is not signed in.
    pub(crate) fn nobody(&self) -> Person {
        Person::at(&self.base)
    }

    /// The other end of the listener that the sidecar reaches.
    pub(crate) fn sidecar(&self) -> Person {
        Person::at(&self.side)
    }

    /// Somebody who has just signed up, in UTC.
    pub(crate) async fn person(&self, name: &str) -> Person {
        self.person_in(name, "UTC").await
    }

    /// Somebody who has just signed up, in a zone.
    pub(crate) async fn person_in(&self, name: &str, zone: &str) -> Person {
        self.nobody().sign_up(name, zone).await
    }

    /// Its database, past the server.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let file = self.folder.as_ref().unwrap().path().join("t.db");
        let options = SqliteConnectOptions::new().filename(file);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Stops it and waits until it has; the folder of its database.
    pub(crate) async fn stop(mut self) -> TempDir {
        self.stop.cancel();
        self.serving.take().unwrap().await.unwrap().unwrap();
        self.folder.take().unwrap()
    }

    /// Waits until it has stopped by itself: why.
    pub(crate) async fn failed(mut self) -> Error {
        let ended = self.serving.take().unwrap().await.unwrap();
        ended.unwrap_err()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// A client of the server.
#[derive(Clone)]
pub(crate) struct Person {
    base: String,
    pub(crate) name: String,
    /// A header that says who asks.
    pub(crate) credential: Option<(&'static str, String)>,
    http: reqwest::Client,
}

impl Person {
    /// Somebody who is not signed in.
    pub(crate) fn at(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            base: base.to_owned(),
            name: String::new(),
            credential: None,
            http,
        }
    }

    /// Somebody who has just signed up, in UTC.
    pub(crate) async fn registered(base: &str, name: &str) -> Self {
        Self::at(base).sign_up(name, "UTC").await
    }

    async fn sign_up(mut self, name: &str, zone: &str) -> Self {
        let form = json!({ "email": format!("{name}@example.com"), "name": name,
            "password": PASSWORD, "time_zone": zone });
        let answer = self.post("/api/auth/register", form).await;
        let cookie = answer.header("set-cookie");
        let (cookie, _) = cookie.split_once(';').unwrap();
        self.credential = Some(("cookie", cookie.to_owned()));
        self.name = name.to_owned();
        answer.expect(201);
        self
    }

    /// The same person at another server.
    pub(crate) fn at_base(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// The same person as a program with a personal token.
    pub(crate) async fn program(&self) -> Self {
        let made = self.post("/api/tokens", json!({ "name": "Program" })).await;
        let token = made.expect(201)["token"].as_str().unwrap().to_owned();
        Self {
            credential: Some(("authorization", format!("Bearer {token}"))),
            ..self.clone()
        }
    }

    /// The same person, known by another header.
    pub(crate) fn known_by(&self, header: &'static str, value: impl Into<String>) -> Self {
        Self {
            credential: Some((header, value.into())),
            ..self.clone()
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// Asks somebody who may not be there.
    pub(crate) async fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_send("GET", path, &[], String::new()).await.ok()
    }

    async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> reqwest::Result<Answer> {
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, [&self.base, path].concat());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((name, value)) = &self.credential {
            request = request.header(*name, value);
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await?;
        Ok(Answer {
            asked: path.to_owned(),
            code: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], String::new()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], String::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.json("PUT", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json("PATCH", path, body).await
    }

    /// Sends a plain form from a page, as a browser without script does.
    pub(crate) async fn form(&self, path: &str, page: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let referer = [&self.base, page].concat();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ("referer", &*referer),
            ("origin", &*self.base),
        ];
        self.send("POST", path, &headers, body).await
    }
}

/// What the server answered.
pub(crate) struct Answer {
    asked: String,
    pub(crate) code: u16,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name);
        value.map_or_else(String::new, |v| v.to_str().unwrap().to_owned())
    }

    /// Holds the answer to a status.
    #[track_caller]
    pub(crate) fn status(&self, code: u16) {
        assert_eq!(self.code, code, "{}: {}", self.asked, self.text);
    }

    /// The body as JSON, if that is the status.
    #[track_caller]
    pub(crate) fn expect(self, code: u16) -> Value {
        self.status(code);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Holds the answer to a problem with these fields, in any order.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str, fields: &[&str]) {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        let errors = problem["errors"].as_array().unwrap();
        let mut named: Vec<_> = errors
            .iter()
            .map(|e| e["field"].as_str().unwrap())
            .collect();
        let mut fields = fields.to_vec();
        named.sort_unstable();
        fields.sort_unstable();
        assert_eq!(named, fields, "{problem}");
    }
}

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json, value::RawValue};
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};

use super::*;

/// What a call looked like from the other side.
struct Asked {
    line: String,
    token: Option<String>,
    traceparent: Option<String>,
    etag: Option<String>,
    body: Bytes,
}

/// A sidecar that answers what it is told to, in turn; then 204.
#[derive(Clone, Default)]
struct Mock {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    delay: Arc<Mutex<Duration>>,
}

async fn answer(State(mock): State<Mock>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value.map(|v| v.to_str().unwrap().to_owned())
    };
    let body = axum::body::to_bytes(body, 1 << 20).await;
    mock.asked.lock().unwrap().push(Asked {
        line: format!("{} {}", parts.method, parts.uri),
        token: header("dapr-api-token"),
        traceparent: header("traceparent"),
        etag: header("if-match"),
        body: body.unwrap(),
    });
    let delay = *mock.delay.lock().unwrap();
    tokio::time::sleep(delay).await;
    let next = mock.answers.lock().unwrap().pop_front();
    let (status, body) = next.unwrap_or((204, String::new()));
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("etag", "7")], body).into_response()
}

/// A client of a mock, whose waits are short.
struct Bench {
    mock: Mock,
    client: Client,
    serving: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn client(port: u16) -> Client {
    let settings = Settings {
        host: "127.0.0.1".into(),
        port,
        api_token: Token::new("s3cret"),
        ..Settings::default()
    };
    let mut client = Client::new(&settings).unwrap();
    client.pace.timeout = Duration::from_millis(200);
    client.pace.wait = Duration::from_millis(10);
    client
}

impl Bench {
    async fn new(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(listener.local_addr().unwrap().port());
        let mock = Mock::default();
        let answers = answers
            .iter()
            .map(|(code, body)| (*code, (*body).to_owned()));
        mock.answers.lock().unwrap().extend(answers);
        let router = Router::new().fallback(answer).with_state(mock.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            mock,
            client,
            serving,
        }
    }

    fn asked(&self) -> usize {
        self.mock.asked.lock().unwrap().len()
    }

    async fn publish(&self) -> Result<(), Error> {
        let message = message("1");
        self.client
            .publish("todo-pubsub", "task-events", &message)
            .await
    }
}

fn message(id: &str) -> Message {
    Message {
        id: id.into(),
        event: RawValue::from_string(json!({ "id": id }).to_string()).unwrap(),
        key: Some("ann & bob".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    }
}

const FORBIDDEN: &str = r#"{"errorCode":"ERR_PUBSUB_FORBIDDEN","message":"not in scope"}"#;

#[tokio::test]
async fn a_message_is_published_with_its_key_token_and_trace() {
    let bench = Bench::new(&[]).await;
    bench.publish().await.unwrap();
    let asked = bench.mock.asked.lock().unwrap();
    assert_eq!(
        asked[0].line,
        "POST /v1.0/publish/todo-pubsub/task-events?metadata.partitionKey=ann+%26+bob"
    );
    assert_eq!(asked[0].token.as_deref(), Some("s3cret"));
    assert!(
        asked[0]
            .traceparent
            .as_ref()
            .unwrap()
            .starts_with("00-0af7")
    );
    assert_eq!(asked[0].body, r#"{"id":"1"}"#);
}

#[tokio::test]
async fn passing_faults_are_tried_three_times() {
    let down = (
        500,
        r#"{"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE","message":"no broker"}"#,
    );
    let bench = Bench::new(&[down, (503, "")]).await;
    bench.publish().await.unwrap();
    assert_eq!(bench.asked(), 3);
    let bench = Bench::new(&[down; 4]).await;
    let error = bench.publish().await.unwrap_err();
    assert_eq!(bench.asked(), 3);
    assert_eq!(
        error.to_string(),
        "publish of todo-pubsub: 500 ERR_PUBSUB_PUBLISH_MESSAGE: no broker"
    );
    assert!(error.fault.is_passing() && !error.fault.is_of_sidecar());
}

#[tokio::test]
async fn lasting_faults_are_tried_once_and_named() {
    for (status, body) in [
        (400, ""),
        (403, FORBIDDEN),
        (404, "<html>"),
        (413, "{"),
        (401, ""),
    ] {
        let bench = Bench::new(&[(status, body)]).await;
        let error = bench.publish().await.unwrap_err();
        assert_eq!(bench.asked(), 1, "{status}");
        assert_eq!(error.fault.status(), Some(status));
        assert!(!error.fault.is_passing());
        if status == 403 {
            assert!(
                error
                    .to_string()
                    .contains("ERR_PUBSUB_FORBIDDEN: not in scope")
            );
        }
    }
}

#[tokio::test]
async fn a_sidecar_that_is_not_there_is_told_from_one_that_is_slow() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = client(port)
        .publish("p", "t", &message("1"))
        .await
        .unwrap_err();
    assert!(error.fault.is_of_sidecar(), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");

    let bench = Bench::new(&[]).await;
    *bench.mock.delay.lock().unwrap() = Duration::from_secs(60);
    let started = Instant::now();
    let error = bench.publish().await.unwrap_err();
    assert!(matches!(error.fault, Fault::Slow(_)), "{error}");
    assert!(started.elapsed() >= Duration::from_millis(600));
    assert_eq!(bench.asked(), 3);
}

#[tokio::test]
async fn a_bulk_call_says_what_failed_of_each() {
    let partly = json!({ "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE",
        "failedEntries": [{ "entryId": "2", "error": "busy" }] });
    let bench = Bench::new(&[(500, &partly.to_string())]).await;
    let messages = ["1", "2", "3"].map(message);
    let failed = bench
        .client
        .publish_bulk("todo-pubsub", "t", &messages)
        .await;
    assert_eq!(failed.unwrap(), [None, Some("busy".to_owned()), None]);
    assert_eq!(bench.asked(), 1, "what was taken is not published again");
    let body: Value = {
        let asked = bench.mock.asked.lock().unwrap();
        let path = "POST /v1.0/publish/bulk/todo-pubsub/t?metadata.rawPayload=true";
        assert_eq!(asked[0].line, path);
        serde_json::from_slice(&asked[0].body).unwrap()
    };
    assert_eq!(body[1]["entryId"], "2");
    assert_eq!(body[1]["event"], json!({ "id": "2" }));
    assert_eq!(body[1]["contentType"], "application/cloudevents+json");
    assert_eq!(body[1]["metadata"], json!({ "partitionKey": "ann & bob" }));

    let all: Vec<_> = ["1", "2", "3"].map(|id| json!({ "entryId": id })).into();
    let none = json!({ "failedEntries": all }).to_string();
    let bench = Bench::new(&[(500, &none)]).await;
    let failed = bench
        .client
        .publish_bulk("p", "t", &messages)
        .await
        .unwrap();
    assert_eq!((failed, bench.asked()), (vec![None, None, None], 2));
}

#[tokio::test]
async fn state_is_read_and_written_by_its_etag() {
    let bench = Bench::new(&[(200, r#"{"tabs":2}"#), (204, ""), (200, "{"), (204, "")]).await;
    let item = bench
        .client
        .state::<Value>("todo-state", "a/b")
        .await
        .unwrap();
    let item = item.unwrap();
    assert_eq!((item.value, &*item.etag), (json!({ "tabs": 2 }), "7"));
    assert!(
        bench
            .client
            .state::<Value>("s", "k")
            .await
            .unwrap()
            .is_none()
    );
    let broken = bench.client.state::<Value>("s", "k").await.unwrap_err();
    assert!(matches!(broken.fault, Fault::Unreadable(_)), "{broken}");
    let ttl = Some(Duration::from_secs(60));
    assert!(
        bench
            .client
            .save_state("s", "k", &1, Some("7"), ttl)
            .await
            .unwrap()
    );
    bench
        .mock
        .answers
        .lock()
        .unwrap()
        .extend([(409, "".into()), (409, "".into())]);
    assert!(
        !bench
            .client
            .save_state("s", "k", &1, None, None)
            .await
            .unwrap()
    );
    assert!(!bench.client.delete_state("s", "k", "7").await.unwrap());
    let asked = bench.mock.asked.lock().unwrap();
    assert_eq!(asked[0].line, "GET /v1.0/state/todo-state/a%2Fb");
    let saved: Value = serde_json::from_slice(&asked[3].body).unwrap();
    let expected = json!([{ "key": "k", "value": 1, "etag": "7",
        "options": { "concurrency": "first-write" }, "metadata": { "ttlInSeconds": "60" } }]);
    assert_eq!(saved, expected);
    assert_eq!(
        asked[5].line,
        "DELETE /v1.0/state/s/k?concurrency=first-write"
    );
    assert_eq!(asked[5].etag.as_deref(), Some("7"));
}

#[tokio::test]
async fn many_values_are_read_in_one_call() {
    let found = json!([{ "key": "c", "data": 3, "etag": "9" }, { "key": "a" }]).to_string();
    let failed = json!([{ "key": "a", "error": "no answer" }]).to_string();
    let bench = Bench::new(&[(200, &found), (200, &failed)]).await;
    let keys = ["a", "b", "c"].map(str::to_owned);
    let read = bench.client.states::<Value>("s", &keys).await.unwrap();
    let item = Item {
        value: json!(3),
        etag: "9".to_owned(),
    };
    assert_eq!(read, [None, None, Some(item)]);
    let failed = bench.client.states::<Value>("s", &keys).await.unwrap_err();
    assert!(failed.to_string().contains("no answer"), "{failed}");
    let asked = bench.mock.asked.lock().unwrap();
    assert_eq!(asked[0].line, "POST /v1.0/state/s/bulk");
    let body: Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!(body, json!({ "keys": keys, "parallelism": 10 }));
}

#[tokio::test]
async fn the_sidecar_tells_of_itself() {
    let metadata = json!({ "id": "tidings", "runtimeVersion": "1.18.1", "unknown": [],
        "components": [{ "name": "todo-pubsub", "type": "pubsub.redis", "version": "v1" }],
        "subscriptions": [{ "pubsubname": "todo-pubsub", "topic": "task-events" }] });
    let metadata = metadata.to_string();
    let bench = Bench::new(&[
        (200, &metadata),
        (200, r#"{"a":"b"}"#),
        (204, ""),
        (500, ""),
    ])
    .await;
    let known = bench.client.metadata().await.unwrap();
    assert_eq!(known.components[0].kind, "pubsub.redis");
    assert_eq!(known.subscriptions[0].topic, "task-events");
    assert_eq!(bench.client.secret("local", "a").await.unwrap()["a"], "b");
    bench.client.outbound_health().await.unwrap();
    assert!(bench.client.outbound_health().await.is_err());
    assert_eq!(bench.asked(), 4);
}

#[test]
fn a_token_shows_itself_to_nobody() {
    let token = Token::new("s3cret").unwrap();
    assert!(token.is(b"s3cret") && !token.is(b"s3cre") && !token.is(b""));
    assert!(!format!("{token:?}").contains("s3cret"));
    assert!(Token::new("").is_none() && Token::new("two words").is_none());
}

//! Every folder of components is loaded by a real sidecar, and works with what it is for.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;
use tidings::dapr::{Client, Settings};

use super::kit::{Process, cache, daprd, ports, spawn, until};
use crate::{kit::Person, postgres};

fn dapr() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dapr")
}

/// Starts a sidecar with a folder of components, and puts each of them to use.
async fn works(components: &str, folder: &Path, variables: &[(&str, String)]) {
    let [http, grpc, internal, metrics] = ports::<4>().map(|port| port.to_string());
    let mut command = Command::new(daprd());
    command
        .args(["--mode", "standalone", "--app-id", "tidings"])
        .args(["--dapr-http-port", &http, "--dapr-grpc-port", &grpc])
        .args(["--dapr-internal-grpc-port", &internal])
        .args(["--metrics-port", &metrics])
        .args(["--dapr-listen-addresses", "127.0.0.1"])
        .arg("--config")
        .arg(dapr().join("config.yaml"))
        .current_dir(folder)
        .env("DAPR_HOST_IP", "127.0.0.1")
        .envs(variables.iter().map(|(name, value)| (name, value)));
    for folder in ["common", components] {
        let folder = dapr().join("components").join(folder);
        command.arg("--resources-path").arg(folder);
    }
    let log = folder.join(format!("{components}-daprd.log"));
    let _sidecar = spawn(&mut command, &log);

    let settings = Settings {
        host: "127.0.0.1".into(),
        port: http.parse().unwrap(),
        ..Settings::default()
    };
    let client = Client::new(&settings).unwrap();
    until(&format!("all of {}", log.display()), async || {
        client.outbound_health().await.ok()
    })
    .await;
    let mut names: Vec<_> = client.metadata().await.unwrap().components;
    names.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = names.iter().map(|component| &*component.name).collect();
    let (cron, secrets) = ("reminder-cron", "todo-secrets");
    let (broadcast, pubsub, state) = ("todo-broadcast", "todo-pubsub", "todo-state");
    assert_eq!(names, [cron, broadcast, pubsub, secrets, state]);

    let api = Person::at(&format!("http://127.0.0.1:{http}"));
    let headers = [("content-type", "application/json")];
    for (component, topic) in [(pubsub, "task-events"), (broadcast, "task-updates")] {
        let path = format!("/v1.0/publish/{component}/{topic}");
        // A topic that is new may have no leader yet.
        until(&format!("{topic}: {}", log.display()), async || {
            let answer = api.send("POST", &path, &headers, "{}".into()).await;
            (answer.code == 204).then_some(())
        })
        .await;
    }
    let saved = client.save_state(state, components, &1, None, None);
    assert!(saved.await.unwrap());
    let kept = client.state::<Value>(state, components).await.unwrap();
    assert_eq!(kept.unwrap().value, 1);
    for (name, value) in variables {
        let secret = client.secret(secrets, name).await.unwrap();
        assert_eq!(&secret[*name], value);
    }
}

/// How state.postgresql is told of a database.
async fn state_database() -> String {
    let url = postgres::database().await;
    let place = url.strip_prefix("postgres://tidings@").unwrap();
    let (host, name) = place.rsplit_once('/').unwrap();
    let host = host.replace("%2F", "/");
    format!("host={host} user=tidings dbname={name}")
}

/// A Kafka that listens in the open, and with SASL over TLS.
struct Kafka {
    _process: Process,
    open: String,
    closed: String,
    /// The certificate of the latter.
    certificate: String,
}

impl Kafka {
    async fn start(folder: &Path) -> Self {
        let store = folder.join("store.p12");
        let key = [
            "-genkeypair -alias kafka -keyalg EC -dname CN=kafka -storetype PKCS12",
            "-ext san=ip:127.0.0.1 -ext bc=ca:true -storepass hushhush",
        ];
        keytool(&store, &key.join(" "));
        let certificate = keytool(&store, "-exportcert -rfc -alias kafka -storepass hushhush");

        let [open, closed, controller] = ports::<3>().map(|port| format!("127.0.0.1:{port}"));
        let given = fs::read_to_string(dapr().join("kafka/server.properties")).unwrap();
        let logs = folder.join("kafka");
        // Of lines that name the same, the last counts.
        let settings = format!(
            "{given}
log.dirs={logs}
offsets.topic.num.partitions=1
controller.quorum.voters=1@{controller}
listeners=PLAINTEXT://{open},SASL_SSL://{closed},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{open},SASL_SSL://{closed}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={LOGIN} required;
ssl.keystore.type=PKCS12
ssl.keystore.location={store}
ssl.keystore.password=hushhush
",
            logs = logs.display(),
            store = store.display(),
        );
        let file = folder.join("server.properties");
        fs::write(&file, settings).unwrap();
        let format = java("kafka.tools.StorageTool")
            .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"])
            .arg(&file)
            .args(["-S", "SCRAM-SHA-512=[name=tidings,password=hush]"])
            .output()
            .unwrap();
        assert!(format.status.success(), "{format:?}");
        let mut server = java("kafka.Kafka");
        server.arg(&file).current_dir(folder);
        let process = spawn(&mut server, &folder.join("kafka.log"));
        until("Kafka listens", async || TcpStream::connect(&closed).ok()).await;
        Self {
            _process: process,
            open,
            closed,
            certificate,
        }
    }
}

const LOGIN: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";

/// What Java's tool for keys says.
fn keytool(store: &Path, arguments: &str) -> String {
    let mut command = Command::new("keytool");
    command
        .args(arguments.split(' '))
        .arg("-keystore")
        .arg(store);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A program of Kafka's, in little memory and soon there.
fn java(class: &str) -> Command {
    let jars = cache().join("kafka");
    assert!(jars.exists(), "no {}: make kafka", jars.display());
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-cp")
        .arg(jars.join("*"))
        .arg(class);
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn components_in_memory_work() {
    works("memory", folder().path(), &[]).await;
}

#[tokio::test]
async fn components_on_redis_work_with_a_password() {
    let folder = folder();
    let [port] = ports();
    let port = port.to_string();
    let mut server = Command::new("redis-server");
    server
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
        .args(["--requirepass", "hush"])
        .current_dir(folder.path());
    let _redis = spawn(&mut server, &folder.path().join("redis.log"));
    let addr = format!("127.0.0.1:{port}");
    until("Redis listens", async || TcpStream::connect(&addr).ok()).await;
    let variables = [("REDIS_ADDR", addr), ("REDIS_PASSWORD", "hush".into())];
    works("redis", folder.path(), &variables).await;
}

#[tokio::test]
async fn components_on_kafka_work_with_and_without_sasl_and_tls() {
    let folder = folder();
    let kafka = Kafka::start(folder.path()).await;
    let state = ("STATE_DATABASE", state_database().await);
    let open = [("KAFKA_BROKERS", kafka.open.clone()), state.clone()];
    works("kafka", folder.path(), &open).await;
    let closed = [
        ("KAFKA_BROKERS", kafka.closed.clone()),
        ("KAFKA_USER", "tidings".into()),
        ("KAFKA_PASSWORD", "hush".into()),
        ("KAFKA_CA", kafka.certificate.clone()),
        state,
    ];
    works("kafka-sasl", folder.path(), &closed).await;
}

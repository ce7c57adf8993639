//! Real processes: a broker, a sidecar that loads the files of `dapr/`, and the program itself.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tidings::dapr::{Client, Settings};

use super::broker::{Kafka, Redis};
use crate::{kit::Person, live::tab::DEADLINE, postgres};

/// A process that is killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let done = Command::new("kill").args([signal, &id]).status();
        assert!(done.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(mut self) {
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn spawn(command: &mut Command, log: &Path) -> Process {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    Process(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

/// Ports that nobody listens on.
pub(crate) fn ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Asks until the answer is the one that is waited for.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + 4 * DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What all of a test's processes share: a broker, a database, a folder.
pub(crate) struct Place {
    redis: Option<Redis>,
    _kafka: Option<Kafka>,
    setting: Setting,
    pub(crate) folder: TempDir,
}

/// What a process must know of its place.
#[derive(Clone)]
struct Setting {
    /// The components of the broker.
    components: &'static str,
    /// Where the broker is, for sidecars.
    broker: (&'static str, String),
    /// Where the database is.
    database: String,
    folder: PathBuf,
}

impl Place {
    /// One with SQLite and Redis.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("t.db").display());
        Self::with_redis(database, folder).await
    }

    /// One with PostgreSQL and Redis.
    pub(crate) async fn on_postgres() -> Self {
        let database = postgres::database().await;
        Self::with_redis(database, tempfile::tempdir().unwrap()).await
    }

    /// One with PostgreSQL and Kafka.
    pub(crate) async fn on_kafka() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kafka = Kafka::start(folder.path()).await;
        let setting = Setting {
            components: "kafka",
            broker: ("KAFKA_BROKERS", kafka.addr.clone()),
            database: postgres::database().await,
            folder: folder.path().to_owned(),
        };
        Self {
            redis: None,
            _kafka: Some(kafka),
            setting,
            folder,
        }
    }

    async fn with_redis(database: String, folder: TempDir) -> Self {
        let redis = Redis::start(folder.path()).await;
        let setting = Setting {
            components: "redis",
            broker: ("REDIS_ADDR", redis.addr()),
            database,
            folder: folder.path().to_owned(),
        };
        Self {
            redis: Some(redis),
            _kafka: None,
            setting,
            folder,
        }
    }

    /// The Redis of a place that has one.
    pub(crate) fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().unwrap()
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> String {
        self.setting.database.clone()
    }

    /// The events that a stream holds, oldest first.
    pub(crate) fn stream(&self, topic: &str) -> Vec<Value> {
        let events = self.cloud_events(topic).into_iter();
        events.map(|mut event| event["data"].take()).collect()
    }

    /// The CloudEvents that a stream holds, oldest first.
    pub(crate) fn cloud_events(&self, topic: &str) -> Vec<Value> {
        self.redis.as_ref().unwrap().stream(topic)
    }

    /// Starts a sidecar, with exactly the files that people deploy.
    pub(crate) fn sidecar(&self, name: &str, app_id: &str, app_port: u16) -> (Process, [u16; 4]) {
        let ports = ports();
        let sidecar = self.setting.sidecar(name, app_id, app_port, ports, &[]);
        (sidecar, ports)
    }

    /// Runs a command of the program on the shared database.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tidings"))
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", &self.setting.database)
            .output()
            .unwrap()
    }
}

impl Setting {
    /// Where a PostgreSQL is, in words and not as a URL.
    fn database_in_words(&self) -> String {
        let url = self.database.trim_start_matches("postgres://");
        let words = url.replace('@', " host=").replace('/', " dbname=");
        format!("user={}", words.replace("%2F", "/"))
    }

    /// Starts a sidecar. Its ports: HTTP, gRPC, internal, metrics.
    fn sidecar(
        &self,
        name: &str,
        app_id: &str,
        app_port: u16,
        ports: [u16; 4],
        variables: &[(&'static str, String)],
    ) -> Process {
        let dapr = Path::new(env!("CARGO_MANIFEST_DIR")).join("dapr");
        let [http, grpc, internal, metrics] = ports.map(|port| port.to_string());
        let mut command = Command::new(daprd());
        command
            .args(["--mode", "standalone", "--app-id", app_id])
            .args(["--app-port", &app_port.to_string()])
            .args(["--dapr-http-port", &http, "--dapr-grpc-port", &grpc])
            .args(["--dapr-internal-grpc-port", &internal])
            .args(["--metrics-port", &metrics])
            .args(["--dapr-listen-addresses", "127.0.0.1"])
            .args([
                "--enable-app-health-check",
                "--app-health-check-path",
                "/healthz",
            ])
            .args(["--app-health-probe-interval", "1"])
            .arg("--config")
            .arg(dapr.join("config.yaml"))
            .current_dir(&self.folder)
            .env("DAPR_HOST_IP", "127.0.0.1")
            .env(self.broker.0, &self.broker.1)
            .env("DATABASE_URL", &self.database)
            .env("STATE_DATABASE", self.database_in_words())
            .envs(variables.iter().cloned());
        let components = Path::new("components");
        let broker = components.join(self.components);
        for folder in [Path::new(""), &components.join("common"), &broker] {
            command.arg("--resources-path").arg(dapr.join(folder));
        }
        spawn(&mut command, &self.folder.join(format!("{name}-daprd.log")))
    }
}

/// The program, with its sidecar.
pub(crate) struct Replica {
    name: &'static str,
    pub(crate) base: String,
    side: u16,
    /// HTTP, gRPC, internal, metrics.
    ports: [u16; 4],
    variables: Vec<(&'static str, String)>,
    setting: Setting,
    program: Option<Process>,
    sidecar: Option<Process>,
}

impl Replica {
    /// Starts both; both know these variables too.
    pub(crate) async fn start(
        place: &Place,
        name: &'static str,
        variables: &[(&'static str, &str)],
    ) -> Self {
        let replica = Self::start_unwell(place, name, variables).await;
        replica.ready("ok").await;
        replica
    }

    /// Starts both, though not all may be well with them.
    pub(crate) async fn start_unwell(
        place: &Place,
        name: &'static str,
        variables: &[(&'static str, &str)],
    ) -> Self {
        let [site, side] = ports();
        let variables = variables.iter().map(|(k, v)| (*k, (*v).to_owned()));
        let mut replica = Self {
            name,
            base: format!("http://127.0.0.1:{site}"),
            side,
            ports: ports(),
            variables: variables.collect(),
            setting: place.setting.clone(),
            program: None,
            sidecar: None,
        };
        replica.start_program();
        replica.start_sidecar();
        replica
    }

    pub(crate) fn start_program(&mut self) {
        let log = self.setting.folder.join(format!("{}.log", self.name));
        self.program = Some(spawn(&mut self.command("serve"), &log));
    }

    /// What the program's doctor says.
    pub(crate) fn doctor(&self) -> Output {
        self.command("doctor").output().unwrap()
    }

    fn command(&self, name: &str) -> Command {
        let site = self.base.trim_start_matches("http://");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command
            .arg(name)
            .current_dir(&self.setting.folder)
            .env_clear()
            .env("LEPTOS_SITE_ADDR", site)
            .env("SIDECAR_ADDR", format!("127.0.0.1:{}", self.side))
            .env("DATABASE_URL", &self.setting.database)
            .env("DAPR_HOST", "127.0.0.1")
            .env("DAPR_HTTP_PORT", self.ports[0].to_string())
            // Only what is delivered can wake a socket.
            .env("LIVE_POLL_SECONDS", "0")
            .env("SAMPLE_TASKS", "false")
            .envs(self.variables.iter().cloned());
        if self.variable("DAPR_SECRET_STORE").is_some() {
            // The sidecar knows where it is.
            command.env_remove("DATABASE_URL");
        }
        command
    }

    /// Starts the sidecar, under the app id that the variables name.
    pub(crate) fn start_sidecar(&mut self) {
        let app_id = self.variable("APP_ID");
        let app_id = app_id.as_deref().unwrap_or("tidings");
        let (ports, variables) = (self.ports, &self.variables);
        let sidecar = self
            .setting
            .sidecar(self.name, app_id, self.side, ports, variables);
        self.sidecar = Some(sidecar);
    }

    pub(crate) fn kill_sidecar(&mut self) {
        self.sidecar = None;
    }

    pub(crate) fn kill_program(&mut self) {
        self.program = None;
    }

    /// Waits until `/readyz` says so; all that it says. All is well only once the sidecar has its
    /// subscriptions, too.
    pub(crate) async fn ready(&self, status: &str) -> Value {
        let nobody = Person::at(&self.base);
        let url = format!("http://127.0.0.1:{}", self.ports[0]);
        let sidecar = Person::at(&url);
        let sidecar = match self.variable("DAPR_API_TOKEN") {
            Some(token) => sidecar.known_by("dapr-api-token", token),
            None => sidecar,
        };
        until(
            &format!(
                "{} is {status}: {}",
                self.name,
                self.setting.folder.display()
            ),
            async || {
                let answer = nobody.try_get("/readyz").await?;
                assert_eq!(answer.code, 200);
                let told: Value = serde_json::from_str(&answer.text).unwrap();
                if told["status"] != status {
                    return None;
                }
                if status == "ok" {
                    let metadata = sidecar.try_get("/v1.0/metadata").await?;
                    let metadata: Value = serde_json::from_str(&metadata.text).ok()?;
                    metadata["subscriptions"]
                        .as_array()
                        .filter(|s| !s.is_empty())?;
                }
                Some(told)
            },
        )
        .await
    }

    /// Changes a variable for whichever of both is started next.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let mut variables = self.variables.iter_mut();
        variables.find(|(key, _)| *key == name).unwrap().1 = value.into();
    }

    fn variable(&self, name: &str) -> Option<String> {
        let found = self.variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone())
    }

    /// Calls of ours to its sidecar.
    pub(crate) fn client(&self) -> Client {
        let settings = Settings {
            host: "127.0.0.1".into(),
            port: self.ports[0],
            ..Settings::default()
        };
        Client::new(&settings).unwrap()
    }

    /// Its sidecar's API, as anyone calls it.
    pub(crate) fn api(&self) -> Person {
        Person::at(&format!("http://127.0.0.1:{}", self.ports[0]))
    }

    /// The port that people reach the program at.
    pub(crate) fn port(&self) -> u16 {
        self.base.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Where its sidecar reaches the program.
    pub(crate) fn side(&self) -> String {
        format!("http://127.0.0.1:{}", self.side)
    }

    /// A metric of the program.
    pub(crate) async fn metric(&self, line: &str) -> Option<f64> {
        let side = Person::at(&self.side());
        let text = side.try_get("/metrics").await?.text;
        let found = text.lines().find_map(|l| l.strip_prefix(line));
        found?.trim().parse().ok()
    }
}

/// The sidecar that `make daprd` builds.
pub(crate) fn daprd() -> PathBuf {
    let daprd = cache().join("daprd");
    assert!(daprd.exists(), "no {}: make daprd", daprd.display());
    daprd
}

/// Where scripts put what they fetch and build.
pub(crate) fn cache() -> PathBuf {
    match std::env::var_os("TIDINGS_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/tidings"),
    }
}

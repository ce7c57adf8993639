//! Real processes: Redis, a sidecar that loads the files of `dapr/`, and the program itself.

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

use crate::{kit::Person, live::tab::DEADLINE, postgres};

/// A process that is killed when it is dropped.
pub(crate) struct Process(Child);

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

/// Redis, and a folder that all of a test's processes share.
pub(crate) struct Place {
    redis: Process,
    redis_port: u16,
    /// Where the database is.
    database: String,
    pub(crate) folder: TempDir,
}

impl Place {
    /// One with SQLite.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("t.db").display());
        Self::over(database, folder).await
    }

    /// One with PostgreSQL.
    pub(crate) async fn on_postgres() -> Self {
        let database = postgres::database().await;
        Self::over(database, tempfile::tempdir().unwrap()).await
    }

    async fn over(database: String, folder: TempDir) -> Self {
        let [redis_port] = ports();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &redis_port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", ""])
            .current_dir(folder.path());
        let place = Self {
            redis: spawn(&mut command, &folder.path().join("redis.log")),
            redis_port,
            database,
            folder,
        };
        until("Redis listens", async || {
            std::net::TcpStream::connect(("127.0.0.1", redis_port)).ok()
        })
        .await;
        place
    }

    /// Stops Redis for a while.
    pub(crate) fn signal_redis(&self, signal: &str) {
        let id = self.redis.0.id().to_string();
        let done = Command::new("kill").args([signal, &id]).status();
        assert!(done.unwrap().success());
    }

    /// The events that a stream holds, oldest first.
    pub(crate) fn stream(&self, topic: &str) -> Vec<Value> {
        let port = self.redis_port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port, "--json", "xrange", topic, "-", "+"])
            .output()
            .unwrap();
        let entries: Vec<(String, Vec<String>)> = serde_json::from_slice(&output.stdout).unwrap();
        let data = entries.iter().map(|(_, fields)| {
            let at = fields.iter().position(|field| field == "data").unwrap();
            serde_json::from_str::<Value>(&fields[at + 1]).unwrap()
        });
        data.map(|mut event| event["data"].take()).collect()
    }

    /// Runs a command of the program on the shared database.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tidings"))
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", &self.database)
            .output()
            .unwrap()
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
    redis: u16,
    database: String,
    folder: PathBuf,
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
            redis: place.redis_port,
            database: place.database.clone(),
            folder: place.folder.path().to_owned(),
            program: None,
            sidecar: None,
        };
        replica.start_program();
        replica.start_sidecar();
        replica
    }

    pub(crate) fn start_program(&mut self) {
        let log = self.folder.join(format!("{}.log", self.name));
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
            .current_dir(&self.folder)
            .env_clear()
            .env("LEPTOS_SITE_ADDR", site)
            .env("SIDECAR_ADDR", format!("127.0.0.1:{}", self.side))
            .env("DATABASE_URL", &self.database)
            .env("DAPR_HOST", "127.0.0.1")
            .env("DAPR_HTTP_PORT", self.ports[0].to_string())
            // Only what is delivered can wake a socket.
            .env("LIVE_POLL_SECONDS", "0")
            .envs(self.variables.iter().cloned());
        if self.variable("DAPR_SECRET_STORE").is_some() {
            // The sidecar knows where it is.
            command.env_remove("DATABASE_URL");
        }
        command
    }

    /// Starts the sidecar, with exactly the files that people deploy, under the app id that the
    /// variables name.
    pub(crate) fn start_sidecar(&mut self) {
        let app_id = self.variable("APP_ID");
        let app_id = app_id.as_deref().unwrap_or("tidings");
        let dapr = Path::new(env!("CARGO_MANIFEST_DIR")).join("dapr");
        let [http, grpc, internal, metrics] = self.ports.map(|port| port.to_string());
        let mut command = Command::new(daprd());
        command
            .args(["--mode", "standalone", "--app-id", app_id])
            .args(["--app-port", &self.side.to_string()])
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
            .env("REDIS_ADDR", format!("127.0.0.1:{}", self.redis))
            .env("DATABASE_URL", &self.database)
            .envs(self.variables.iter().cloned());
        for folder in ["", "components/common", "components/redis"] {
            command.arg("--resources-path").arg(dapr.join(folder));
        }
        let log = self.folder.join(format!("{}-daprd.log", self.name));
        self.sidecar = Some(spawn(&mut command, &log));
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
            &format!("{} is {status}: {}", self.name, self.folder.display()),
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

    /// A metric of the program.
    pub(crate) async fn metric(&self, line: &str) -> Option<f64> {
        let side = Person::at(&format!("http://127.0.0.1:{}", self.side));
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

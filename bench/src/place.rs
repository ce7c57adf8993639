//! Where Tidings is measured with a sidecar: a broker, a database, and replicas of the program.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::{
    Outcome,
    http::{Connection, get},
    postgres::Postgres,
    process::{Process, free, spawn},
};

/// How long anything may take to be ready.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long what was asked for may go on.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at what is waited for.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// What replicas share: an empty database and a Redis, which goes with its data when dropped.
pub(crate) struct Place {
    pub(crate) database: String,
    redis: SocketAddr,
    folder: TempDir,
    _server: Child,
}

impl Place {
    /// One on PostgreSQL, with a database of this name, or else on SQLite.
    pub(crate) async fn new(postgres: Option<&Postgres>, name: &str) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let database = match postgres {
            Some(postgres) => postgres.database(name).await?,
            None => format!("sqlite://{}/tidings.db", folder.path().display()),
        };
        let redis = free()?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &redis.port().to_string()])
            .args(["--bind", "127.0.0.1", "--save", ""])
            .current_dir(folder.path());
        let server = spawn(&mut command)?;
        until("Redis", DEADLINE, async || {
            Ok(TcpStream::connect(redis).await.is_ok())
        })
        .await?;
        Ok(Self {
            database,
            redis,
            folder,
            _server: server,
        })
    }
}

/// The program, and its sidecar where it was started.
pub(crate) struct Replica {
    pub(crate) program: Process,
    side: SocketAddr,
    sidecar: SocketAddr,
    process: Option<Child>,
    /// Whether anything is to be delivered to it.
    pub(crate) hears: bool,
}

impl Replica {
    /// Starts the program; it publishes as soon as it has its sidecar.
    pub(crate) async fn start(place: &Place, roles: &str) -> Outcome<Self> {
        let sidecar = free()?;
        let variables = [
            ("DAPR_HOST", "127.0.0.1".into()),
            ("DAPR_HTTP_PORT", sidecar.port().to_string()),
        ];
        Self::with(place, roles, sidecar, &variables).await
    }

    /// Starts a program that does not publish.
    pub(crate) async fn silent(place: &Place) -> Outcome<Self> {
        let variables = [("EVENT_PUBLISHING_ENABLED", "false".into())];
        Self::with(place, "all", free()?, &variables).await
    }

    async fn with(
        place: &Place,
        roles: &str,
        sidecar: SocketAddr,
        variables: &[(&str, String)],
    ) -> Outcome<Self> {
        let side = free()?;
        let mut all = vec![
            ("SIDECAR_ADDR", side.to_string()),
            ("ROLES", roles.into()),
            // It is left without its sidecar on purpose.
            ("RUST_LOG", "error".into()),
            // Only what is delivered wakes a socket.
            ("LIVE_POLL_SECONDS", "0".into()),
        ];
        all.extend_from_slice(variables);
        let folder = tempfile::tempdir()?;
        Ok(Self {
            program: Process::tidings_on(&place.database, &all, folder).await?,
            side,
            sidecar,
            process: None,
            hears: roles != "web",
        })
    }

    /// Starts its sidecar, with the files that people deploy.
    pub(crate) fn join(&mut self, place: &Place) -> Outcome {
        let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
        let (daprd, files) = (variable("DAPRD_BIN")?, variable("DAPR_FILES")?);
        let files = Path::new(&files);
        let mut command = Command::new(daprd);
        command
            .args(["--mode", "standalone", "--app-id", "tidings"])
            .args(["--log-level", "error"])
            .args(["--dapr-listen-addresses", "127.0.0.1"])
            .arg("--enable-app-health-check")
            .args(["--app-health-check-path", "/healthz"])
            .args(["--app-health-probe-interval", "1"])
            .arg("--config")
            .arg(files.join("config.yaml"))
            .current_dir(place.folder.path())
            .env("DAPR_HOST_IP", "127.0.0.1")
            // As compose.yaml has it.
            .env("GOGC", "400")
            .env("REDIS_ADDR", place.redis.to_string());
        for (flag, port) in [
            ("--app-port", self.side),
            ("--dapr-http-port", self.sidecar),
            ("--dapr-grpc-port", free()?),
            ("--dapr-internal-grpc-port", free()?),
            ("--metrics-port", free()?),
        ] {
            command.arg(flag).arg(port.port().to_string());
        }
        for folder in ["components/common", "components/redis"] {
            command.arg("--resources-path").arg(files.join(folder));
        }
        self.process = Some(spawn(&mut command)?);
        Ok(())
    }

    /// Waits until the program has all that it wants of the sidecar.
    pub(crate) async fn joined(&self) -> Outcome {
        let subscribed = async || {
            let metadata = text(self.sidecar, "/v1.0/metadata").await;
            Ok(metadata.is_ok_and(|text| !self.hears || text.contains("\"pubsubname\"")))
        };
        until("the sidecar", DEADLINE, subscribed).await?;
        let well = async || {
            let told = text(self.program.address, "/readyz").await;
            Ok(told.is_ok_and(|text| text.contains("\"status\":\"ok\"")))
        };
        until("the program", DEADLINE, well).await
    }

    /// Stops the sidecar.
    pub(crate) async fn leave(&mut self) -> Outcome {
        match self.process.take() {
            Some(mut sidecar) => Ok(sidecar.kill().await?),
            None => Ok(()),
        }
    }

    /// Messages of tasks that the sidecar took.
    pub(crate) async fn published(&self) -> Outcome<u64> {
        self.count(|line| {
            line.starts_with("tidings_events_published_total{topic=\"task-")
                && line.contains("outcome=\"taken\"")
        })
        .await
    }

    /// Events of tasks that were delivered and handled; those of people are few.
    pub(crate) async fn handled(&self) -> Outcome<u64> {
        self.count(|line| {
            line.starts_with("tidings_events_consumed_total{consumer=\"analytics\"")
                && line.contains("outcome=\"success\"")
        })
        .await
    }

    /// Waits until so many were.
    pub(crate) async fn handles(&self, events: u64) -> Outcome {
        let handled = async || Ok(self.handled().await? >= events);
        until("what was published", PATIENCE, handled).await
    }

    /// Waits until nothing is published or consumed any more, and with a sidecar nothing waits.
    pub(crate) async fn quiet(&self) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut last = u64::MAX;
        loop {
            let now = self
                .count(|line| {
                    line.starts_with("tidings_events_published_total")
                        || line.starts_with("tidings_events_consumed_total")
                })
                .await?;
            let waits = self.count(|line| line.starts_with("tidings_outbox_pending"));
            if now == last && (self.process.is_none() || waits.await? == 0) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err("a replica does not come to rest".into());
            }
            last = now;
            sleep(10 * LOOK).await;
        }
    }

    /// The sum of the metrics that are meant.
    async fn count(&self, meant: impl Fn(&str) -> bool) -> Outcome<u64> {
        let metrics = text(self.side, "/metrics").await?;
        let meant = metrics.lines().filter(|line| meant(line));
        let values = meant.filter_map(|line| line.rsplit(' ').next());
        Ok(values.filter_map(|value| value.parse::<u64>().ok()).sum())
    }
}

/// What is answered to a GET.
pub(crate) async fn text(address: SocketAddr, path: &str) -> Outcome<String> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.send(&get(path, "")).await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// Waits until it is so.
async fn until(what: &str, within: Duration, is_so: impl AsyncFn() -> Outcome<bool>) -> Outcome {
    let deadline = Instant::now() + within;
    while !is_so().await? {
        if Instant::now() > deadline {
            return Err(format!("not ready in time: {what}").into());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

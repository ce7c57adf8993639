//! The servers that are measured, each a process of its own on a free port.

use std::{
    net::{SocketAddr, TcpListener as Probe},
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::{Outcome, baseline};

/// A running server; gone with its data when dropped.
pub(crate) struct Process {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Process {
    /// The bare handler.
    pub(crate) async fn bare() -> Outcome<Self> {
        let address = free()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(baseline::ARGUMENT).arg(address.to_string());
        Self::start(command, address, tempfile::tempdir()?).await
    }

    /// Tidings, the release build, with an empty database.
    pub(crate) async fn tidings() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite://{}/tidings.db", folder.path().display());
        Self::tidings_on(&database, &[], folder).await
    }

    /// Tidings, the release build, on this database and told these variables too.
    pub(crate) async fn tidings_on(
        database: &str,
        variables: &[(&str, String)],
        folder: TempDir,
    ) -> Outcome<Self> {
        let address = free()?;
        let mut command = program()?;
        command
            .arg("serve")
            .env("LEPTOS_SITE_ADDR", address.to_string())
            .env("DATABASE_URL", database)
            .env("SIDECAR_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "warn")
            .env("SAMPLE_TASKS", "false")
            // All people of a run come from one address.
            .env("SIGN_UP_LIMIT_ADDRESS", "off")
            .env("SIGN_IN_LIMIT_ADDRESS", "off")
            .envs(variables.iter().map(|(name, value)| (name, value)));
        Self::start(command, address, folder).await
    }

    async fn start(mut command: Command, address: SocketAddr, folder: TempDir) -> Outcome<Self> {
        let child = spawn(command.current_dir(folder.path()))?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).await.is_err() {
            if Instant::now() > deadline {
                return Err("a server does not start".into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            address,
            child,
            _folder: folder,
        })
    }

    /// Bytes of memory that it holds.
    pub(crate) fn memory(&self) -> Outcome<u64> {
        memory(&self.child, "VmRSS:")?.ok_or_else(|| "the server is gone".into())
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn stop(mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }
}

/// Bytes of memory that a process holds (`VmRSS:`), or held at most (`VmHWM:`); none once it is gone.
pub(crate) fn memory(child: &Child, which: &str) -> Outcome<Option<u64>> {
    let Some(id) = child.id() else {
        return Ok(None);
    };
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix(which));
    let kibibytes = line.and_then(|l| l.split_whitespace().next());
    // One that has ended and was not waited for has none.
    let bytes = kibibytes.map(|k| k.parse::<u64>()).transpose()?;
    Ok(bytes.map(|k| k * 1024))
}

/// The program that is measured.
pub(crate) fn program() -> Outcome<Command> {
    let binary = std::env::var("TIDINGS_BIN")
        .map_err(|_| "TIDINGS_BIN is not set: run this with `make bench`")?;
    Ok(Command::new(binary))
}

/// Starts something that is killed when it is dropped.
pub(crate) fn spawn(command: &mut Command) -> Outcome<Child> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command.kill_on_drop(true).spawn()?)
}

/// An address that nobody listens on.
pub(crate) fn free() -> Outcome<SocketAddr> {
    Ok(Probe::bind("127.0.0.1:0")?.local_addr()?)
}

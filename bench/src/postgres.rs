//! A PostgreSQL of a run's own.

use std::{
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::sleep,
};

use crate::{Outcome, process::spawn};

/// Debian's.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin";
/// How long it may take to be ready.
const DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks whether it is.
const LOOK: Duration = Duration::from_millis(50);

/// A PostgreSQL that is reached by a socket in a temporary folder, with the settings it comes with.
pub(crate) struct Postgres {
    folder: TempDir,
    _server: Child,
}

impl Postgres {
    /// Whether this machine has one to start.
    pub(crate) fn is_there() -> bool {
        Path::new(POSTGRES).exists()
    }

    /// Starts an empty one.
    pub(crate) async fn start() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        if is_root()? {
            let mut command = Command::new("chown");
            done(command.arg("postgres").arg(folder.path())).await?;
        }
        let (path, data) = (folder.path(), folder.path().join("data"));
        let words = ["-U", "tidings", "-A", "trust", "-E", "UTF8", "--no-sync"];
        let mut command = program("initdb", path)?;
        done(command.args(words).arg("-D").arg(&data)).await?;
        let words = ["-c", "listen_addresses=", "-c", "max_connections=300"];
        let mut command = program("postgres", path)?;
        command.args(words).arg("-D").arg(&data).arg("-k").arg(path);
        let server = spawn(command.stderr(Stdio::null()))?;
        Ok(Self {
            folder,
            _server: server,
        })
    }

    /// Makes a database; its URL.
    pub(crate) async fn database(&self, name: &str) -> Outcome<String> {
        let folder = self.folder.path();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let mut command = program("createdb", folder)?;
            let command = command.arg("-h").arg(folder).args(["-U", "tidings", name]);
            match done(command).await {
                Ok(()) => break,
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => sleep(LOOK).await,
            }
        }
        let folder = folder.display().to_string().replace('/', "%2F");
        Ok(format!("postgres://tidings@{folder}/{name}"))
    }
}

/// One of its programs. It refuses to be run by root, and is then run by the user that its package
/// made.
fn program(name: &str, folder: &Path) -> Outcome<Command> {
    let program = Path::new(POSTGRES).join(name);
    let mut command = if is_root()? {
        let mut command = Command::new("setpriv");
        let user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
        command.args(user).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder);
    Ok(command)
}

fn is_root() -> Outcome<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

/// Runs a command to its end.
async fn done(command: &mut Command) -> Outcome {
    let output = command.output().await?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {words}").into())
}

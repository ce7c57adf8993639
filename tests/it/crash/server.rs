//! The real binary, as a process.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;

use crate::live::tab::DEADLINE;

/// The binary, on ports of its own.
pub(crate) struct Server {
    folder: PathBuf,
    database: String,
    port: u16,
    sidecar: u16,
    child: Child,
}

impl Server {
    /// Starts one; its log goes to the folder.
    pub(crate) async fn start(folder: &Path, database: &str, port: u16, sidecar: u16) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("server.log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tidings"))
            .arg("serve")
            .current_dir(folder)
            .env_clear()
            .env("LEPTOS_SITE_ADDR", format!("127.0.0.1:{port}"))
            .env("SIDECAR_ADDR", format!("127.0.0.1:{sidecar}"))
            .env("DATABASE_URL", database)
            .env("SAMPLE_TASKS", "false")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            folder: folder.to_owned(),
            database: database.to_owned(),
            port,
            sidecar,
            child,
        };
        server.ready().await;
        server
    }

    async fn ready(&mut self) {
        let client = Client::new();
        let url = format!("http://127.0.0.1:{}/readyz", self.port);
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.join("server.log"));
                panic!(
                    "the server did not come up: {ended:?}\n{}",
                    log.unwrap_or_default()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) async fn killed_and_started_again(mut self) -> Self {
        self.kill();
        let (folder, database) = (self.folder.clone(), self.database.clone());
        Self::start(&folder, &database, self.port, self.sidecar).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ports that nobody listens on.
pub(crate) fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

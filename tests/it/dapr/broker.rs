//! Brokers.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::kit::{Process, ports, spawn, until};

/// Redis, up or down.
pub(crate) struct Redis {
    process: Option<Process>,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    /// Starts one whose data lie in the folder once it was stopped.
    pub(crate) async fn start(folder: &Path) -> Self {
        let [port] = ports();
        let mut redis = Self {
            process: None,
            port,
            folder: folder.to_owned(),
        };
        redis.start_again().await;
        redis
    }

    pub(crate) fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it with what is left of its data.
    pub(crate) async fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1", "--save", ""])
            .current_dir(&self.folder);
        self.process = Some(spawn(&mut command, &self.folder.join("redis.log")));
        until("Redis answers", async || {
            (self.ask(&["ping"]).trim() == "\"PONG\"").then_some(())
        })
        .await;
    }

    /// Stops it in order: it keeps its data.
    pub(crate) fn stop(&mut self) {
        self.ask(&["shutdown", "save"]);
        self.process.take().unwrap().ended();
    }

    /// Kills it: its data are gone.
    pub(crate) fn lose(&mut self) {
        self.process = None;
        let _ = fs::remove_file(self.folder.join("dump.rdb"));
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// The CloudEvents that a stream holds, oldest first.
    pub(crate) fn stream(&self, topic: &str) -> Vec<Value> {
        let told = self.ask(&["xrange", topic, "-", "+"]);
        let entries: Vec<(String, Vec<String>)> = serde_json::from_str(&told).unwrap();
        let data = entries.iter().map(|(_, fields)| {
            let at = fields.iter().position(|field| field == "data").unwrap();
            serde_json::from_str(&fields[at + 1]).unwrap()
        });
        data.collect()
    }

    fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "--json"])
            .args(words)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Kafka: one node that is broker and controller.
pub(crate) struct Kafka {
    _process: Process,
    pub(crate) addr: String,
}

impl Kafka {
    /// Starts one with the settings of `dapr/kafka`; its data lie in the folder.
    pub(crate) async fn start(folder: &Path) -> Self {
        let [port, controller] = ports();
        let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("dapr/kafka/server.properties");
        let settings = fs::read_to_string(settings).unwrap();
        let settings = settings
            .replace(":9092", &format!(":{port}"))
            .replace(":9093", &format!(":{controller}"))
            .replace("data/kafka", folder.join("kafka").to_str().unwrap())
            // As many as one person's test needs.
            + "offsets.topic.num.partitions=2\n";
        let file = folder.join("server.properties");
        fs::write(&file, settings).unwrap();
        let format = java("kafka.tools.StorageTool")
            .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(format.status.success(), "{format:?}");
        let process = spawn(
            java("kafka.Kafka").arg(&file).current_dir(folder),
            &folder.join("kafka.log"),
        );
        let addr = format!("127.0.0.1:{port}");
        until("Kafka listens", async || TcpStream::connect(&addr).ok()).await;
        Self {
            _process: process,
            addr,
        }
    }
}

/// A program of Kafka's, in little memory and soon there.
fn java(class: &str) -> Command {
    let jars = super::kit::cache().join("kafka");
    assert!(jars.exists(), "no {}: scripts/kafka.sh", jars.display());
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-cp")
        .arg(jars.join("*"))
        .arg(class);
    command
}

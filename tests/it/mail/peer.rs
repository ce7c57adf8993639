//! An SMTP server of others (nodemailer's), with TLS and sign-in, and whoever certifies it.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    task::JoinHandle,
};

/// Where it is, beside the packages that it needs.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mail/peer");

/// How it comes to TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tls {
    /// Not at all.
    None,
    /// By STARTTLS, before anything else.
    Required,
    /// At once.
    Implicit,
}

/// Certifies servers.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's key and certificate, in PEM.
pub(crate) struct Certified {
    key: String,
    certificate: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its own certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn certify(&self, host: &str) -> Certified {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        Certified {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

/// The server; it takes mail of the user `tidings` alone.
pub(crate) struct Peer {
    pub(crate) port: u16,
    said: Arc<Mutex<Vec<Value>>>,
    hearing: JoinHandle<()>,
    input: ChildStdin,
    child: Child,
}

impl Peer {
    /// Starts one at a port; at 0, at any that is free.
    pub(crate) async fn start(port: u16, tls: Tls, with: &Certified, password: &str) -> Self {
        let mut child = Command::new("node")
            .arg("peer.mjs")
            .current_dir(FOLDER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let config = json!({
            "port": port,
            "tls": format!("{tls:?}").to_lowercase(),
            "key": with.key,
            "cert": with.certificate,
            "user": "tidings",
            "password": password,
        });
        let config = format!("{config}\n");
        input.write_all(config.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next_line().await.unwrap();
        let port = port.expect("it starts, with what `make unit` installs");
        let said = Arc::<Mutex<Vec<Value>>>::default();
        let kept = said.clone();
        let hearing = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock()
                    .unwrap()
                    .push(serde_json::from_str(&line).unwrap());
            }
        });
        Self {
            port: port.parse().unwrap(),
            said,
            hearing,
            input,
            child,
        }
    }

    /// The sign-ins that were tried, and the mails that came.
    pub(crate) fn said(&self, what: &str) -> Vec<Value> {
        let said = self.said.lock().unwrap();
        let said = said.iter().filter(|said| said["what"] == what);
        said.cloned().collect()
    }

    /// Ends it: what it said to the last.
    pub(crate) async fn stop(mut self) -> Vec<Value> {
        drop(self.input);
        self.child.wait().await.unwrap();
        self.hearing.await.unwrap();
        let said = self.said.lock().unwrap();
        said.clone()
    }
}

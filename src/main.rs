//! Tidings: a todo application whose every change is an event.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, Subcommand};
use tidings::{
    clock::Ambient,
    commands::{self, Which},
    config::{AddressArgs, ConfigFault, DatabaseArgs, LogArgs, ServeArgs},
    consumers::{Consumers, Roles},
    live::Hub,
    server::Server,
    shutdown::Signals,
    store::{self, OnCommit, SharedStore},
    telemetry,
};
use tidings_domain::id::UserId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Pages and answers are made of many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tasks, the same in every tab.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Program {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default); migrates the database first
    Serve(Box<Serve>),
    /// Bring the database to the newest schema
    Migrate {
        #[command(flatten)]
        log: LogArgs,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Look after events that could not be published
    Outbox {
        #[command(flatten)]
        log: LogArgs,
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(subcommand)]
        aside: Aside,
    },
    /// Look after events that could not be delivered
    DeadLetters {
        #[command(flatten)]
        log: LogArgs,
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(subcommand)]
        aside: Aside,
    },
    /// Ask a running server whether it is alive
    Healthcheck {
        #[command(flatten)]
        address: AddressArgs,
    },
}

#[derive(Subcommand)]
enum Aside {
    /// Tell of each, a line each
    List,
    /// Try again
    Retry(Picked),
    /// Remove for good
    Drop(Picked),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Picked {
    /// These, by the number that list shows
    ids: Vec<i64>,
    /// All of them
    #[arg(long)]
    all: bool,
}

impl Picked {
    fn which(self) -> Which {
        match self.all {
            true => Which::All,
            false => Which::These(self.ids),
        }
    }
}

#[derive(clap::Args)]
struct Serve {
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Why a command ends badly.
enum Failure {
    /// Bad configuration: exit code 2.
    Config(Vec<ConfigFault>),
    /// A fault while running: exit code 1.
    Running(String),
}

impl From<Vec<ConfigFault>> for Failure {
    fn from(faults: Vec<ConfigFault>) -> Self {
        Self::Config(faults)
    }
}

impl Failure {
    fn running(error: impl std::fmt::Display) -> Self {
        Self::Running(error.to_string())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = Program::parse();
    let done = match program.command {
        None => serve(program.serve).await,
        Some(Command::Serve(flags)) => serve(*flags).await,
        Some(Command::Migrate { log, database }) => migrate(log, database).await,
        Some(Command::Outbox {
            log,
            database,
            aside,
        }) => outbox(log, database, aside).await,
        Some(Command::DeadLetters {
            log,
            database,
            aside,
        }) => dead_letters(log, database, aside).await,
        Some(Command::Healthcheck { address }) => healthcheck(address).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Config(faults)) => {
            faults.iter().for_each(complain);
            ExitCode::from(2)
        }
        Err(Failure::Running(words)) => {
            complain(&words);
            ExitCode::FAILURE
        }
    }
}

/// Where standard error is gone, there is nobody to tell.
fn complain(words: &impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{words}");
}

async fn serve(mut flags: Serve) -> Result<(), Failure> {
    flags.serve.read_secrets().await?;
    let (logging, config) = match (flags.log.check(), flags.serve.check()) {
        (Ok(logging), Ok(config)) => (logging, config),
        (logging, config) => {
            let faults = [logging.err(), config.err()];
            return Err(faults
                .into_iter()
                .flatten()
                .flatten()
                .collect::<Vec<_>>()
                .into());
        }
    };
    telemetry::start(logging);
    let signals = Signals::new().map_err(Failure::running)?;
    let stop = CancellationToken::new();
    let watch = signals.watch(stop.clone());
    let run = async {
        let public = config.public_url.clone();
        let server = Server::build(config, Ambient::default())
            .await
            .map_err(Failure::running)?;
        let addr = server.addr();
        let url = public.map_or_else(|| format!("http://{addr}"), |url| url.to_string());
        tracing::info!("Tidings is at {url}");
        server.run_until(stop).await.map_err(Failure::running)?;
        tracing::info!("stopped");
        Ok(())
    };
    tokio::select! {
        done = run => done,
        () = watch => Err(Failure::Running("stopped at once".into())),
    }
}

async fn migrate(log: LogArgs, database: DatabaseArgs) -> Result<(), Failure> {
    let url = prepare(log, database)?;
    store::migrate(&url).await.map_err(Failure::running)
}

/// Begins to log; the database's URL.
fn prepare(log: LogArgs, database: DatabaseArgs) -> Result<String, Failure> {
    let (logging, url) = match (log.check(), database.check()) {
        (Ok(logging), Ok(url)) => (logging, url),
        (logging, url) => {
            let faults = [logging.err(), url.err()];
            return Err(faults
                .into_iter()
                .flatten()
                .flatten()
                .collect::<Vec<_>>()
                .into());
        }
    };
    telemetry::start(logging);
    Ok(url)
}

/// Told of commits where nobody waits for them: a server that runs looks by itself.
struct Nobody;

impl OnCommit for Nobody {
    fn committed(&self, _: &[UserId]) {}

    fn account_changed(&self, _: UserId) {}
}

async fn open(log: LogArgs, database: DatabaseArgs) -> Result<SharedStore, Failure> {
    let url = prepare(log, database)?;
    let store = store::open(&url, Ambient::default(), Arc::new(Nobody)).await;
    store.map_err(Failure::running)
}

async fn outbox(log: LogArgs, database: DatabaseArgs, aside: Aside) -> Result<(), Failure> {
    let store = open(log, database).await?;
    let mut out = io::stdout();
    let done = match aside {
        Aside::List => commands::list_outbox(&*store, &mut out).await,
        Aside::Retry(picked) => commands::retry_outbox(&*store, &picked.which(), &mut out).await,
        Aside::Drop(picked) => commands::drop_outbox(&*store, &picked.which(), &mut out).await,
    };
    store.close().await;
    done.map_err(Failure::running)
}

async fn dead_letters(log: LogArgs, database: DatabaseArgs, aside: Aside) -> Result<(), Failure> {
    let store = open(log, database).await?;
    let mut out = io::stdout();
    let done = match aside {
        Aside::List => commands::list_letters(&*store, &mut out).await,
        Aside::Retry(picked) => {
            // No sockets are here, and dead letters are of no broadcast.
            let hub = Hub::new(None, CancellationToken::new());
            let ambient = Ambient::default();
            let consumers = Consumers::of_roles(&Roles::all(), &hub, store.clone(), &ambient);
            commands::retry_letters(&*store, &consumers, &picked.which(), &mut out).await
        }
        Aside::Drop(picked) => commands::drop_letters(&*store, &picked.which(), &mut out).await,
    };
    store.close().await;
    done.map_err(Failure::running)
}

async fn healthcheck(address: AddressArgs) -> Result<(), Failure> {
    let addr = reachable(address.check()?);
    let ask = async {
        let mut stream = TcpStream::connect(addr).await?;
        let request = format!("GET /healthz HTTP/1.0\r\nHost: {addr}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    match timeout(Duration::from_secs(5), ask).await {
        Ok(Ok(answer)) if answer.ends_with(b" 200") => Ok(()),
        Ok(Ok(_)) => Err(Failure::Running(format!("{addr} is not well"))),
        Ok(Err(error)) => Err(Failure::Running(format!("{addr}: {error}"))),
        Err(_) => Err(Failure::Running(format!("{addr}: no answer in 5 s"))),
    }
}

/// Where a server that listens on all addresses is reached from here.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    addr
}

//! Tidings: a todo application whose every change is an event.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use tidings::{
    clock::{Ambient, SystemClock},
    commands::{self, Queue, Replayed, Which},
    config::{AddressArgs, Config, ConfigFault, DatabaseArgs, LogArgs, OnboardingArgs, ServeArgs},
    consumers::{Consumers, Roles},
    http::ask,
    live::Hub,
    server::Server,
    shutdown::Signals,
    store::{self, SharedStore},
    telemetry::{self, Logging},
};
use tidings_domain::id::UserId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

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
    Migrate(Place),
    /// Look after events that could not be published
    Outbox {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        aside: Aside,
    },
    /// Look after events that could not be delivered
    DeadLetters {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        onboarding: OnboardingArgs,
        #[command(subcommand)]
        aside: Aside,
    },
    /// Make what a consumer keeps anew from the log
    Replay {
        #[command(flatten)]
        place: Place,
        /// Whose rows
        #[arg(long)]
        consumer: Replayed,
        /// Of this person alone
        #[arg(long, value_name = "ID")]
        user: Option<Uuid>,
    },
    /// Look after mail that could not be sent
    Mails {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        aside: Aside,
    },
    /// Look after what browsers could not be told
    Pushes {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        aside: Aside,
    },
    /// Hold tasks, log, outbox, inbox, audit trail and search against each other
    Verify(Place),
    /// Write all that the database holds to a new file, beside a running server
    Backup {
        #[command(flatten)]
        place: Place,
        /// The new file
        file: PathBuf,
    },
    /// Put a backup in the place of the database, which no server may have open
    Restore {
        #[command(flatten)]
        place: Place,
        /// What backup wrote
        file: PathBuf,
    },
    /// Look at all that the server needs, and say what to do where something is wrong
    Doctor(Box<Serve>),
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

/// Which database a command works on, and how it logs.
#[derive(clap::Args)]
struct Place {
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl Place {
    /// Begins to log; the database's URL.
    fn begin(self) -> Result<String, Failure> {
        let (logging, url) = both(self.log.check(), self.database.check())?;
        telemetry::start(logging);
        Ok(url)
    }

    /// Begins to log, and opens the database, which must be there: a new one would only look well.
    async fn open(self) -> Result<SharedStore, Failure> {
        let url = self.begin()?;
        let store =
            store::open_existing(&url, Ambient::default(), Arc::new(commands::Nobody)).await;
        store.map_err(Failure::running)
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
        Some(Command::Migrate(place)) => migrate(place).await,
        Some(Command::Outbox { place, aside }) => outbox(place, aside).await,
        Some(Command::DeadLetters {
            place,
            onboarding,
            aside,
        }) => dead_letters(place, onboarding, aside).await,
        Some(Command::Verify(place)) => verify(place).await,
        Some(Command::Mails { place, aside }) => unsent(place, Queue::Mails, aside).await,
        Some(Command::Pushes { place, aside }) => unsent(place, Queue::Pushes, aside).await,
        Some(Command::Backup { place, file }) => backup(place, &file).await,
        Some(Command::Restore { place, file }) => restore(place, &file).await,
        Some(Command::Replay {
            place,
            consumer,
            user,
        }) => replay(place, consumer, user).await,
        Some(Command::Doctor(flags)) => doctor(*flags).await,
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

/// What the server runs on, and how it logs.
async fn configure(mut flags: Serve) -> Result<(Logging, Config), Failure> {
    flags.serve.read_secrets().await?;
    both(flags.log.check(), flags.serve.check())
}

async fn doctor(flags: Serve) -> Result<(), Failure> {
    let (logging, config) = configure(flags).await?;
    telemetry::start(logging);
    let done = commands::doctor(&config, &mut io::stdout()).await;
    done.map_err(Failure::running)
}

async fn serve(flags: Serve) -> Result<(), Failure> {
    let (logging, config) = configure(flags).await?;
    let collector = match &config.traces {
        Some(traces) => Some(telemetry::start_traced(logging, traces).map_err(Failure::running)?),
        None => {
            telemetry::start(logging);
            None
        }
    };
    let signals = Signals::new().map_err(Failure::running)?;
    let stop = CancellationToken::new();
    let watch = signals.watch(stop.clone());
    let run = async {
        let done = run(config, stop).await;
        if let Some(collector) = collector {
            collector.stop().await;
        }
        done.map_err(Failure::running)
    };
    tokio::select! {
        done = run => done,
        () = watch => Err(Failure::Running("stopped at once".into())),
    }
}

async fn run(config: Config, stop: CancellationToken) -> tidings::error::Result<()> {
    let public = config.public_url.clone();
    let server = Server::build(config, Ambient::default()).await?;
    let addr = server.addr();
    let url = public.map_or_else(|| format!("http://{addr}"), |url| url.to_string());
    tracing::info!("Tidings is at {url}");
    server.run_until(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn migrate(place: Place) -> Result<(), Failure> {
    let url = place.begin()?;
    store::migrate(&url).await.map_err(Failure::running)
}

/// What was checked, or the faults of both.
fn both<A, B>(
    logging: Result<A, Vec<ConfigFault>>,
    checked: Result<B, Vec<ConfigFault>>,
) -> Result<(A, B), Failure> {
    match (logging, checked) {
        (Ok(logging), Ok(checked)) => Ok((logging, checked)),
        (logging, checked) => {
            let faults = [logging.err(), checked.err()];
            let faults = faults.into_iter().flatten().flatten();
            Err(faults.collect::<Vec<_>>().into())
        }
    }
}

async fn outbox(place: Place, aside: Aside) -> Result<(), Failure> {
    let store = place.open().await?;
    let mut out = io::stdout();
    let done = match aside {
        Aside::List => commands::list_outbox(&*store, &mut out).await,
        Aside::Retry(picked) => commands::retry_outbox(&*store, &picked.which(), &mut out).await,
        Aside::Drop(picked) => commands::drop_outbox(&*store, &picked.which(), &mut out).await,
    };
    store.close().await;
    done.map_err(Failure::running)
}

async fn dead_letters(
    place: Place,
    onboarding: OnboardingArgs,
    aside: Aside,
) -> Result<(), Failure> {
    let samples = onboarding.check()?;
    let store = place.open().await?;
    let mut out = io::stdout();
    let done = match aside {
        Aside::List => commands::list_letters(&*store, &mut out).await,
        Aside::Retry(picked) => {
            // No sockets are here, and dead letters are of no broadcast.
            let hub = Hub::new(None, CancellationToken::new());
            let ambient = Ambient::default();
            let roles = Roles::all();
            let consumers = Consumers::of_roles(&roles, &hub, &store, &ambient, samples);
            commands::retry_letters(&*store, &consumers, &picked.which(), &mut out).await
        }
        Aside::Drop(picked) => commands::drop_letters(&*store, &picked.which(), &mut out).await,
    };
    store.close().await;
    done.map_err(Failure::running)
}

async fn replay(place: Place, consumer: Replayed, user: Option<Uuid>) -> Result<(), Failure> {
    let store = place.open().await?;
    let mut out = io::stdout();
    let user = user.map(UserId);
    let done = commands::replay(&*store, &SystemClock, consumer, user, &mut out).await;
    store.close().await;
    done.map_err(Failure::running)
}

async fn unsent(place: Place, queue: Queue, aside: Aside) -> Result<(), Failure> {
    let store = place.open().await?;
    let mut out = io::stdout();
    let done = match aside {
        Aside::List => commands::list_unsent(&*store, queue, &mut out).await,
        Aside::Retry(picked) => {
            let now = Ambient::default().clock.now();
            commands::retry_unsent(&*store, queue, &picked.which(), now, &mut out).await
        }
        Aside::Drop(picked) => {
            commands::drop_unsent(&*store, queue, &picked.which(), &mut out).await
        }
    };
    store.close().await;
    done.map_err(Failure::running)
}

async fn verify(place: Place) -> Result<(), Failure> {
    let store = place.open().await?;
    let done = commands::verify(&*store, &mut io::stdout()).await;
    store.close().await;
    done.map_err(Failure::running)
}

async fn backup(place: Place, file: &Path) -> Result<(), Failure> {
    let url = place.begin()?;
    let done = commands::backup(&url, file, &mut io::stdout()).await;
    done.map_err(Failure::running)
}

async fn restore(place: Place, file: &Path) -> Result<(), Failure> {
    let url = place.begin()?;
    let ids = Ambient::default().ids;
    let done = commands::restore(&url, file, &*ids, &mut io::stdout()).await;
    done.map_err(Failure::running)
}

async fn healthcheck(address: AddressArgs) -> Result<(), Failure> {
    let addr = address.check()?;
    match ask::get(addr, "/healthz").await {
        Ok((200, _)) => Ok(()),
        Ok(_) => Err(Failure::Running(format!("{addr} is not well"))),
        Err(error) => Err(Failure::Running(format!("{addr}: {error}"))),
    }
}

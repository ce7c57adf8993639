//! The composition root: what a server is made of, and in which order it ends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use any_spawner::Executor;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    auth::{cache::Cache, reset::Resets, secret, sessions::Sessions},
    clock::Ambient,
    config::{Config, EventTransport},
    consumers::{Consumers, Role, catch_up::CatchUp, together::Together},
    dapr::Client,
    error::{Error, Result},
    events::{
        Commits, Dapr, InProcess, Metered, Relay, Roster, Standing, Transport, Wanted, Watch,
    },
    http::{
        self, files, listener,
        origin::Origins,
        sidecar::{
            self, Sidecar,
            subscriptions::{Subscription, subscriptions},
        },
        state::{App, AppState},
        ws::Sockets,
    },
    live::{
        Hub,
        presence::{Presence, StateStore},
    },
    mail::{Sender, compose::Letterhead, unsubscribe::Signer},
    metrics::Metrics,
    push, queue,
    service::{
        accounts::Accounts, browsers::Browsers, notifications::Notifications, reminders::Reminders,
        retention::Retention, tasks::Tasks,
    },
    shutdown::{Beside, watched},
    store::{self, SharedStore},
};

/// How long sockets may take to say goodbye, and the store to close.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that is bound to its port and ready to run.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    app: AppState,
    sockets: Arc<Sockets>,
    /// Where the sidecar reaches us.
    side: (TcpListener, Arc<Sidecar>),
    relay: Relay,
    catch_up: CatchUp,
    /// Tells of reminders, where that role runs here.
    reminders: Option<Reminders>,
    /// Sends mail, where people are notified.
    sender: Option<Sender>,
    /// Tells browsers, likewise.
    pusher: Option<push::Sender>,
    /// Look after the sidecar, where there is one.
    watch: Option<(Watch, Roster, Presence)>,
    store: SharedStore,
    /// Cancelled when the server is to stop: no more connections, sockets close.
    stop: CancellationToken,
}

impl Server {
    /// Opens the database, migrates it, and binds the port.
    ///
    /// # Errors
    /// Where the database or the port cannot be had.
    pub async fn build(config: Config, ambient: Ambient) -> Result<Self> {
        // An error says that it was done already.
        let _ = Executor::init_tokio();
        let listener = bind("LEPTOS_SITE_ADDR", config.site_addr).await?;
        let side = bind("SIDECAR_ADDR", config.sidecar_addr).await?;
        let addr = listener.local_addr().map_err(Error::internal)?;

        let stop = CancellationToken::new();
        let hub = Hub::new(config.live_poll, stop.clone());
        let wake = Arc::new(Notify::new());
        let cache = Arc::new(Cache::default());
        let commits = Arc::new(Commits::new(wake.clone(), hub.clone(), cache.clone()));
        let store = store::open(&config.database_url, ambient.clone(), commits).await?;

        let metrics = Metrics::new(hub.wakes());
        let clock = ambient.clock.clone();
        let (roles, samples) = (&config.roles, config.sample_tasks);
        let consumers = Consumers::of_roles(roles, &hub, &store, &ambient, samples)
            .counted(metrics.clone(), clock.clone());
        let catch_up = CatchUp::new(&consumers, store.clone(), config.catch_up, metrics.clone());
        let reminding = Arc::new(Notify::new());
        let sidecar = Arc::new(Sidecar {
            subscriptions: subscriptions(&config.roles.topics(), &config.dapr),
            consumers: Together::new(consumers.clone()),
            letters: store.clone(),
            feeds: store.clone(),
            outbox: store.clone(),
            mails: store.clone(),
            pushes: store.clone(),
            clock: clock.clone(),
            hub: hub.clone(),
            metrics: metrics.clone(),
            reminding: reminding.clone(),
            token: config.app_token.clone(),
            stopping: stop.clone(),
        });
        let holder = holder(store.epoch(), addr);
        let (transport, watch, standing) = match config.transport {
            EventTransport::Dapr => {
                let by = by_dapr(&config, &sidecar, holder)?;
                let watch = (by.watch, by.roster, by.presence);
                (by.transport, Some(watch), Some(by.standing))
            }
            EventTransport::InProcess => {
                let transport: Arc<dyn Transport> = Arc::new(InProcess::new(consumers));
                (transport, None, None)
            }
        };
        let transport = Arc::new(Metered::new(transport, metrics.clone()));
        let relay = Relay::new(store.clone(), transport, clock.clone(), wake, holder);

        let reminders = config.roles.has(Role::Reminders);
        let reminders = reminders.then(|| Reminders::new(store.clone(), clock.clone(), reminding));
        let mail_secret = store.mail_secret(&secret::session()).await?;
        let signer = Signer::new(mail_secret.clone());
        let sender = match config.roles.has(Role::Notifications) {
            true => {
                let letterhead = Letterhead {
                    base: base(&config, addr),
                    signer: signer.clone(),
                };
                let (smtp, metrics) = (config.smtp.clone(), metrics.clone());
                let sender = Sender::new(store.clone(), clock.clone(), metrics, letterhead, smtp);
                Some(sender?)
            }
            false => None,
        };
        let vapid = push::signer(&*store, &config).await?;
        let pusher = config.roles.has(Role::Notifications).then(|| {
            let (pushes, metrics) = (store.clone(), metrics.clone());
            push::Sender::new(pushes, clock.clone(), metrics, vapid.clone(), config.push)
        });
        let browsers = Browsers::new(store.clone(), ambient.clone(), vapid, config.push);
        let sessions = Arc::new(Sessions::new(store.clone(), clock, cache));
        let limits = config.limits;
        let resets = Resets::new(mail_secret);
        let (kept, at) = (store.clone(), ambient.clone());
        let accounts = Accounts::new(kept, at, sessions.clone(), limits, resets).await?;
        let sockets = Arc::new(Sockets {
            hub: hub.clone(),
            store: store.clone(),
            ambient: ambient.clone(),
            timing: config.timing,
        });
        let tasks = Tasks::new(store.clone(), ambient.clone());
        let app = Arc::new(App {
            notifications: Notifications::new(store.clone(), tasks.clone()),
            tasks,
            browsers,
            signer,
            origins: Origins::new(config.public_url.as_ref(), addr.port()),
            room: Semaphore::new(config.requests),
            stopping: stop.clone(),
            assets: files::assets(&config),
            config,
            ambient,
            store: store.clone(),
            hub,
            sessions,
            accounts,
            metrics,
            standing,
        });
        Ok(Self {
            listener,
            addr,
            app,
            sockets,
            side: (side, sidecar),
            relay,
            catch_up,
            reminders,
            sender,
            pusher: pusher.transpose()?,
            watch,
            store,
            stop,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the sidecar reaches it.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn sidecar_addr(&self) -> Result<SocketAddr> {
        self.side.0.local_addr().map_err(Error::internal)
    }

    /// The parts of it that handlers use.
    pub fn app(&self) -> &AppState {
        &self.app
    }

    /// Serves until `stop`, then ends in order and in bounded time: no more connections, sockets
    /// told to come back, requests answered, the outbox drained, the database closed.
    ///
    /// # Errors
    /// Where a task that it cannot be without failed; it has then ended in the same order.
    pub async fn run_until(self, stop: CancellationToken) -> Result<()> {
        let hub = self.app.hub.clone();
        let retention = Retention::new(self.store.clone(), self.app.ambient.clone());
        let router = if self.app.config.roles.has(Role::Web) {
            http::router(self.app, self.sockets)
        } else {
            http::bare_router(self.app)
        };
        let drain = CancellationToken::new();
        let mut beside = Beside::default();
        beside.keep("relay", &drain, |until| self.relay.run(until));
        beside.keep("retention", &drain, |until| retention.run(until));
        beside.keep("catch-up", &drain, |until| self.catch_up.run(until));
        if let Some(reminders) = self.reminders {
            beside.keep("reminders", &self.stop, |until| reminders.run(until));
        }
        if let Some(sender) = self.sender {
            beside.keep("sender of mail", &self.stop, |until| {
                queue::empty(sender, until)
            });
        }
        if let Some(pusher) = self.pusher {
            beside.keep("sender to browsers", &self.stop, |until| {
                queue::empty(pusher, until)
            });
        }
        if let Some((watch, roster, presence)) = self.watch {
            beside.keep("watch over the sidecar", &drain, |until| watch.run(until));
            beside.keep("roster", &drain, |until| roster.run(until));
            beside.keep("presence", &drain, |until| presence.run(until));
        }
        let failed = beside.failed().clone();
        let told = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = failed.cancelled() => {}
                () = hub.failed().cancelled() => {}
                () = self.store.failed().cancelled() => {}
            }
            self.stop.cancel();
        };
        let serve = listener::serve(self.listener, router, self.stop.clone());
        let serve = watched("listener", self.stop.clone(), failed.clone(), serve);
        let (side, sidecar) = self.side;
        let side = listener::serve(side, sidecar::router(sidecar), self.stop.clone());
        let name = "listener for the sidecar";
        let side = watched(name, self.stop.clone(), failed.clone(), side);
        tokio::join!(told, serve, side);
        if timeout(PATIENCE, hub.drained()).await.is_err() {
            tracing::warn!("sockets were cut off: they did not close in time");
        }
        drain.cancel();
        beside.ended().await;
        if timeout(PATIENCE, self.store.close()).await.is_err() {
            tracing::warn!(
                "the database was not closed in time; it mends itself at the next start"
            );
        }
        let parts = [&failed, hub.failed(), self.store.failed()];
        if parts.into_iter().any(CancellationToken::is_cancelled) {
            return Err(Error::internal("a task of the server failed"));
        }
        Ok(())
    }
}

async fn bind(variable: &str, addr: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(addr).await;
    bound.map_err(|error| Error::Unavailable(format!("{variable} {addr}: {error}").into()))
}

/// What publishes through a sidecar, what looks after it, and what all of them keep true.
struct ByDapr {
    transport: Arc<dyn Transport>,
    watch: Watch,
    roster: Roster,
    presence: Presence,
    standing: Arc<Standing>,
}

fn by_dapr(config: &Config, sidecar: &Sidecar, holder: Uuid) -> Result<ByDapr> {
    let settings = &config.dapr;
    let client = Client::new(settings).map_err(Error::internal)?;
    let standing = Arc::new(Standing::default());
    let public_url = config.public_url.as_ref();
    let transport = Dapr::new(client.clone(), settings, public_url, standing.clone());
    let subscriptions = sidecar.subscriptions.iter().map(Subscription::told);
    let wanted = Wanted::new(settings, subscriptions.collect());
    let presence = Presence::new(
        sidecar.hub.tabs().clone(),
        Arc::new(StateStore::new(client.clone(), settings)),
        holder,
        sidecar.clock.clone(),
        standing.clone(),
        sidecar.metrics.clone(),
    );
    Ok(ByDapr {
        presence,
        transport: Arc::new(transport),
        watch: Watch::new(
            client.clone(),
            sidecar.outbox.clone(),
            wanted,
            standing.clone(),
        ),
        roster: Roster::new(client, settings, &config.roles, standing.clone()),
        standing,
    })
}

/// Where people reach this server, without a slash at the end.
fn base(config: &Config, addr: SocketAddr) -> String {
    match &config.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{addr}"),
    }
}

/// Whom the relay's leases belong to: the same after a restart, so that the leases of the one before
/// are ours, and no other process on this database, since none of this machine listens here and other
/// machines have other names.
fn holder(epoch: Uuid, addr: SocketAddr) -> Uuid {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Uuid::new_v5(&epoch, format!("{machine} {addr}").as_bytes())
}

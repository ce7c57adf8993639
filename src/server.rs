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
    auth::{cache::Cache, sessions::Sessions},
    clock::Ambient,
    config::Config,
    consumers::{Consumers, Role},
    error::{Error, Result},
    events::{Commits, InProcess, Relay},
    http::{
        self, files, listener,
        origin::Origins,
        state::{App, AppState},
        ws::Sockets,
    },
    live::Hub,
    service::{accounts::Accounts, tasks::Tasks},
    shutdown::watched,
    store::{SharedStore, SqliteStore},
};

/// How long sockets may take to say goodbye, and the store to close.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that is bound to its port and ready to run.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    app: AppState,
    sockets: Arc<Sockets>,
    relay: Relay,
    store: Arc<SqliteStore>,
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
        let listener = TcpListener::bind(config.site_addr).await.map_err(|error| {
            Error::Unavailable(format!("LEPTOS_SITE_ADDR {}: {error}", config.site_addr).into())
        })?;
        let addr = listener.local_addr().map_err(Error::internal)?;

        let stop = CancellationToken::new();
        let hub = Hub::new(config.live_poll, stop.clone());
        let wake = Arc::new(Notify::new());
        let cache = Arc::new(Cache::default());
        let commits = Arc::new(Commits::new(wake.clone(), hub.clone(), cache.clone()));
        let store = SqliteStore::open(&config.database_url, ambient.clone(), commits).await?;
        let store = Arc::new(store);
        let shared: SharedStore = store.clone();

        let consumers = Consumers::of_roles(&config.roles, &hub, store.clone(), &ambient);
        let transport = Arc::new(InProcess::new(consumers));
        // The same after a restart, so that the leases of the one before are ours; and no other
        // process on this database listens here.
        let holder = Uuid::new_v5(&shared.epoch(), addr.to_string().as_bytes());
        let clock = ambient.clock.clone();
        let relay = Relay::new(store.clone(), transport, clock.clone(), wake, holder);

        let sessions = Arc::new(Sessions::new(shared.clone(), clock, cache));
        let limits = config.limits;
        let accounts =
            Accounts::new(shared.clone(), ambient.clone(), sessions.clone(), limits).await?;
        let sockets = Arc::new(Sockets {
            hub: hub.clone(),
            store: shared.clone(),
            ambient: ambient.clone(),
            timing: config.timing,
        });
        let app = Arc::new(App {
            tasks: Tasks::new(shared.clone(), ambient.clone()),
            origins: Origins::new(config.public_url.as_ref(), addr.port()),
            room: Semaphore::new(config.requests),
            stopping: stop.clone(),
            assets: files::assets(&config),
            config,
            ambient,
            store: shared,
            hub,
            sessions,
            accounts,
        });
        Ok(Self {
            listener,
            addr,
            app,
            sockets,
            relay,
            store,
            stop,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
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
        let router = if self.app.config.roles.has(Role::Web) {
            http::router(self.app, self.sockets)
        } else {
            http::bare_router(self.app)
        };
        let failed = CancellationToken::new();
        let drain = CancellationToken::new();
        let relay = self.relay.run(drain.clone());
        let relay = watched("relay", drain.clone(), failed.clone(), relay);
        let relay = tokio::spawn(relay);
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
        tokio::join!(told, serve);
        if timeout(PATIENCE, hub.drained()).await.is_err() {
            tracing::warn!("sockets were cut off: they did not close in time");
        }
        drain.cancel();
        if relay.await.is_err() {
            failed.cancel();
        }
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

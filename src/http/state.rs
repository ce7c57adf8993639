//! What handlers share.

use std::sync::Arc;

use tidings_app::shell::Assets;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::origin::Origins;
use crate::{
    auth::sessions::Sessions,
    clock::Ambient,
    config::Config,
    events::Standing,
    live::Hub,
    mail::unsubscribe::Signer,
    metrics::Metrics,
    service::{accounts::Accounts, browsers::Browsers, notifications::Notifications, tasks::Tasks},
    store::SharedStore,
};

/// What every handler may use.
pub type AppState = Arc<App>;

/// The parts of a running server.
pub struct App {
    /// What it runs on.
    pub config: Config,
    /// Time and ids.
    pub ambient: Ambient,
    /// Everything that lasts.
    pub store: SharedStore,
    /// Sockets.
    pub hub: Arc<Hub>,
    /// Who a secret belongs to.
    pub sessions: Arc<Sessions>,
    /// Tasks.
    pub tasks: Tasks,
    /// Notifications.
    pub notifications: Notifications,
    /// Browsers that are told with every tab closed.
    pub browsers: Browsers,
    /// Knows links that unsubscribe.
    pub signer: Signer,
    /// Accounts.
    pub accounts: Accounts,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How publishing stands, where a sidecar does it.
    pub standing: Option<Arc<Standing>>,
    /// Where pages find style and script.
    pub assets: Assets,
    /// Which origins are ours.
    pub origins: Origins,
    /// Requests that may be under way.
    pub(crate) room: Semaphore,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

impl App {
    /// Whether people reach this server by https, however the last hop is made.
    pub fn is_https(&self) -> bool {
        let url = self.config.public_url.as_ref();
        url.is_some_and(|url| url.scheme() == "https")
    }
}

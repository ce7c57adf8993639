//! What a page starts from: read once by the server, rendered there, and lying in the page as JSON
//! so that the browser goes on from the same data.

use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use tidings_domain::statistics::Statistics;
use tidings_domain::{error::Fault, task::Task, time::Timestamp, view::Board};
use uuid::Uuid;

use crate::{
    api::{
        account::{Profile, TokenRow},
        notices::Notices,
        tasks::{Activity, HistoryItem, Listing},
    },
    route::Route,
};

/// What a page starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageData {
    /// The path that was asked for.
    pub path: String,
    /// The query string, without `?`.
    #[serde(default)]
    pub query: String,
    /// The server's clock.
    pub now: Timestamp,
    /// A version 7 UUID made for this page: the ids of its plain forms derive from it, so that a
    /// form that is sent twice does nothing twice.
    pub seed: Uuid,
    /// Who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Open tasks, counts and the feed's cursor; on every page of someone who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<Board>,
    /// What Completed, Trash and Search list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<Listing>,
    /// The task of a task's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// What Activity lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Vec<Activity>>,
    /// Personal tokens, on Account. The browser does not draw that page.
    #[serde(skip)]
    pub tokens: Vec<TokenRow>,
    /// The secret of a token that has just been made; shown this once.
    #[serde(skip)]
    pub new_token: Option<String>,
    /// Notifications. The browser leaves them as the server rendered them.
    #[serde(skip)]
    pub notices: Option<Box<Notices>>,
    /// Whether there are sample tasks that nobody touched, on Account.
    #[cfg(feature = "ssr")]
    #[serde(skip)]
    pub samples: bool,
    /// What Statistics shows. The browser does not draw that page either.
    #[cfg(feature = "ssr")]
    #[serde(skip)]
    pub statistics: Option<Statistics>,
    /// What the security log shows.
    #[cfg(feature = "ssr")]
    #[serde(skip)]
    pub security: Option<crate::pages::security::Shown>,
    /// Why a plain form failed, or why the page cannot be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The server function of the form that failed, such as `/rpc/sign_in`; nothing where it is the
    /// page itself that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl PageData {
    /// The frame's page, if it is one that the browser takes over: signing in and what cannot be
    /// shown stay as the server rendered them.
    pub fn framed(&self) -> Option<Route> {
        let route = Route::parse(&self.path, &self.query);
        let shown = self.fault.is_none() || self.failed.is_some();
        (shown && self.profile.is_some() && !route.is_public()).then_some(route)
    }
}

/// A task and what happened to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The task, in the trash or not.
    pub task: Task,
    /// Its versions, oldest first.
    pub history: Vec<HistoryItem>,
}

//! Who may open a socket, and whether they still may.

use axum::http::HeaderMap;
use tidings_domain::id::UserId;

use super::Sockets;
use crate::{
    auth::{Via, secret},
    error::Result,
    http::caller::{bearer, cookie},
};

impl Sockets {
    /// Who asks, and by which right; nobody without a session or token that holds.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<Option<(UserId, Via)>> {
        let via = match (bearer(headers), cookie(headers)) {
            (Some(token), _) => Via::Token(secret::digest(token)),
            (None, Some(session)) => Via::Session(secret::digest(session)),
            (None, None) => return Ok(None),
        };
        Ok(self.owner(via).await?.map(|user| (user, via)))
    }

    /// Whether the right still holds. Asks the store itself: a socket may be older than any cache.
    pub(super) async fn holds(&self, user: UserId, via: Via) -> Result<bool> {
        Ok(self.owner(via).await? == Some(user))
    }

    async fn owner(&self, via: Via) -> Result<Option<UserId>> {
        let account = match via {
            Via::Session(hash) => {
                let now = self.ambient.clock.now();
                let found = self.store.session(&hash, now).await?;
                found.map(|(_, account)| account)
            }
            Via::Token(hash) => self.store.token_account(&hash).await?,
        };
        Ok(account.map(|account| account.user.id))
    }
}

//! Who may open a socket, and whether they still may.

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use tidings_domain::id::UserId;

use super::Sockets;
use crate::error::Result;

/// What a socket was opened with, by its SHA-256.
pub(super) enum Credential {
    /// The token of a session.
    Session([u8; 32]),
    /// A personal token.
    Token([u8; 32]),
}

impl Sockets {
    /// Who asks, and by which right; nobody without a session or token that holds.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<Option<(UserId, Credential)>> {
        let Some(credential) = credential(headers) else {
            return Ok(None);
        };
        Ok(self
            .owner(&credential)
            .await?
            .map(|user| (user, credential)))
    }

    /// Whether the right still holds.
    pub(super) async fn holds(&self, user: UserId, credential: &Credential) -> Result<bool> {
        Ok(self.owner(credential).await? == Some(user))
    }

    async fn owner(&self, credential: &Credential) -> Result<Option<UserId>> {
        let account = match credential {
            Credential::Session(hash) => {
                let now = self.ambient.clock.now();
                self.store
                    .session(hash, now)
                    .await?
                    .map(|(_, account)| account)
            }
            Credential::Token(hash) => self.store.token_account(hash).await?,
        };
        Ok(account.map(|account| account.user.id))
    }
}

fn credential(headers: &HeaderMap) -> Option<Credential> {
    let hash = |token: &str| Sha256::digest(token.as_bytes()).into();
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok()?.strip_prefix("Bearer ")?;
        return Some(Credential::Token(hash(token)));
    }
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let token = pairs.find_map(|pair| pair.trim().strip_prefix("auth_token="))?;
    Some(Credential::Session(hash(token)))
}

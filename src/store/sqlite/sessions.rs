//! Sessions.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use tidings_domain::{error::Code, id::UserId, time::Timestamp};

use super::{SqliteStore, accounts::account, db, job::News, write::append};
use crate::{
    error::Result,
    store::{Account, LooseEvent, Session, Sessions},
};

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(
        &self,
        session: &Session,
        password_hash: &str,
        event: &LooseEvent,
    ) -> Result<()> {
        let (session, event) = (session.clone(), event.clone());
        let password_hash = password_hash.to_owned();
        self.writer
            .write(News::Outbox, move |connection| {
                Box::pin(async move { begin(connection, &session, &password_hash, &event).await })
            })
            .await
    }

    async fn session(&self, hash: &[u8; 32], now: Timestamp) -> Result<Option<(Session, Account)>> {
        let row = sqlx::query(
            "SELECT u.id, u.email, u.name, u.time_zone, u.created_at, u.password_hash, u.theme, \
             s.created_at, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id \
             WHERE s.token_hash = ?1 AND s.expires_at > ?2",
        )
        .bind(hash.as_slice())
        .bind(now.0)
        .fetch_optional(&self.readers)
        .await
        .map_err(db)?;
        let Some(row) = row else { return Ok(None) };
        let account = account(&row)?;
        let session = Session {
            token_hash: *hash,
            user_id: account.user.id,
            created_at: Timestamp(row.try_get(7).map_err(db)?),
            expires_at: Timestamp(row.try_get(8).map_err(db)?),
        };
        Ok(Some((session, account)))
    }

    async fn extend_session(&self, hash: &[u8; 32], expires_at: Timestamp) -> Result<()> {
        let update = sqlx::query("UPDATE sessions SET expires_at = ?2 WHERE token_hash = ?1")
            .bind(hash.to_vec())
            .bind(expires_at.0);
        self.writer.execute(News::None, update).await.map(drop)
    }

    async fn end_session(
        &self,
        hash: &[u8; 32],
        user: UserId,
        everywhere: bool,
        event: &LooseEvent,
    ) -> Result<()> {
        let delete =
            sqlx::query("DELETE FROM sessions WHERE user_id = ?1 AND (?3 OR token_hash = ?2)")
                .bind(user.to_string())
                .bind(hash.to_vec())
                .bind(everywhere);
        let event = event.clone();
        self.writer
            .write(News::Account(user), move |connection| {
                Box::pin(async move {
                    let ended = delete.execute(&mut *connection).await.map_err(db)?;
                    // Signing out twice is one event.
                    if ended.rows_affected() == 0 {
                        return Ok(());
                    }
                    append(connection, &event).await
                })
            })
            .await
    }
}

/// Begins a session, if its person's password is still the one of the hash.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    session: &Session,
    password_hash: &str,
    event: &LooseEvent,
) -> Result<()> {
    let begun = sqlx::query(
        "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) \
         SELECT ?1, id, ?3, ?4 FROM users WHERE id = ?2 AND password_hash = ?5",
    )
    .bind(session.token_hash.as_slice())
    .bind(session.user_id.to_string())
    .bind(session.created_at.0)
    .bind(session.expires_at.0)
    .bind(password_hash)
    .execute(&mut *connection)
    .await
    .map_err(db)?;
    if begun.rows_affected() == 0 {
        return Err(Code::InvalidCredentials.into());
    }
    append(connection, event).await
}

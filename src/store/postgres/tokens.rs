//! Personal API tokens.

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::{id::UserId, time::Timestamp};
use uuid::Uuid;

use super::{PostgresStore, accounts::account, db, job::News, write::append};
use crate::{
    error::Result,
    store::{Account, LooseEvent, Token, Tokens},
};

#[async_trait]
impl Tokens for PostgresStore {
    async fn create_token(
        &self,
        user: UserId,
        token: &Token,
        hash: &[u8; 32],
        max: usize,
        event: &LooseEvent,
    ) -> Result<bool> {
        let (token, hash, event) = (token.clone(), *hash, event.clone());
        self.jobs
            .write(News::Outbox, move |connection| {
                Box::pin(async move {
                    // One after the other for each person: else two could both be the last one.
                    sqlx::query("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE")
                        .bind(user.0)
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    let kept = sqlx::query(
                        "INSERT INTO tokens (id, user_id, token_hash, name, created_at) \
                         SELECT $1, $2, $3, $4, $5 \
                         WHERE (SELECT count(*) FROM tokens WHERE user_id = $2) < $6",
                    )
                    .bind(token.id)
                    .bind(user.0)
                    .bind(hash.as_slice())
                    .bind(token.name)
                    .bind(token.created_at.0)
                    .bind(max as i64)
                    .execute(&mut *connection)
                    .await
                    .map_err(db)?;
                    if kept.rows_affected() == 0 {
                        return Ok(false);
                    }
                    append(connection, &event).await?;
                    Ok(true)
                })
            })
            .await
    }

    async fn tokens(&self, user: UserId) -> Result<Vec<Token>> {
        let rows = sqlx::query(
            "SELECT id, name, created_at FROM tokens WHERE user_id = $1 \
             ORDER BY created_at DESC, id DESC",
        )
        .bind(user.0)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(Token {
                    id: row.try_get(0).map_err(db)?,
                    name: row.try_get(1).map_err(db)?,
                    created_at: Timestamp(row.try_get(2).map_err(db)?),
                })
            })
            .collect()
    }

    async fn revoke_token(&self, user: UserId, id: Uuid, event: &LooseEvent) -> Result<bool> {
        let event = event.clone();
        self.jobs
            .write(News::Account(user), move |connection| {
                Box::pin(async move {
                    let delete = sqlx::query("DELETE FROM tokens WHERE user_id = $1 AND id = $2");
                    let delete = delete.bind(user.0).bind(id);
                    let revoked = delete.execute(&mut *connection).await.map_err(db)?;
                    if revoked.rows_affected() == 0 {
                        return Ok(false);
                    }
                    append(connection, &event).await?;
                    Ok(true)
                })
            })
            .await
    }

    async fn token_account(&self, hash: &[u8; 32]) -> Result<Option<Account>> {
        let row = sqlx::query(
            "SELECT u.id, u.email, u.name, u.time_zone, u.created_at, u.password_hash, u.theme \
             FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash = $1",
        )
        .bind(hash.as_slice())
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.as_ref().map(account).transpose()
    }
}

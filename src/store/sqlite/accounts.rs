//! People.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::{
    account::{User, email_key},
    error::Code,
    id::UserId,
    time::Timestamp,
};

use super::{SqliteStore, db, id, job::News, sessions::begin, write::append};
use crate::{
    error::Result,
    store::{Account, Accounts, LooseEvent, ProfileChange, Session},
};

/// Everything of a person but what goes with the row in `users`, each by an index. Answers to
/// mutations are found through the events that they made, and so go first. Numbers of the log that were
/// the last are given anew, and so compared anew.
pub(super) const FORGET: &str = "\
DELETE FROM mutations WHERE n IN (SELECT m.n FROM events e CROSS JOIN mutations m \
    ON m.mutation_id = e.json->>'$.metadata.mutation_id' AND m.user_id = e.user_id \
    WHERE e.user_id = ?1 AND e.seq IS NOT NULL); \
DELETE FROM mutations WHERE user_id = ?1 AND quiet = 1; \
DELETE FROM events WHERE user_id = ?1 AND seq IS NOT NULL; \
DELETE FROM events WHERE user_id = ?1 AND seq IS NULL; \
DELETE FROM tasks WHERE user_id = ?1 AND completed_at IS NULL AND deleted_at IS NULL; \
DELETE FROM tasks WHERE user_id = ?1 AND completed_at IS NOT NULL AND deleted_at IS NULL; \
DELETE FROM tasks WHERE user_id = ?1 AND deleted_at IS NOT NULL; \
DELETE FROM dead_letters WHERE user_id = ?1; \
DELETE FROM occurrences WHERE user_id = ?1; \
DELETE FROM notifications WHERE user_id = ?1; \
DELETE FROM mails WHERE user_id = ?1; \
DELETE FROM mail_allowances WHERE user_id = ?1; \
DELETE FROM done_days WHERE user_id = ?1; \
DELETE FROM outbox WHERE partition = ?1; \
UPDATE meta SET value = min(CAST(value AS INTEGER), (SELECT coalesce(max(n), 0) FROM events)) \
    WHERE key GLOB 'compared *'";

#[async_trait]
impl Accounts for SqliteStore {
    async fn register(
        &self,
        account: &Account,
        event: &LooseEvent,
        first: Option<(&Session, &LooseEvent)>,
    ) -> Result<()> {
        let (account, event) = (account.clone(), event.clone());
        let first = first.map(|(session, event)| (session.clone(), event.clone()));
        self.writer
            .write(News::Outbox, move |connection| {
                Box::pin(async move {
                    let user = &account.user;
                    let made = sqlx::query(
                        "INSERT INTO users (id, email, email_key, name, time_zone, theme, \
                         password_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                         ON CONFLICT (email_key) DO NOTHING",
                    )
                    .bind(user.id.to_string())
                    .bind(&user.email)
                    .bind(email_key(&user.email))
                    .bind(&user.name)
                    .bind(&user.time_zone)
                    .bind(&account.theme)
                    .bind(&account.password_hash)
                    .bind(user.created_at.0)
                    .execute(&mut *connection)
                    .await
                    .map_err(db)?;
                    if made.rows_affected() == 0 {
                        return Err(Code::EmailTaken.into());
                    }
                    sqlx::query("INSERT INTO feeds (user_id) VALUES (?1)")
                        .bind(user.id.to_string())
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    append(&mut *connection, &event).await?;
                    match first {
                        Some((session, event)) => {
                            begin(connection, &session, &account.password_hash, &event).await
                        }
                        None => Ok(()),
                    }
                })
            })
            .await
    }

    async fn account_by_email(&self, email_key: &str) -> Result<Option<Account>> {
        let row = sqlx::query(
            "SELECT id, email, name, time_zone, created_at, password_hash, theme FROM users \
             WHERE email_key = ?1",
        )
        .bind(email_key)
        .fetch_optional(&self.readers)
        .await
        .map_err(db)?;
        row.as_ref().map(account).transpose()
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>> {
        let row = sqlx::query(
            "SELECT id, email, name, time_zone, created_at, password_hash, theme FROM users \
             WHERE id = ?1",
        )
        .bind(user.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(db)?;
        row.as_ref().map(account).transpose()
    }

    async fn update_account(&self, user: UserId, change: &ProfileChange) -> Result<Account> {
        let change = change.clone();
        let update = sqlx::query(
            "UPDATE users SET name = coalesce(?2, name), time_zone = coalesce(?3, time_zone), \
             theme = coalesce(?4, theme) WHERE id = ?1 \
             RETURNING id, email, name, time_zone, created_at, password_hash, theme",
        )
        .bind(user.to_string())
        .bind(change.name)
        .bind(change.time_zone)
        .bind(change.theme);
        self.writer
            .write(News::Account(user), move |connection| {
                Box::pin(async move {
                    let row = update.fetch_optional(connection).await.map_err(db)?;
                    account(&row.ok_or(Code::NotFound)?)
                })
            })
            .await
    }

    async fn set_password(
        &self,
        user: UserId,
        old: &str,
        new: &str,
        keep: Option<&[u8; 32]>,
        event: &LooseEvent,
    ) -> Result<bool> {
        let update = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
        let update = sqlx::query(update)
            .bind(user.to_string())
            .bind(old.to_owned())
            .bind(new.to_owned());
        let end = sqlx::query("DELETE FROM sessions WHERE user_id = ?1 AND token_hash IS NOT ?2")
            .bind(user.to_string())
            .bind(keep.map(|hash| hash.to_vec()));
        let event = event.clone();
        self.writer
            .write(News::Account(user), move |connection| {
                Box::pin(async move {
                    let set = update.execute(&mut *connection).await.map_err(db)?;
                    if set.rows_affected() == 0 {
                        return Ok(false);
                    }
                    end.execute(&mut *connection).await.map_err(db)?;
                    append(connection, &event).await?;
                    Ok(true)
                })
            })
            .await
    }

    async fn delete_account(&self, user: UserId, event: &LooseEvent) -> Result<()> {
        let event = event.clone();
        self.writer
            .write(News::Gone(user), move |connection| {
                Box::pin(async move {
                    // Feed, sessions and tokens go with the person.
                    let gone = sqlx::query("DELETE FROM users WHERE id = ?1")
                        .bind(user.to_string())
                        .execute(&mut *connection)
                        .await;
                    found(gone)?;
                    sqlx::query(FORGET)
                        .bind(user.to_string())
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    append(connection, &event).await
                })
            })
            .await
    }

    async fn record(&self, event: &LooseEvent) -> Result<()> {
        let event = event.clone();
        self.writer
            .write(News::Outbox, move |connection| {
                Box::pin(async move { append(connection, &event).await })
            })
            .await
    }
}

/// `not_found` where no row was there.
fn found(done: sqlx::Result<sqlx::sqlite::SqliteQueryResult>) -> Result<()> {
    if done.map_err(db)?.rows_affected() == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(())
}

/// Reads `id, email, name, time_zone, created_at, password_hash, theme`.
pub(super) fn account(row: &SqliteRow) -> Result<Account> {
    Ok(Account {
        user: User {
            id: UserId(id(row.try_get(0).map_err(db)?)?),
            email: row.try_get(1).map_err(db)?,
            name: row.try_get(2).map_err(db)?,
            time_zone: row.try_get(3).map_err(db)?,
            created_at: Timestamp(row.try_get(4).map_err(db)?),
        },
        password_hash: row.try_get(5).map_err(db)?,
        theme: row.try_get(6).map_err(db)?,
    })
}

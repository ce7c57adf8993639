//! People.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
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

/// Rows of a kind of somebody who is gone that are removed at once: whoever else writes waits for no
/// more.
const PART: i64 = 200;
/// How long whoever deletes an account waits for that. What is left by then goes later.
const AT_ONCE: Duration = Duration::from_secs(10);

/// What must not outlast a person by a moment and does not go with the row in `users`, since it is sent
/// by itself, each by an index but for the outbox, which is short; and that the rest is still there.
pub(super) const FORGET: &str = "\
DELETE FROM dead_letters WHERE user_id = ?1; \
DELETE FROM mails WHERE user_id = ?1; \
DELETE FROM mail_allowances WHERE user_id = ?1; \
DELETE FROM done_days WHERE user_id = ?1; \
DELETE FROM outbox WHERE partition = ?1; \
INSERT INTO meta (key, value) VALUES ('leaving ' || ?1, '')";

/// A part of the rest, each kind by an index; nobody is left who could ask for it. Answers to mutations
/// are found through the events that they made, and so go with them. Numbers of the log that were the
/// last are given anew, and so compared anew. ?1 person, ?2 rows of a kind.
pub(super) const SWEEP: &str = "\
DELETE FROM mutations WHERE n IN (SELECT m.n FROM (SELECT user_id, json FROM events \
        WHERE user_id = ?1 AND seq IS NOT NULL ORDER BY seq LIMIT +?2) j CROSS JOIN mutations m \
    ON m.mutation_id = j.json->>'$.metadata.mutation_id' AND m.user_id = j.user_id); \
DELETE FROM mutations WHERE n IN \
    (SELECT n FROM mutations WHERE user_id = ?1 AND quiet = 1 LIMIT +?2); \
DELETE FROM events WHERE n IN \
    (SELECT n FROM events WHERE user_id = ?1 AND seq IS NOT NULL ORDER BY seq LIMIT +?2); \
DELETE FROM events WHERE n IN (SELECT n FROM events WHERE user_id = ?1 AND seq IS NULL \
    AND event_type <> 'user.deleted' LIMIT +?2); \
DELETE FROM tasks WHERE rowid IN (SELECT rowid FROM tasks \
    WHERE user_id = ?1 AND completed_at IS NULL AND deleted_at IS NULL LIMIT +?2); \
DELETE FROM tasks WHERE rowid IN (SELECT rowid FROM tasks \
    WHERE user_id = ?1 AND completed_at IS NOT NULL AND deleted_at IS NULL LIMIT +?2); \
DELETE FROM tasks WHERE rowid IN (SELECT rowid FROM tasks \
    WHERE user_id = ?1 AND deleted_at IS NOT NULL LIMIT +?2); \
DELETE FROM occurrences WHERE (user_id, task_id) IN \
    (SELECT user_id, task_id FROM occurrences WHERE user_id = ?1 LIMIT +?2); \
DELETE FROM notifications WHERE rowid IN \
    (SELECT rowid FROM notifications WHERE user_id = ?1 LIMIT +?2); \
UPDATE meta SET value = (SELECT coalesce(max(n), 0) FROM events) WHERE key GLOB 'compared *' \
    AND CAST(value AS INTEGER) > (SELECT coalesce(max(n), 0) FROM events)";

/// Somebody of whom there may still be something.
const LEAVING: &str =
    "SELECT substr(key, 9) FROM meta WHERE key > 'leaving ' AND key < 'leaving!' LIMIT 1";

/// Removes a part of what is left of somebody who is gone; whether there may be more.
pub(super) async fn sweep(connection: &mut SqliteConnection) -> Result<bool> {
    let user: Option<String> = sqlx::query_scalar(LEAVING)
        .fetch_optional(&mut *connection)
        .await
        .map_err(db)?;
    let Some(user) = user else {
        return Ok(false);
    };
    let part = sqlx::query(SWEEP).bind(&user).bind(PART);
    let done = part.execute(&mut *connection).await.map_err(db)?;
    if done.rows_affected() == 0 {
        let gone = sqlx::query("DELETE FROM meta WHERE key = 'leaving ' || ?1").bind(user);
        gone.execute(connection).await.map_err(db)?;
    }
    Ok(true)
}

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
                    // Feed, sessions, tokens and statistics go with the person.
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
            .await?;
        // They are gone by now. Should this end before the rest is, the writer goes on by itself.
        let begun = Instant::now();
        while begun.elapsed() < AT_ONCE {
            let part = self
                .writer
                .write(News::None, |connection| Box::pin(sweep(connection)));
            match part.await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, user_id = %user, "what is left of somebody who is gone was not removed; it will be later");
                    break;
                }
            }
        }
        Ok(())
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

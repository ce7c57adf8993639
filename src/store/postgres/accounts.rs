//! People.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};
use tidings_domain::{
    account::{User, email_key},
    error::Code,
    id::UserId,
    time::Timestamp,
};

use super::{PostgresStore, db, job::News, sessions::begin, write::append};
use crate::{
    error::Result,
    store::{Account, Accounts, LooseEvent, ProfileChange, Session},
};

/// Rows of a kind that a statement removes: however much there is of a person, no statement takes
/// longer than any may.
const PART: u64 = 20_000;

macro_rules! part {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ctid = ANY (ARRAY (SELECT ctid FROM ",
            $table,
            " WHERE user_id = $1 LIMIT $2))"
        )
    };
}

/// The locks of a person and of their feed.
pub(super) const HOLD: &str = "SELECT 1 FROM users u JOIN feeds f ON f.user_id = u.id \
     WHERE u.id = $1 FOR UPDATE";
const GONE: &str = "DELETE FROM users WHERE id = $1";

/// What may be much of a person, each a part of it by an index. $1 person, $2 rows.
pub(super) const PARTS: [&str; 6] = [
    part!("statistics"),
    part!("mutations"),
    part!("events"),
    part!("tasks"),
    part!("occurrences"),
    part!("notifications"),
];

/// The rest but for what goes with the row in `users`, each by an index but for the outbox, which is
/// short.
pub(super) const FORGET: &str = "\
WITH d AS (DELETE FROM dead_letters WHERE user_id = $1), \
l AS (DELETE FROM mails WHERE user_id = $1), \
a AS (DELETE FROM mail_allowances WHERE user_id = $1), \
y AS (DELETE FROM done_days WHERE user_id = $1) \
DELETE FROM outbox WHERE partition = $1";

#[async_trait]
impl Accounts for PostgresStore {
    async fn register(
        &self,
        account: &Account,
        event: &LooseEvent,
        first: Option<(&Session, &LooseEvent)>,
    ) -> Result<()> {
        let (account, event) = (account.clone(), event.clone());
        let first = first.map(|(session, event)| (session.clone(), event.clone()));
        self.jobs
            .write(News::Outbox, move |connection| {
                Box::pin(async move {
                    let user = &account.user;
                    let made = sqlx::query(
                        "INSERT INTO users (id, email, email_key, name, time_zone, theme, \
                         password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                         ON CONFLICT (email_key) DO NOTHING",
                    )
                    .bind(user.id.0)
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
                    sqlx::query("INSERT INTO feeds (user_id) VALUES ($1)")
                        .bind(user.id.0)
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
             WHERE email_key = $1",
        )
        .bind(email_key)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.as_ref().map(account).transpose()
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>> {
        let row = sqlx::query(
            "SELECT id, email, name, time_zone, created_at, password_hash, theme FROM users \
             WHERE id = $1",
        )
        .bind(user.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.as_ref().map(account).transpose()
    }

    async fn update_account(&self, user: UserId, change: &ProfileChange) -> Result<Account> {
        let change = change.clone();
        self.jobs
            .write(News::Account(user), move |connection| {
                Box::pin(async move {
                    let update = sqlx::query(
                        "UPDATE users SET name = coalesce($2, name), \
                         time_zone = coalesce($3, time_zone), theme = coalesce($4, theme) \
                         WHERE id = $1 \
                         RETURNING id, email, name, time_zone, created_at, password_hash, theme",
                    )
                    .bind(user.0)
                    .bind(change.name)
                    .bind(change.time_zone)
                    .bind(change.theme);
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
        let (old, new) = (old.to_owned(), new.to_owned());
        let keep = keep.map(|hash| hash.to_vec());
        let event = event.clone();
        self.jobs
            .write(News::Account(user), move |connection| {
                Box::pin(async move {
                    let update = sqlx::query(
                        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
                    );
                    let update = update.bind(user.0).bind(old).bind(new);
                    let set = update.execute(&mut *connection).await.map_err(db)?;
                    if set.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let end = sqlx::query(
                        "DELETE FROM sessions \
                         WHERE user_id = $1 AND token_hash IS DISTINCT FROM $2",
                    );
                    let end = end.bind(user.0).bind(keep);
                    end.execute(&mut *connection).await.map_err(db)?;
                    append(connection, &event).await?;
                    Ok(true)
                })
            })
            .await
    }

    async fn delete_account(&self, user: UserId, event: &LooseEvent) -> Result<()> {
        let event = event.clone();
        self.jobs
            .write(News::Gone(user), move |connection| {
                Box::pin(async move {
                    // Nobody adds to what is theirs from here on.
                    let held = sqlx::query(HOLD).bind(user.0).execute(&mut *connection);
                    if held.await.map_err(db)?.rows_affected() == 0 {
                        return Err(Code::NotFound.into());
                    }
                    for sql in PARTS {
                        let mut more = true;
                        while more {
                            let part = sqlx::query(sql).bind(user.0).bind(PART as i64);
                            let done = part.execute(&mut *connection).await.map_err(db)?;
                            more = done.rows_affected() == PART;
                        }
                    }
                    // Feed, sessions and tokens go with the row in `users`.
                    for sql in [FORGET, GONE] {
                        let rest = sqlx::query(sql).bind(user.0);
                        rest.execute(&mut *connection).await.map_err(db)?;
                    }
                    append(connection, &event).await
                })
            })
            .await
    }

    async fn record(&self, event: &LooseEvent) -> Result<()> {
        let event = event.clone();
        self.jobs
            .write(News::Outbox, move |connection| {
                Box::pin(async move { append(connection, &event).await })
            })
            .await
    }
}

/// Reads `id, email, name, time_zone, created_at, password_hash, theme`.
pub(super) fn account(row: &PgRow) -> Result<Account> {
    Ok(Account {
        user: User {
            id: UserId(row.try_get(0).map_err(db)?),
            email: row.try_get(1).map_err(db)?,
            name: row.try_get(2).map_err(db)?,
            time_zone: row.try_get(3).map_err(db)?,
            created_at: Timestamp(row.try_get(4).map_err(db)?),
        },
        password_hash: row.try_get(5).map_err(db)?,
        theme: row.try_get(6).map_err(db)?,
    })
}

//! The audit trail, as its owner looks at it.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::{
    id::{EventId, TaskId, UserId},
    time::Timestamp,
    trail::{Entry, Kind},
};

use super::{SqliteStore, db, id};
use crate::{
    error::Result,
    store::{Trail, TrailQuery},
};

/// Rows that `$which`. An event is found by its place in the feed, or else by its id.
macro_rules! rows {
    ($which:literal) => {
        concat!(
            "SELECT a.n, a.event_id, a.event_type, a.at, f.task_id, f.json->>'$.task_data.title', \
             l.json->>'$.data.ip', l.json->>'$.data.user_agent' FROM audit a \
             LEFT JOIN events f ON f.user_id = a.user_id AND f.seq = a.seq \
             AND f.event_id = a.event_id \
             LEFT JOIN events l ON l.user_id = a.user_id AND l.seq IS NULL \
             AND l.event_id = a.event_id AND a.seq IS NULL \
             WHERE a.user_id = ?1 AND a.at >= ?2 AND (a.at, a.n) < (?3, ?4)",
            $which,
            " ORDER BY a.at DESC, a.n DESC LIMIT +?5"
        )
    };
}

pub(super) const ALL: &str = rows!("");
pub(super) const TASKS: &str = rows!(" AND a.seq IS NOT NULL");
pub(super) const SECURITY: &str = rows!(
    " AND a.seq IS NULL AND (a.event_type LIKE 'audit.user.%' OR a.event_type LIKE 'audit.token.%')"
);
pub(super) const ACCOUNT: &str = rows!(
    " AND a.seq IS NULL AND (a.event_type LIKE 'user.%' OR a.event_type LIKE 'audit.data.%')"
);

#[async_trait]
impl Trail for SqliteStore {
    async fn trail(&self, user: UserId, query: &TrailQuery) -> Result<Vec<Entry>> {
        let sql = match query.kind {
            None => ALL,
            Some(Kind::Tasks) => TASKS,
            Some(Kind::Security) => SECURITY,
            Some(Kind::Account) => ACCOUNT,
        };
        let rows = sqlx::query(sql)
            .bind(user.to_string())
            .bind(query.from.0)
            .bind(query.before.0.0)
            .bind(query.before.1)
            .bind(query.limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(db)?;
        rows.iter().map(entry).collect()
    }
}

fn entry(row: &SqliteRow) -> Result<Entry> {
    let task_id: Option<&str> = row.try_get(4).map_err(db)?;
    Ok(Entry {
        n: row.try_get(0).map_err(db)?,
        event_id: EventId(id(row.try_get(1).map_err(db)?)?),
        event_type: row.try_get(2).map_err(db)?,
        timestamp: Timestamp(row.try_get(3).map_err(db)?),
        task_id: task_id.map(id).transpose()?.map(TaskId),
        title: row.try_get(5).map_err(db)?,
        ip: row.try_get(6).map_err(db)?,
        user_agent: row.try_get(7).map_err(db)?,
    })
}

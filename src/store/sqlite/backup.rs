//! A backup of the file, made beside whoever writes to it, and how one takes its place.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

use super::{
    BUSY_CODE, MIGRATIONS, SqliteStore, db, lock, migrate_with, options, primary_code, schema_of,
};
use crate::{
    error::{Error, Result},
    store::{
        Schema,
        backup::{BackupError, Restored, at, beside, not_whole, part, sync, sync_folder, there},
    },
};

/// SQLITE_CORRUPT, SQLITE_NOTADB.
const BROKEN: [i64; 2] = [11, 26];
/// Where the database goes that another takes the place of.
const KEPT: &str = ".before-restore";

impl SqliteStore {
    /// [`crate::store::backup`], into an empty file.
    pub(in crate::store) async fn backup(url: &str, to: &Path) -> Result<(), BackupError> {
        copy(&reading(&options(url)?), to).await?;
        examine(to).await?;
        Ok(())
    }

    /// [`crate::store::restore`].
    pub(in crate::store) async fn restore(
        url: &str,
        from: &Path,
        epoch: Uuid,
    ) -> Result<Restored, BackupError> {
        let options = options(url)?;
        let database = options.get_filename();
        // Until this returns.
        let _alone = lock::alone(database)?;
        let kept = beside(database, KEPT);
        if kept.exists() {
            return Err(there(&kept));
        }
        if examine(from).await? == Schema::Ahead {
            return Err(BackupError::Newer(from.to_owned()));
        }
        let part = part(database)?;
        copy(&reading(&options.clone().filename(from)), part.path()).await?;
        renew(options.clone().filename(part.path()), epoch).await?;
        examine(part.path()).await?;
        let replaced = database.exists();
        if replaced {
            settle(&options).await?;
            let permissions = fs::metadata(database).map_err(at(database))?.permissions();
            fs::set_permissions(part.path(), permissions).map_err(at(part.path()))?;
            keep(database, &kept)?;
        }
        sync(part.as_file(), part.path())?;
        part.persist(database).map_err(|e| at(database)(e.error))?;
        sync_folder(database)?;
        Ok(Restored {
            kept: replaced.then(|| kept.display().to_string()),
        })
    }
}

/// For a connection that changes nothing, not even the journal's kind.
fn reading(options: &SqliteConnectOptions) -> SqliteConnectOptions {
    options.clone().read_only(true).create_if_missing(false)
}

/// Copies what a database holds at one moment into an empty file. The rows keep their numbers, which
/// indexes of our own may go by.
async fn copy(from: &SqliteConnectOptions, to: &Path) -> Result<()> {
    let words = "the path is no Unicode";
    let to = to.to_str().ok_or_else(|| Error::internal(words))?;
    let mut connection = from.connect().await.map_err(db)?;
    let vacuum = sqlx::query("VACUUM INTO ?1").bind(to.to_owned());
    vacuum.execute(&mut connection).await.map_err(db)?;
    connection.close().await.map_err(db)
}

/// Sees that a file is a database of ours, and whole; its schema.
async fn examine(file: &Path) -> Result<Schema, BackupError> {
    let broken = |error: sqlx::Error| match primary_code(&error) {
        Some(code) if BROKEN.contains(&code) => not_whole(file, error),
        _ => db(error).into(),
    };
    let options = reading(&SqliteConnectOptions::new().filename(file));
    let connected = options.disable_statement_logging().connect().await;
    let mut connection = connected.map_err(broken)?;
    let words: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(broken)?;
    if words != "ok" {
        return Err(not_whole(file, words));
    }
    let schema = schema_of(&mut connection).await?;
    connection.close().await.map_err(db)?;
    match schema {
        Schema::Behind(all) if all == MIGRATIONS.iter().count() => {
            Err(not_whole(file, "it holds nothing of ours"))
        }
        schema => Ok(schema),
    }
}

/// Makes of the copy of a backup what takes the place of a database.
async fn renew(options: SqliteConnectOptions, epoch: Uuid) -> Result<()> {
    let mut connection = options.connect().await.map_err(db)?;
    migrate_with(&mut connection).await?;
    // Whoever published when the backup was made does not go on with it, and nobody stays signed in
    // by a session that may have ended since.
    sqlx::query(
        "UPDATE meta SET value = ?1 WHERE key = 'epoch'; DELETE FROM leases; DELETE FROM holders; \
         DELETE FROM sessions",
    )
    .bind(epoch.to_string())
    .execute(&mut connection)
    .await
    .map_err(db)?;
    connection.close().await.map_err(db)
}

/// Moves the journal of the database that is to go into its file, and sees that nobody has it open,
/// whatever program that may be. A broken one stays as it is: it may be why there is a restore.
async fn settle(options: &SqliteConnectOptions) -> Result<(), BackupError> {
    let options = options.clone().create_if_missing(false);
    let done = async {
        let mut connection: SqliteConnection =
            options.busy_timeout(Duration::ZERO).connect().await?;
        sqlx::query("PRAGMA journal_mode = DELETE")
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    match done.await {
        Err(error) if primary_code(&error) == Some(BUSY_CODE) => Err(BackupError::InUse),
        Err(error) => {
            tracing::warn!(%error, "the database that is replaced is broken; it is kept as it is");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Gives the database that is to go a second name, so that there is one at any moment. Its journal,
/// which only a broken one has left, must not meet the new one.
fn keep(database: &Path, kept: &Path) -> Result<(), BackupError> {
    let gone = |path: &PathBuf, done: io::Result<()>| match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    };
    let (journal, index) = (beside(database, "-wal"), beside(database, "-shm"));
    let named = fs::hard_link(database, kept);
    // Not every file system has second names.
    let named = named.or_else(|_| fs::copy(database, kept).map(drop));
    named.map_err(at(kept))?;
    gone(&journal, fs::rename(&journal, beside(kept, "-wal")))?;
    gone(&index, fs::remove_file(&index))
}

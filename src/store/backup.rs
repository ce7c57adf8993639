//! Backups: one file that holds everything, and how it takes the place of a database.

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use uuid::Uuid;

use super::{PostgresStore, SqliteStore, postgres};
use crate::error;

/// Why there is no backup, or why a database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] error::Error),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What is to be made is there.
    #[error("{0} is there already: move it away, or remove it")]
    There(String),
    /// Somebody has the database open.
    #[error("the database is in use: stop every server and command that has it open")]
    InUse,
    /// The file cannot be restored.
    #[error("{} is no whole backup of Tidings: {why}", path.display())]
    NotWhole {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file cannot be restored by this program.
    #[error("{} was made by a newer Tidings: restore it with that one", .0.display())]
    Newer(PathBuf),
    /// PostgreSQL's own programs do the work, and are not there.
    #[error(
        "{0} is missing: install PostgreSQL's client programs, as new as the server, and put them on PATH"
    )]
    NoProgram(&'static str),
    /// One of them failed.
    #[error("{program}: {words}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        words: String,
    },
}

/// What a restored database replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where what was there before is kept; none where there was nothing.
    pub kept: Option<String>,
}

/// Writes all that the database at `url` holds at one moment to `file`, which must not be there yet.
/// Whoever uses the database goes on. The file is for its owner's eyes alone, and whole or not there.
///
/// # Errors
/// Where the database cannot be read, or the file not written.
pub async fn backup(url: &str, file: &Path) -> Result<(), BackupError> {
    if file.exists() {
        return Err(there(file));
    }
    let part = part(file)?;
    if postgres::is_url(url) {
        PostgresStore::backup(url, part.path()).await?;
    } else {
        SqliteStore::backup(url, part.path()).await?;
    }
    sync(part.as_file(), part.path())?;
    part.persist_noclobber(file)
        .map_err(|e| at(file)(e.error))?;
    sync_folder(file)
}

/// Puts what `file` holds in the place of the database at `url`, brought to the newest schema and with
/// `epoch` for its id, so that whoever knows a place in a feed of the old one begins anew. What was
/// there before is kept beside it; where this fails, it is still there.
///
/// # Errors
/// Where the file is no whole backup, somebody has the database open, or either cannot be written.
pub async fn restore(url: &str, file: &Path, epoch: Uuid) -> Result<Restored, BackupError> {
    // Told in the same words, whatever would have to read it.
    File::open(file).map_err(at(file))?;
    if postgres::is_url(url) {
        PostgresStore::restore(url, file, epoch).await
    } else {
        SqliteStore::restore(url, file, epoch).await
    }
}

/// A file that is to become `file`, and goes unless it does.
pub(super) fn part(file: &Path) -> Result<NamedTempFile, BackupError> {
    let mut prefix = file.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let part = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .tempfile_in(folder(file));
    part.map_err(at(file))
}

/// Puts it on the disk.
pub(super) fn sync(file: &File, path: &Path) -> Result<(), BackupError> {
    file.sync_all().map_err(at(path))
}

/// Puts the name of a file on the disk.
pub(super) fn sync_folder(file: &Path) -> Result<(), BackupError> {
    let folder = folder(file);
    let opened = File::open(folder).map_err(at(folder))?;
    sync(&opened, folder)
}

/// The folder that a file lies in.
fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Another file beside it, whose name goes on like this.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(ending);
    path.into()
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    |error| BackupError::File { path, error }
}

pub(super) fn there(path: &Path) -> BackupError {
    BackupError::There(path.display().to_string())
}

pub(super) fn not_whole(path: &Path, why: impl ToString) -> BackupError {
    BackupError::NotWhole {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

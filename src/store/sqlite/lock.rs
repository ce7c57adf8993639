//! Who has the database open. A server that starts while another file takes the place of the database
//! must wait: it could open the one that is about to go. So the lock is on a file of its own, which
//! stays where it is, and is had before the database is opened.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Instant,
};

use super::{AGAIN, BUSY};
use crate::{
    error::{Error, Result},
    store::backup::{BackupError, beside},
};

/// Beside the database.
const ENDING: &str = "-lock";

fn unavailable(error: std::io::Error) -> Error {
    Error::Unavailable(error.into())
}

/// Makes the folder of the database, and the lock beside it.
fn file(database: &Path) -> Result<File> {
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder).map_err(unavailable)?;
    }
    let mut options = File::options();
    let options = options.create(true).append(true);
    options.open(beside(database, ENDING)).map_err(unavailable)
}

/// Has the database open, as others may, until the file is dropped. Waits a while for one who has it
/// alone.
pub(super) async fn shared(database: &Path) -> Result<File> {
    let file = file(database)?;
    let deadline = Instant::now() + BUSY;
    loop {
        match file.try_lock_shared() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                tokio::time::sleep(AGAIN).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Unavailable("a backup is being restored".into()));
            }
            Err(TryLockError::Error(error)) => return Err(unavailable(error)),
        }
    }
}

/// Has the database alone.
pub(super) fn alone(database: &Path) -> Result<File, BackupError> {
    let file = file(database)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse),
        Err(TryLockError::Error(error)) => Err(unavailable(error).into()),
    }
}

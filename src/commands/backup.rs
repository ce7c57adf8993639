//! Makes a backup, and restores one.

use std::{io::Write, path::Path};

use tidings_domain::id::Ids;

use super::Error;
use crate::store;

/// Writes all that the database at `url` holds to a new file, beside a running server.
///
/// # Errors
/// As [`store::backup`].
pub async fn backup(url: &str, file: &Path, out: &mut dyn Write) -> Result<(), Error> {
    store::backup(url, file).await?;
    writeln!(out, "backed up to {}", file.display())?;
    Ok(())
}

/// Puts what a backup holds in the place of the database at `url`, which nobody else may have open.
///
/// # Errors
/// As [`store::restore`].
pub async fn restore(
    url: &str,
    file: &Path,
    ids: &dyn Ids,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let restored = store::restore(url, file, ids.next()).await?;
    writeln!(out, "restored {}", file.display())?;
    if let Some(kept) = restored.kept {
        writeln!(out, "what was there before is kept: {kept}")?;
    }
    Ok(())
}

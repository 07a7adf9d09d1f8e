//! Modes of the embedded log's files and folders: nobody but their owner reads them, because the log holds pseudonyms of voters.
//!
//! Guarantees: what is created here has mode 0600 (files) or 0700 (folders) from the first moment on, whatever the umask is. What
//! exists with more rights is repaired with a warning, or refused where it cannot be repaired. SQLite gives its `-wal` and `-shm` files
//! the mode of the database file. A folder that holds anything else is never changed, because it may be somebody else's.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::LogError;

/// Rights of anybody but the owner.
const OTHERS: u32 = 0o077;
/// Names in the log's folder begin with one of these.
const OURS: [&str; 4] = ["records.", "positions.", "create.lock", "leases"];

/// Options that create a file for its owner alone.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Creates a folder for its owner alone, or repairs the mode of one that is there. `contents` tells ours from a shared folder.
pub(super) fn private_folder(path: &Path, contents: impl Fn(&str) -> bool) -> Result<(), LogError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| LogError::file(parent, error))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(_) if path.is_dir() => {}
        Err(error) => return Err(LogError::file(path, error)),
    }
    if mode(path)? & OTHERS == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|error| LogError::file(path, error))? {
        let name = entry.map_err(|error| LogError::file(path, error))?.file_name();
        if !name.to_str().is_some_and(&contents) {
            let reason = format!("it also holds {}, so it is left as it is; give the log a folder of its own", name.display());
            return Err(LogError::Exposed { path: path.to_owned(), mode: mode(path)?, reason });
        }
    }
    repair(path, 0o700)
}

/// Whether the log itself makes a file or folder of this name in its folder.
pub(super) fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| name.starts_with(ours))
}

/// Repairs the mode of a file that is there.
pub(super) fn check_file(path: &Path) -> Result<(), LogError> {
    match fs::metadata(path) {
        Ok(file) if file.mode() & OTHERS != 0 => repair(path, 0o600),
        Ok(_) => Ok(()),
        // Another connection that closes takes SQLite's side files with it at any moment.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(LogError::file(path, error)),
    }
}

fn mode(path: &Path) -> Result<u32, LogError> {
    Ok(fs::metadata(path).map_err(|error| LogError::file(path, error))?.mode() & 0o7777)
}

fn repair(path: &Path, wanted: u32) -> Result<(), LogError> {
    let found = mode(path)?;
    match fs::set_permissions(path, Permissions::from_mode(wanted)) {
        Ok(()) => {
            let (found, wanted) = (format!("{found:04o}"), format!("{wanted:04o}"));
            tracing::warn!(path = %path.display(), found, wanted, "other users could read the log; its mode was repaired");
            Ok(())
        }
        // A disk that cannot be written to now: that is said elsewhere, and tried again.
        Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => Err(LogError::ReadOnly { path: path.to_owned() }),
        Err(error) => {
            let reason = format!("it cannot be changed ({error}); run chmod {wanted:o} on it as its owner");
            Err(LogError::Exposed { path: path.to_owned(), mode: found, reason })
        }
    }
}

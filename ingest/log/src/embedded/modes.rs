//! File modes of the embedded log: only the owner may read it, because it contains pseudonyms of voters.
//!
//! Guarantees: files are created with mode 0600 and folders with 0700, whatever the umask is. Existing ones with more permissions are
//! changed with a warning, or refused when that fails. SQLite gives its `-wal` and `-shm` files the mode of the database file. The mode
//! of a folder with other contents is never changed, because the folder may belong to somebody else.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::LogError;

/// Permission bits of everybody but the owner.
const GROUP_AND_OTHERS: u32 = 0o077;
/// Prefixes of all file names in the log's folder.
const LOG_FILE_PREFIXES: [&str; 4] = ["records.", "positions.", "create.lock", "leases"];

/// Options that create a file for its owner alone.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Creates a folder with mode 0700, or changes the mode of an existing one if `is_ours` accepts all names in it.
pub(super) fn private_folder(path: &Path, is_ours: impl Fn(&str) -> bool) -> Result<(), LogError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| LogError::file(parent, error))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(_) if path.is_dir() => {}
        Err(error) => return Err(LogError::file(path, error)),
    }
    if mode(path)? & GROUP_AND_OTHERS == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|error| LogError::file(path, error))? {
        let name = entry.map_err(|error| LogError::file(path, error))?.file_name();
        if !name.to_str().is_some_and(&is_ours) {
            let reason = format!("it also contains {}, so its mode was not changed; give the log a folder of its own", name.display());
            return Err(LogError::InsecurePermissions { path: path.to_owned(), mode: mode(path)?, reason });
        }
    }
    repair(path, 0o700)
}

/// Whether the log creates a file or folder of this name in its folder.
pub(super) fn is_log_file(name: &str) -> bool {
    LOG_FILE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Changes the mode of an existing file to 0600 if others may read it.
pub(super) fn check_file(path: &Path) -> Result<(), LogError> {
    match fs::metadata(path) {
        Ok(file) if file.mode() & GROUP_AND_OTHERS != 0 => repair(path, 0o600),
        Ok(_) => Ok(()),
        // SQLite removes its side files when the last connection closes, which may happen at any moment.
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
            tracing::warn!(path = %path.display(), found, wanted, "other users could read the log; its mode was changed");
            Ok(())
        }
        // Transient: the caller reports it and tries again.
        Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => Err(LogError::ReadOnly { path: path.to_owned() }),
        Err(error) => {
            let reason = format!("it cannot be changed ({error}); run chmod {wanted:o} on it as its owner");
            Err(LogError::InsecurePermissions { path: path.to_owned(), mode: found, reason })
        }
    }
}

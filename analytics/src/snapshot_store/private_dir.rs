//! Restricts the snapshot directory and file to their owner (modes 0700 and 0600), since they contain small counts.
//!
//! Guarantees: new directories and files get these modes, and those of this service are changed to them. A directory that others can enter
//! and that contains other files is refused and not changed, since it may be shared on purpose. SQLite gives its auxiliary files the mode
//! of the main file.

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::error::AnalyticsError;

/// Mode bits that give access to group and others.
const OTHERS_MASK: u32 = 0o077;

/// Creates the directory and the file if missing, and restricts them to their owner.
pub(super) fn ensure(folder: &Path, file: &Path) -> Result<(), AnalyticsError> {
    let failed = |source| AnalyticsError::Directory { path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mode = folder.metadata().map_err(failed)?.permissions().mode();
    if mode & OTHERS_MASK != 0 {
        let is_empty = folder.read_dir().map_err(failed)?.next().is_none();
        if !is_empty && !file.exists() {
            return Err(AnalyticsError::DirectoryNotPrivate { path: folder.to_owned(), mode: mode & 0o7777 });
        }
        std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    restrict(file).map_err(|source| AnalyticsError::Write { path: file.to_owned(), source })
}

/// Creates the file or restricts an existing one.
fn restrict(file: &Path) -> io::Result<()> {
    let held = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    if held.metadata()?.permissions().mode() & OTHERS_MASK != 0 {
        tracing::warn!(file = %file.display(), "the snapshot file was readable by other users; access is now restricted to the owner");
        held.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

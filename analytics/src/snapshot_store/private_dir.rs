//! The folder and the file of the snapshots belong to their owner alone (modes 0700 and 0600), since they hold small counts.
//!
//! Guarantees: what is made here is made so; a folder and a file of ours are closed to others if they were not. A folder that others can
//! enter and that holds other files is refused and not changed, since it may be shared for a reason. SQLite gives the files beside its
//! own the same mode.

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::error::AnalyticsError;

/// The bits of a mode that let others in.
const OTHERS_MASK: u32 = 0o077;

/// Makes the folder and the file where they are missing, and checks who can read them.
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

/// Makes the file, or closes it to others.
fn restrict(file: &Path) -> io::Result<()> {
    let held = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    if held.metadata()?.permissions().mode() & OTHERS_MASK != 0 {
        tracing::warn!(file = %file.display(), "the snapshots could be read by others; from now on their owner alone can");
        held.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

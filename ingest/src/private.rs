//! Files and folders that no other user may read.
//!
//! Guarantees: files are created with mode 0600, folders with 0700. An existing file that others can read is made private, and so is a
//! folder that contains only such files; both are logged. A folder with other content keeps its mode, since it may be a shared one; a
//! warning is logged.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// Opens or creates a file for writing, and makes it private.
pub fn file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
    restrict(path)?;
    Ok(file)
}

/// Makes a file private; a missing file is no error.
pub fn restrict(path: &Path) -> io::Result<()> {
    match is_open(path) {
        Ok(true) => {
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            tracing::warn!(path = %path.display(), "the file was open to other users of this machine and is now private (mode 600)");
            Ok(())
        }
        Ok(false) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates a folder, or makes it private if it contains only files for which `is_ours` is true.
pub fn folder(path: &Path, is_ours: impl Fn(&str) -> bool) -> io::Result<()> {
    // A path without a folder is in the current one.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if !is_open(path)? {
        return Ok(());
    }
    let holds_nothing_else = fs::read_dir(path)?.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(&is_ours)));
    if holds_nothing_else && fs::set_permissions(path, Permissions::from_mode(0o700)).is_ok() {
        tracing::warn!(path = %path.display(), "the folder was open to other users of this machine and is now private (mode 700)");
    } else {
        tracing::warn!(path = %path.display(), "other users of this machine can look into the folder: run chmod 700 on it, or use another one");
    }
    Ok(())
}

fn is_open(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn opened(path: &Path, bits: u32) {
        fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
    }

    #[test]
    fn what_is_made_is_private_and_what_was_open_becomes_so() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, path) = (dir.path().join("a/b"), dir.path().join("a/b/x.key"));
        super::folder(&folder, |_| true).unwrap();
        drop(file(&path).unwrap());
        assert_eq!((mode(&dir.path().join("a")), mode(&folder), mode(&path)), (0o700, 0o700, 0o600));
        opened(&path, 0o644);
        opened(&folder, 0o755);
        drop(file(&path).unwrap());
        super::folder(&folder, |name| name == "x.key").unwrap();
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        restrict(&folder.join("missing")).unwrap();
    }

    #[test]
    fn a_folder_that_holds_other_things_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("other"), "").unwrap();
        opened(dir.path(), 0o755);
        folder(dir.path(), |name| name.ends_with(".key")).unwrap();
        assert_eq!(mode(dir.path()), 0o755);
    }
}

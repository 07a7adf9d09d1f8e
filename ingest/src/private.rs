//! Files and folders that no other user may read.
//!
//! Guarantees: what is created here has mode 0600, folders 0700. A file that exists and is open to others is made private, and so is
//! a folder that holds nothing else; both are logged. A folder that holds other things keeps its mode and is warned about, since it
//! may be a shared one, and the files in it are private by themselves.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Bits that let the group or others do anything.
const OTHERS: u32 = 0o077;

/// Opens a file for writing, or makes it; it is private afterwards.
pub fn file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
    restrict(path)?;
    Ok(file)
}

/// Makes an existing file private; one that does not exist is no error.
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

/// Makes a folder, or checks it; `is_ours` knows the names of the files that belong into it.
pub fn folder(path: &Path, is_ours: impl Fn(&str) -> bool) -> io::Result<()> {
    // A path without a folder names a file of the current one.
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

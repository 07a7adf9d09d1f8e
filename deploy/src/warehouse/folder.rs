//! The folder of a warehouse: `data/` (the tables), `config/` (made anew at every start), `logs/`, `VERSION` and `lock`.
//! Guarantees one owner at a time, files that only their owner can read, and that a folder of something else or of another
//! ClickHouse version is left as it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::WarehouseError;

/// An opened warehouse folder; the lock is held for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Whether there were tables before this start: then a failure to load is damage.
    pub(super) has_data: bool,
    _lock: File,
}

impl Folder {
    /// Makes or opens `root` for tables of `version`.
    pub(super) fn open(root: &Path, version: &str) -> Result<Self, WarehouseError> {
        let failed = |source| WarehouseError::Folder { dir: root.to_path_buf(), source };
        make_private(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let lock = lock(&root)?;
        let has_data = root.join("data/metadata").exists();
        let version_file = root.join("VERSION");
        match fs::read_to_string(&version_file) {
            Ok(found) if found.trim() == version => {}
            Ok(found) if has_data => {
                let (found, expected) = (found.trim().to_owned(), version.to_owned());
                return Err(WarehouseError::OtherVersion { dir: root, found, expected });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Err(_) if holds_something(&root).map_err(failed)? => return Err(WarehouseError::Foreign { dir: root }),
            Ok(_) | Err(_) => write_private(&version_file, version).map_err(failed)?,
        }
        let folder = Self { root, has_data, _lock: lock };
        for path in [folder.data(), folder.config_dir(), folder.logs()] {
            make_private(&path).map_err(failed)?;
        }
        Ok(folder)
    }

    /// Writes the two files of the configuration.
    pub(super) fn write_config(&self, config: &str, users: &str) -> Result<(), WarehouseError> {
        write_private(&self.users(), users)
            .and_then(|()| write_private(&self.config(), config))
            .map_err(|source| WarehouseError::Folder { dir: self.root.clone(), source })
    }

    /// A new, empty file for what the child prints.
    pub(super) fn new_output(&self) -> Result<File, WarehouseError> {
        private().truncate(true).open(self.output()).map_err(|source| WarehouseError::Folder { dir: self.root.clone(), source })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// What the child prints, errors at start included.
    pub(super) fn output(&self) -> PathBuf {
        self.logs().join("engine.out")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.config_dir().join("config.xml")
    }

    pub(super) fn users(&self) -> PathBuf {
        self.config_dir().join("users.xml")
    }

    fn config_dir(&self) -> PathBuf {
        self.root.join("config")
    }
}

/// Takes the lock that the kernel frees when its owner dies, and writes who has it.
fn lock(root: &Path) -> Result<File, WarehouseError> {
    let failed = |source| WarehouseError::Folder { dir: root.to_path_buf(), source };
    let mut file = private().read(true).open(root.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let read = file.rewind().and_then(|()| file.read_to_string(&mut owner));
            let known = read.is_ok() && !owner.is_empty();
            Err(WarehouseError::InUse { dir: root.to_path_buf(), owner: if known { owner } else { "unknown".to_owned() } })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Is there anything in the folder but our lock?
fn holds_something(root: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(root)? {
        if entry?.file_name() != "lock" {
            return Ok(true);
        }
    }
    Ok(false)
}

fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// Replaces a file in one step, so that a crash leaves the old one or the new one.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = private().truncate(true).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_owned_once_and_freed() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path(), "v1").unwrap();
        let second = Folder::open(dir.path(), "v1").unwrap_err().to_string();
        assert!(second.contains(&format!("in use by process {}", std::process::id())), "{second}");
        drop(first);
        assert!(!Folder::open(dir.path(), "v1").unwrap().has_data);
    }

    #[test]
    fn a_folder_of_another_version_is_refused_once_it_has_tables() {
        let dir = tempfile::tempdir().unwrap();
        drop(Folder::open(dir.path(), "v0").unwrap());
        let folder = Folder::open(dir.path(), "v1").unwrap();
        fs::create_dir(folder.data().join("metadata")).unwrap();
        drop(folder);
        let error = Folder::open(dir.path(), "v2").unwrap_err().to_string();
        assert!(error.contains("was written by v1, this is v2"), "{error}");
        assert!(Folder::open(dir.path(), "v1").is_ok());
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
        let error = Folder::open(dir.path(), "v1").unwrap_err().to_string();
        assert!(error.contains("holds no Qamtu warehouse"), "{error}");
        assert!(!dir.path().join("VERSION").exists());
    }

    #[test]
    fn only_the_owner_can_read_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("w"), "v1").unwrap();
        folder.write_config("config", "users").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.root()), 0o700);
        assert_eq!(mode(&folder.users()), 0o600);
        assert_eq!(fs::read_to_string(folder.users()).unwrap(), "users");
    }
}

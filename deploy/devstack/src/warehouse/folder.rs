//! The folder of a warehouse: `data/` (the tables), `config/` (written at every start), `passwords/`, `logs/`, `run/`, `VERSION` and `lock`.
//! One process at a time locks it; only its owner has access, even if it existed before; a folder with other files or of
//! another ClickHouse version is not changed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use secrecy::ExposeSecret;

use super::layout::Layout;
use super::login::{Login, Logins};
use crate::error::DevstackError;
use crate::file_lock::FileLock;

/// An opened warehouse folder, locked until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    layout: Layout,
    /// Whether there were tables before this start; if so, a failure to load means damage.
    pub(super) has_data: bool,
    _lock: FileLock,
}

impl Folder {
    /// Creates or opens `root` for tables of `version`.
    pub(super) fn open(root: &Path, version: &str) -> Result<Self, DevstackError> {
        let failed = |source| DevstackError::Folder { dir: root.to_path_buf(), source };
        make_private(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let lock = lock(&root)?;
        let has_data = root.join("data/metadata").exists();
        let version_file = root.join("VERSION");
        match fs::read_to_string(&version_file) {
            Ok(found) if found.trim() == version => {}
            Ok(found) if has_data => {
                let (found, expected) = (found.trim().to_owned(), version.to_owned());
                return Err(DevstackError::OtherVersion { dir: root, found, expected });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Err(_) if is_not_empty(&root).map_err(failed)? => return Err(DevstackError::NotAWarehouse { dir: root }),
            Ok(_) | Err(_) => write_private(&version_file, version).map_err(failed)?,
        }
        let layout = Layout::new(root);
        for path in [layout.data(), layout.config_dir(), layout.logs(), layout.run(), layout.passwords()] {
            make_private(&path).map_err(failed)?;
        }
        Ok(Self { layout, has_data, _lock: lock })
    }

    /// The logins with the passwords of the folder; creates missing passwords.
    pub(super) fn logins(&self) -> Result<Logins, DevstackError> {
        read_or_create_logins(&self.layout.passwords())
    }

    /// Restrictions that the system did not support in this run, one line each.
    pub(super) fn gaps(&self) -> Result<Vec<String>, DevstackError> {
        let text = fs::read_to_string(self.layout.gaps()).map_err(|source| self.failed(source))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn failed(&self, source: io::Error) -> DevstackError {
        DevstackError::Folder { dir: self.layout.root().to_path_buf(), source }
    }

    /// Writes the two files of the configuration.
    pub(super) fn write_config(&self, config: &str, users: &str) -> Result<(), DevstackError> {
        write_private(&self.layout.users(), users)
            .and_then(|()| write_private(&self.layout.config(), config))
            .map_err(|source| self.failed(source))
    }

    /// A new, empty file for the child's output.
    pub(super) fn new_output(&self) -> Result<File, DevstackError> {
        private_file_options().truncate(true).open(self.layout.output()).map_err(|source| self.failed(source))
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// The logins with the passwords in the files of a folder; creates missing files.
pub(super) fn read_or_create_logins(passwords: &Path) -> Result<Logins, DevstackError> {
    let failed = |source| DevstackError::Folder { dir: passwords.to_path_buf(), source };
    make_private(passwords).map_err(failed)?;
    Logins::for_each_role(|role| {
        let file = passwords.join(role.name());
        match fs::read_to_string(&file) {
            Ok(text) => {
                restrict(&file, 0o600).map_err(failed)?;
                Login::checked(text.trim_end()).map_err(|reason| DevstackError::Password { file, reason })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let password = Login::fresh_password();
                write_private(&file, password.expose_secret()).map_err(failed)?;
                Ok(password)
            }
            Err(source) => Err(failed(source)),
        }
    })
}

/// Locks the folder and writes the owner's process id, which the error names to others.
fn lock(root: &Path) -> Result<FileLock, DevstackError> {
    let failed = |source| DevstackError::Folder { dir: root.to_path_buf(), source };
    let path = root.join("lock");
    let file = private_file_options().open(&path).map_err(failed)?;
    match FileLock::acquire(file) {
        Ok(lock) => {
            fs::write(&path, std::process::id().to_string()).map_err(failed)?;
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => {
            let owner = fs::read_to_string(&path).ok().filter(|owner| !owner.is_empty());
            Err(DevstackError::InUse { dir: root.to_path_buf(), owner: owner.unwrap_or_else(|| "unknown".to_owned()) })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Whether the folder has anything but the lock file.
fn is_not_empty(root: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(root)? {
        if entry?.file_name() != "lock" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Creates a folder of mode 0700, or removes the rights of others from an existing one.
fn make_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    restrict(path, 0o700)
}

/// Removes the rights of group and others, if they have any.
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn private_file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// Replaces a file atomically, so that a crash leaves the old one or the new one.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = private_file_options().truncate(true).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::super::login::Role;
    use super::*;

    #[test]
    fn a_folder_is_locked_once_and_released() {
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
        fs::create_dir(folder.layout().data().join("metadata")).unwrap();
        drop(folder);
        let error = Folder::open(dir.path(), "v2").unwrap_err().to_string();
        assert!(error.contains("was written by v1, this is v2"), "{error}");
        assert!(Folder::open(dir.path(), "v1").is_ok());
    }

    #[test]
    fn a_folder_with_other_files_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
        let error = Folder::open(dir.path(), "v1").unwrap_err().to_string();
        assert!(error.contains("holds no Qamtu warehouse"), "{error}");
        assert!(!dir.path().join("VERSION").exists());
    }

    #[test]
    fn a_folder_that_others_could_open_is_closed_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("w");
        for path in [root.clone(), root.join("data")] {
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(root.join("VERSION"), "v1").unwrap();
        let folder = Folder::open(&root, "v1").unwrap();
        for path in [folder.layout().root().to_path_buf(), folder.layout().data(), folder.layout().passwords()] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }

    #[test]
    fn existing_passwords_stay_and_a_missing_one_is_created() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path(), "v1").unwrap();
        let password = |role| folder.logins().unwrap().of(role).password.expose_secret().to_owned();
        let (admin, analytics) = (password(Role::Admin), password(Role::Analytics));
        assert_ne!(admin, analytics);
        fs::remove_file(folder.layout().passwords().join("analytics")).unwrap();
        assert_eq!(password(Role::Admin), admin);
        assert_ne!(password(Role::Analytics), analytics);
        let file = folder.layout().passwords().join("projector");
        fs::write(&file, "short\n").unwrap();
        let error = folder.logins().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", file.display())) && error.contains("at least 16"), "{error}");
        fs::write(&file, "a password of my own\n").unwrap();
        assert_eq!(password(Role::Projector), "a password of my own");
    }

    #[test]
    fn only_the_owner_can_read_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&dir.path().join("w"), "v1").unwrap();
        folder.write_config("config", "users").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.layout().root()), 0o700);
        assert_eq!(mode(&folder.layout().users()), 0o600);
        assert_eq!(fs::read_to_string(folder.layout().users()).unwrap(), "users");
    }
}

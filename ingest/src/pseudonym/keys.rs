//! The campaigns' keys: one file each, `<key_dir>/<campaign>.key`, hexadecimal, at least 32 bytes.
//!
//! Guarantees: a file is read once; it is created only where the configuration says so, never overwritten, readable by its owner
//! alone (one that others can read is refused, at the start and when it is read), and on disk before the first pseudonym is made with it. Whoever loses a key can no longer recognise anybody, whoever
//! gives it away lets others search for people by their identifiers.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use qamtu_schemas::id::CampaignId;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroize};

use super::CampaignKey;
use crate::private;

/// Why a campaign has no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No file, and none may be created.
    #[error("{} is missing: restore it, or set pseudonym.create to true for a new campaign", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("{} can be read by other users of this machine: run chmod 600 on it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no key.
    #[error("{} must hold at least 32 bytes in hexadecimal", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
}

/// The keys of all campaigns, read when first needed.
#[derive(Debug)]
pub struct Keys {
    dir: PathBuf,
    create: bool,
    held: RwLock<HashMap<CampaignId, Arc<CampaignKey>>>,
}

impl Keys {
    /// Keys in a folder; `create` allows new ones.
    pub fn new(dir: impl Into<PathBuf>, create: bool) -> Self {
        Self { dir: dir.into(), create, held: RwLock::default() }
    }

    /// Checks the folder and every key in it, so that an open one is found at the start and not with the first person.
    pub fn check(&self) -> Result<(), KeyError> {
        let io = |source| KeyError::Io { path: self.dir.clone(), source };
        if !self.dir.is_dir() {
            return Ok(());
        }
        private::folder(&self.dir, is_key).map_err(io)?;
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|extension| extension == "key") {
                check(&path)?;
            }
        }
        Ok(())
    }

    /// The key of a campaign that is known to exist.
    pub fn of(&self, campaign: &CampaignId) -> Result<Arc<CampaignKey>, KeyError> {
        if let Some(key) = self.held.read().unwrap_or_else(PoisonError::into_inner).get(campaign) {
            return Ok(key.clone());
        }
        let path = self.dir.join(format!("{campaign}.key"));
        let key = match read(&path) {
            Err(KeyError::Missing { .. }) if self.create => {
                create(&self.dir, &path)?;
                read(&path)?
            }
            other => other?,
        };
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        Ok(held.entry(campaign.clone()).or_insert_with(|| Arc::new(key)).clone())
    }
}

fn is_key(name: &str) -> bool {
    name.ends_with(".key") || name.ends_with(".draft")
}

fn read(path: &Path) -> Result<CampaignKey, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let text: SecretString = match fs::read_to_string(path) {
        Ok(text) => text.into(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing { path: path.to_owned() }),
        Err(error) => return Err(io(error)),
    };
    check(path)?;
    match hex::decode(text.expose_secret().trim()) {
        Ok(bytes) if bytes.len() >= CampaignKey::MIN_BYTES => Ok(CampaignKey::new(bytes)),
        _ => Err(KeyError::Content { path: path.to_owned() }),
    }
}

/// A key that others can read may have been copied already: the operator has to know, so it is not made private silently.
fn check(path: &Path) -> Result<(), KeyError> {
    let metadata = fs::metadata(path).map_err(|source| KeyError::Io { path: path.to_owned(), source })?;
    // Files of root that are shared with a group are how systemd and Kubernetes hand out secrets.
    let allowed = if metadata.uid() == 0 { 0o770 } else { 0o700 };
    if metadata.permissions().mode() & 0o777 & !allowed == 0 { Ok(()) } else { Err(KeyError::Open { path: path.to_owned() }) }
}

/// Writes a new key beside its place and links it there, so that a half-written key never has the name and two processes agree.
fn create(dir: &Path, path: &Path) -> Result<(), KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    private::folder(dir, is_key).map_err(io)?;
    let mut bytes = [0; CampaignKey::MIN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| io(io::Error::other(error.to_string())))?;
    let mut text = hex::encode(bytes);
    bytes.zeroize();
    let draft = path.with_extension(format!("{}.draft", uuid::Uuid::new_v4()));
    let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    text.zeroize();
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::open(dir)?.sync_all(),
    });
    let removed = fs::remove_file(&draft);
    linked.and(removed).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_created_once_for_its_owner_alone_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let campaign: CampaignId = "c-1".parse().unwrap();
        assert!(matches!(Keys::new(dir.path(), false).of(&campaign), Err(KeyError::Missing { .. })));
        let first = Keys::new(dir.path(), true).of(&campaign).unwrap();
        let file = dir.path().join("c-1.key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let again = Keys::new(dir.path(), false).of(&campaign).unwrap();
        let iin = crate::pseudonym::identifier::Iin::read("850615101233").unwrap_or_else(|_| panic!());
        assert_eq!(first.of_iin(&iin), again.of_iin(&iin));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(Keys::new(dir.path(), true).of(&campaign), Err(KeyError::Open { .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "abc").unwrap();
        assert!(matches!(Keys::new(dir.path(), true).of(&campaign), Err(KeyError::Content { .. })));
    }
}

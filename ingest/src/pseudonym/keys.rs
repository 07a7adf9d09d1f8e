//! The campaigns' keys: one file each, `<key_dir>/<campaign>.key`, hexadecimal, at least 32 bytes.
//!
//! Guarantees: a file is read once. It is created only if the configuration allows it, never overwritten, and synced to disk before the
//! first pseudonym is made with it. A file that other users can read is refused, at the start and when it is read. Without its key nobody
//! in a campaign can be recognised again; whoever obtains the key can search for people by their identifiers.
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

/// Why the key of a campaign cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing and may not be created.
    #[error("{} is missing: restore it, or set pseudonym.create to true for a new campaign", path.display())]
    Missing {
        /// Path of the key file.
        path: PathBuf,
    },
    /// Other users can read the file.
    #[error("{} can be read by other users of this machine: run chmod 600 on it", path.display())]
    NotPrivate {
        /// Path of the key file.
        path: PathBuf,
    },
    /// The content of the file is no key.
    #[error("{} must hold at least 32 bytes in hexadecimal", path.display())]
    Content {
        /// Path of the key file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// The keys of all campaigns, read on first use and cached.
#[derive(Debug)]
pub struct Keys {
    dir: PathBuf,
    create: bool,
    cache: RwLock<HashMap<CampaignId, Arc<CampaignKey>>>,
}

impl Keys {
    /// Keys in the folder `dir`; `create` allows new ones.
    pub fn new(dir: impl Into<PathBuf>, create: bool) -> Self {
        Self { dir: dir.into(), create, cache: RwLock::default() }
    }

    /// Checks the permissions of all key files, so that a readable one stops the start and not the first request.
    pub fn check(&self) -> Result<(), KeyError> {
        let io = |source| KeyError::Io { path: self.dir.clone(), source };
        if !self.dir.is_dir() {
            return Ok(());
        }
        private::folder(&self.dir, is_key_file).map_err(io)?;
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|extension| extension == "key") {
                check_private(&path)?;
            }
        }
        Ok(())
    }

    /// The key of a configured campaign.
    pub fn get(&self, campaign: &CampaignId) -> Result<Arc<CampaignKey>, KeyError> {
        if let Some(key) = self.cache.read().unwrap_or_else(PoisonError::into_inner).get(campaign) {
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
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        Ok(cache.entry(campaign.clone()).or_insert_with(|| Arc::new(key)).clone())
    }
}

fn is_key_file(name: &str) -> bool {
    name.ends_with(".key") || name.ends_with(".draft")
}

fn read(path: &Path) -> Result<CampaignKey, KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let text: SecretString = match fs::read_to_string(path) {
        Ok(text) => text.into(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing { path: path.to_owned() }),
        Err(error) => return Err(io(error)),
    };
    check_private(path)?;
    match hex::decode(text.expose_secret().trim()) {
        Ok(bytes) if bytes.len() >= CampaignKey::MIN_BYTES => Ok(CampaignKey::new(bytes)),
        _ => Err(KeyError::Content { path: path.to_owned() }),
    }
}

/// Refuses a key that others can read: it may have been copied, so the operator must know, and it is not made private silently.
fn check_private(path: &Path) -> Result<(), KeyError> {
    let metadata = fs::metadata(path).map_err(|source| KeyError::Io { path: path.to_owned(), source })?;
    // Files of root that are shared with a group are how systemd and Kubernetes hand out secrets.
    let allowed = if metadata.uid() == 0 { 0o770 } else { 0o700 };
    if metadata.permissions().mode() & 0o777 & !allowed == 0 { Ok(()) } else { Err(KeyError::NotPrivate { path: path.to_owned() }) }
}

/// Writes a new key to a draft file and links it to its path, so that the path never has a partial key and two processes use the same one.
fn create(dir: &Path, path: &Path) -> Result<(), KeyError> {
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    private::folder(dir, is_key_file).map_err(io)?;
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
    fn a_key_is_created_once_readable_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let campaign: CampaignId = "c-1".parse().unwrap();
        assert!(matches!(Keys::new(dir.path(), false).get(&campaign), Err(KeyError::Missing { .. })));
        let first = Keys::new(dir.path(), true).get(&campaign).unwrap();
        let file = dir.path().join("c-1.key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let again = Keys::new(dir.path(), false).get(&campaign).unwrap();
        let iin = crate::pseudonym::identifier::RawIin::read("850615101233").unwrap_or_else(|_| panic!());
        assert_eq!(first.of_iin(&iin), again.of_iin(&iin));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(Keys::new(dir.path(), true).get(&campaign), Err(KeyError::NotPrivate { .. })));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "abc").unwrap();
        assert!(matches!(Keys::new(dir.path(), true).get(&campaign), Err(KeyError::Content { .. })));
    }
}

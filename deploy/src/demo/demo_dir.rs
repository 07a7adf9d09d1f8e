//! The demo's folder: its contents, its lock, and whether a later run can use it again.
//!
//! One demo at a time uses a folder. Only folders that a demo created are emptied. A folder is complete only after everything was sent,
//! so an interrupted demo starts from the beginning.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use qamtu_devstack::file_lock::FileLock;
use qamtu_log::LogConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::DemoError;

/// Increased when the stream of a seed or the contents of the folder change.
const FORMAT: u32 = 4;
const STATE: &str = "demo.json";
const LOCK: &str = "demo.lock";
/// Files and folders that a demo creates in its folder.
const ENTRIES: [&str; 9] = ["log", "kafka", "warehouse", "ingest", "keys", "analytics", "logs", "passwords", "oracle.json"];

/// The parameters of the demo that a folder belongs to; only an equal demo can use it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// Fingerprint of the campaign file.
    pub campaign: String,
    pub seed: u64,
    pub log: String,
    pub warehouse: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct DemoState {
    format: u32,
    purpose: Purpose,
    /// Distinguishes this demo's topics and database from others on existing servers.
    name: String,
    complete: bool,
}

/// A demo's folder, locked until this is dropped.
#[derive(Debug)]
pub struct DemoDir {
    dir: PathBuf,
    state: DemoState,
    _lock: FileLock,
}

impl DemoDir {
    /// Locks a folder. Clears it if it belongs to a demo with other parameters or an interrupted one, or if `fresh` is set.
    pub fn open(dir: &Path, purpose: Purpose, fresh: bool) -> Result<Self, DemoError> {
        fs::create_dir_all(dir).map_err(|source| DemoError::file(dir, source))?;
        let path = dir.join(LOCK);
        let file = File::create(&path).map_err(|source| DemoError::file(&path, source))?;
        let lock = match FileLock::acquire(file) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => {
                let reason = format!("another demo is running in {}; end it, or give another --dir", dir.display());
                return Err(DemoError::Usage(reason));
            }
            Err(TryLockError::Error(source)) => return Err(DemoError::file(&path, source)),
        };
        let state_file = fs::read(dir.join(STATE)).ok();
        let state = state_file.as_deref().and_then(|bytes| serde_json::from_slice::<DemoState>(bytes).ok());
        match state {
            Some(state) if !fresh && state.format == FORMAT && state.purpose == purpose && state.complete => {
                return Ok(Self { dir: dir.to_owned(), state, _lock: lock });
            }
            None if state_file.is_none() && !is_empty(dir)? => {
                let reason = format!("{} holds files that no demo made; give an empty folder with --dir", dir.display());
                return Err(DemoError::Usage(reason));
            }
            _ => clear(dir)?,
        }
        let name = format!("demo_{}", &Uuid::new_v4().simple().to_string()[..8]);
        let dir = Self { dir: dir.to_owned(), state: DemoState { format: FORMAT, purpose, name, complete: false }, _lock: lock };
        dir.write(&dir.state)?;
        let logs = dir.path("logs");
        fs::create_dir_all(&logs).map_err(|source| DemoError::file(&logs, source))?;
        Ok(dir)
    }

    /// Whether an earlier run sent everything.
    pub fn is_complete(&self) -> bool {
        self.state.complete
    }

    /// Records that everything was sent.
    pub fn complete(&self) -> Result<(), DemoError> {
        self.write(&DemoState { complete: true, ..self.state.clone() })
    }

    /// A unique name for this demo's topics and database on existing servers.
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// Path of a file or folder in the demo's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a secret into a file of mode 0600 and returns its path.
    pub fn write_secret(&self, name: &str, secret: &SecretString) -> Result<PathBuf, DemoError> {
        let folder = self.path("passwords");
        let path = folder.join(name);
        let written = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).and_then(|()| {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all(secret.expose_secret().as_bytes())
        });
        written.map(|()| path.clone()).map_err(|source| DemoError::file(&path, source))
    }

    /// Removes the demo's files, and the folder if it is then empty.
    pub fn remove(self) -> Result<(), DemoError> {
        clear(&self.dir)?;
        // Fails, as intended, if the folder has other files.
        let _ = fs::remove_file(self.dir.join(LOCK)).and_then(|()| fs::remove_dir(&self.dir));
        Ok(())
    }

    fn write(&self, state: &DemoState) -> Result<(), DemoError> {
        let path = self.dir.join(STATE);
        let text = serde_json::to_vec_pretty(state).map_err(|source| DemoError::file(&path, source))?;
        fs::write(&path, text).map_err(|source| DemoError::file(&path, source))
    }
}

fn is_empty(dir: &Path) -> Result<bool, DemoError> {
    let entries = fs::read_dir(dir).map_err(|source| DemoError::file(dir, source))?;
    Ok(entries.flatten().all(|entry| entry.file_name() == LOCK))
}

fn clear(dir: &Path) -> Result<(), DemoError> {
    // The state file goes last, so that a partly cleared folder is still recognised as a demo's.
    for name in ENTRIES.into_iter().chain([STATE]) {
        let path = dir.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(DemoError::file(&path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// Settings of the event log, for the environment of services and for this process.
#[derive(Debug, Clone)]
pub struct LogSettings(BTreeMap<String, String>);

const PREFIX: &str = "QAMTU__LOG__";

impl LogSettings {
    pub fn embedded(dir: &Path) -> Self {
        Self([("KIND", "embedded".to_owned()), ("DIR", dir.display().to_string())].map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// A Kafka broker; encryption and logins come from the environment (`QAMTU__LOG__TLS__*`, `QAMTU__LOG__SASL__*`).
    pub fn kafka(brokers: &str, environment: impl Iterator<Item = (String, String)>) -> Self {
        let mut settings: BTreeMap<String, String> = [("REPLICAS".to_owned(), "1".to_owned())].into();
        settings.extend(environment.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value))));
        settings.remove("DIR");
        settings.extend([("KIND", "kafka"), ("BROKERS", brokers)].map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self(settings)
    }

    /// Adds a prefix to the names of all topics.
    pub fn with_topic_prefix(mut self, prefix: String) -> Self {
        self.0.insert("TOPIC_PREFIX".to_owned(), prefix);
        self
    }

    pub fn environment(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, value)| (format!("{PREFIX}{name}"), value.clone()))
    }

    /// As configuration of the log client in this process.
    pub fn config(&self) -> Result<LogConfig, DemoError> {
        let mut tree = serde_json::Map::new();
        for (name, value) in &self.0 {
            let value = value.parse::<u64>().map_or_else(|_| value.as_str().into(), serde_json::Value::from);
            let name = name.to_ascii_lowercase();
            match name.split_once("__") {
                Some((section, field)) => {
                    let table = tree.entry(section).or_insert_with(|| serde_json::Map::new().into());
                    table[field] = value;
                }
                None => drop(tree.insert(name, value)),
            }
        }
        serde_json::from_value(tree.into()).map_err(|error| DemoError::Usage(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(seed: u64) -> Purpose {
        Purpose { campaign: "c".into(), seed, log: "embedded".into(), warehouse: "own".into() }
    }

    #[test]
    fn a_complete_folder_is_used_again_and_any_other_is_cleared() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("demo");
        let dir = DemoDir::open(&path, purpose(7), false).unwrap();
        let name = dir.name().to_owned();
        fs::create_dir_all(dir.path("log")).unwrap();
        dir.complete().unwrap();
        assert!(matches!(DemoDir::open(&path, purpose(7), false), Err(DemoError::Usage(_))), "two demos at once");
        drop(dir);
        let again = DemoDir::open(&path, purpose(7), false).unwrap();
        assert!(again.is_complete() && again.name() == name && again.path("log").exists());
        drop(again);
        assert!(!DemoDir::open(&path, purpose(7), true).unwrap().is_complete(), "a fresh folder was requested");
        let other = DemoDir::open(&path, purpose(8), false).unwrap();
        assert!(!other.is_complete() && !other.path("log").exists());
        drop(other);
        assert!(!DemoDir::open(&path, purpose(8), false).unwrap().is_complete(), "an interrupted demo is not complete");
        fs::write(path.join("mine.txt"), "x").unwrap();
        DemoDir::open(&path, purpose(8), false).unwrap().remove().unwrap();
        assert!(path.join("mine.txt").exists());
    }

    #[test]
    fn a_folder_that_no_demo_created_is_left_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("log")).unwrap();
        assert!(matches!(DemoDir::open(dir.path(), purpose(7), false), Err(DemoError::Usage(_))));
        assert!(dir.path().join("log").exists());
    }

    #[test]
    fn log_settings_are_the_same_for_this_process_and_for_services() {
        let outside =
            [("QAMTU__LOG__SASL__USERNAME", "u"), ("QAMTU__LOG__SASL__PASSWORD", "p"), ("QAMTU__LOG__SASL__MECHANISM", "scram-sha-512")];
        let environment =
            outside.into_iter().chain([("QAMTU__LOG__DIR", "x"), ("HOME", "/")]).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = LogSettings::kafka("h:9092", environment).with_topic_prefix("demo_x-".to_owned());
        let LogConfig::Kafka(config) = settings.config().unwrap() else { panic!("no Kafka") };
        assert_eq!((config.brokers.as_str(), config.topic_prefix.as_str(), config.replicas), ("h:9092", "demo_x-", 1));
        assert_eq!(config.sasl.unwrap().username, "u");
        assert!(settings.environment().any(|(name, value)| name == "QAMTU__LOG__SASL__USERNAME" && value == "u"));
        assert!(matches!(LogSettings::embedded(Path::new("/tmp/x")).config().unwrap(), LogConfig::Embedded(_)));
    }
}

//! Chooses the ClickHouse: the user's own server, else a `clickhouse` program on PATH, else the engine library.
//! The environment is read here only. An incomplete external address is an error.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::SecretString;

use super::login::Login;
use super::package::{self, FetchProgress};
use crate::error::DevstackError;

/// Older programs lack features that the migrations use and are ignored.
const OLDEST_BINARY: (u32, u32) = (25, 8);

/// The source of the warehouse.
#[derive(Debug, Clone)]
pub enum WarehouseSource {
    /// [`WarehouseSource::Binary`] with the first `clickhouse` on PATH that is new enough (25.8), else [`WarehouseSource::Engine`].
    Automatic,
    /// A server that the user runs; nothing is started.
    External {
        /// Its HTTP address, such as `http://clickhouse:8123`.
        url: String,
        /// The one login for every role.
        login: Login,
    },
    /// This `clickhouse` program, run as a server.
    Binary(PathBuf),
    /// The pinned engine library, downloaded if it is not in the cache.
    Engine,
}

/// The path of the ClickHouse to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerProgram {
    Binary(PathBuf),
    Engine(PathBuf),
}

impl WarehouseSource {
    /// `QAMTU__CLICKHOUSE__URL`, `__USER` (default `default`) and `__PASSWORD` (default empty), else [`WarehouseSource::Automatic`].
    ///
    /// # Errors
    /// If the address is no HTTP address, or a user or password is set without an address.
    pub fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, DevstackError> {
        let text = |name: &'static str| match variable(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value).filter(|value| !value.is_empty())),
            Some(Err(_)) => Err(DevstackError::Configuration { name, reason: "is not valid UTF-8".to_owned() }),
        };
        const URL: &str = "QAMTU__CLICKHOUSE__URL";
        let (url, user, password) = (text(URL)?, text("QAMTU__CLICKHOUSE__USER")?, text("QAMTU__CLICKHOUSE__PASSWORD")?);
        let Some(url) = url else {
            return match user.or(password) {
                None => Ok(Self::Automatic),
                Some(_) => Err(DevstackError::Configuration {
                    name: URL,
                    reason: "a ClickHouse user or password is set without an address; set it too, or unset them".to_owned(),
                }),
            };
        };
        let parsed = reqwest::Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if parsed.is_none() {
            let reason = format!("`{url}` is no address; give one such as http://127.0.0.1:8123");
            return Err(DevstackError::Configuration { name: URL, reason });
        }
        let login =
            Login { user: user.unwrap_or_else(|| "default".to_owned()), password: SecretString::from(password.unwrap_or_default()) };
        Ok(Self::External { url: url.trim_end_matches('/').to_owned(), login })
    }
}

/// The first `clickhouse` on `path` that is new enough.
pub(super) fn binary_on_path(path: Option<OsString>) -> Option<PathBuf> {
    std::env::split_paths(&path?)
        .map(|folder| folder.join("clickhouse"))
        .find(|program| version_of(program).is_some_and(|version| version >= OLDEST_BINARY))
}

/// The first two numbers of what `clickhouse --version` prints.
fn version_of(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok().filter(|output| output.status.success())?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// `ClickHouse local version 26.8.3.1 (official build).` -> (26, 8)
fn parse_version(line: &str) -> Option<(u32, u32)> {
    line.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

impl ServerProgram {
    /// The engine library, downloaded on the first use. Blocks.
    pub(super) fn engine(cache_dir: &Path, progress: Option<&FetchProgress>) -> Result<Self, DevstackError> {
        package::ensure(cache_dir, progress).map(Self::Engine)
    }

    /// Text of the file `VERSION`, which detects tables of another version.
    pub(super) fn version(&self) -> String {
        match self {
            Self::Engine(_) => format!("ClickHouse engine {}", package::VERSION),
            Self::Binary(program) => {
                let (year, month) = version_of(program).unwrap_or_default();
                format!("ClickHouse server {year}.{month}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<WarehouseSource, DevstackError> {
        WarehouseSource::from_environment(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn without_an_address_the_source_is_automatic() {
        assert!(matches!(from(&[]), Ok(WarehouseSource::Automatic)));
        assert!(matches!(from(&[("QAMTU__CLICKHOUSE__URL", "")]), Ok(WarehouseSource::Automatic)));
    }

    #[test]
    fn an_address_with_its_login_is_taken_as_it_is() {
        let pairs = [("QAMTU__CLICKHOUSE__URL", "http://ch:8123/"), ("QAMTU__CLICKHOUSE__USER", "someone")];
        let Ok(WarehouseSource::External { url, login }) = from(&pairs) else { unreachable!("an external warehouse") };
        assert_eq!((url.as_str(), login.user.as_str()), ("http://ch:8123", "someone"));
    }

    #[test]
    fn an_incomplete_address_is_an_error_that_names_the_variable() {
        for pairs in [[("QAMTU__CLICKHOUSE__USER", "someone")], [("QAMTU__CLICKHOUSE__URL", "clickhouse:8123")]] {
            let error = from(&pairs).unwrap_err().to_string();
            assert!(error.starts_with("QAMTU__CLICKHOUSE__URL: "), "{error}");
        }
    }

    #[test]
    fn versions_are_read_and_old_ones_are_passed_over() {
        assert_eq!(parse_version("ClickHouse local version 26.8.3.1 (official build)."), Some((26, 8)));
        assert!(parse_version("ClickHouse client version 18.16.1.").is_some_and(|version| version < OLDEST_BINARY));
        assert_eq!(parse_version("clickhouse"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_enough_program_is_found_after_an_old_one_on_the_path() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let folders = [("old", "18.16.1"), ("new", "26.8.3.1")].map(|(name, version)| {
            let folder = root.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let program = folder.join("clickhouse");
            std::fs::write(&program, format!("#!/bin/sh\necho ClickHouse local version {version}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            folder
        });
        let path = std::env::join_paths([root.path().join("missing"), folders[0].clone(), folders[1].clone()]).unwrap();
        let found = binary_on_path(Some(path)).unwrap();
        assert_eq!(found, folders[1].join("clickhouse"));
        assert_eq!(ServerProgram::Binary(found).version(), "ClickHouse server 26.8");
        assert_eq!(binary_on_path(Some(folders[0].clone().into_os_string())), None);
    }
}

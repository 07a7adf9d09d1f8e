//! Settings of a connection to ClickHouse. Clients are built by the services: most of them know no ClickHouse.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

/// Section `[clickhouse]`: the warehouse and the login to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickhouseConfig {
    /// URL of the HTTP interface.
    pub url: String,
    /// Name of the ClickHouse user.
    pub user: String,
    /// Password, as a string or as `{ file = "..." }`; `Debug` does not print it.
    #[serde(deserialize_with = "password")]
    pub password: SecretString,
    /// Database of the tables; a lower-case identifier.
    #[serde(deserialize_with = "database")]
    pub database: String,
}

/// Whether `text` is an SQL identifier of lower-case letters, digits and `_` that needs no quotes, at most 48 characters.
pub fn is_identifier(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    first && text.len() <= 48 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A secret: its value, or the file that contains it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "must be text (a number only in quotes, in a variable too: '\"123\"'), or the file that contains it: { file = \"...\" }"
)]
enum Secret {
    Text(SecretString),
    File { file: PathBuf },
}

/// Reads a password, as text or as the file that contains it; the line ending of a password file is not part of it.
pub fn password<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    match Secret::deserialize(from)? {
        Secret::Text(text) => Ok(text),
        Secret::File { file } => match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).into()),
            Err(error) => Err(de::Error::custom(format!("the password file {} cannot be read: {error}", file.display()))),
        },
    }
}

/// Reads the name of a database.
pub fn database<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let why = "must be 1 to 48 characters of a-z, 0-9 and '_', beginning with a letter";
    if is_identifier(&text) { Ok(text) } else { Err(de::Error::custom(why)) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::{self, ConfigError};

    const DEFAULTS: &str = "url = \"http://127.0.0.1:8123\"\nuser = \"default\"\npassword = \"\"\ndatabase = \"qamtu\"\n";

    fn with(settings: &str) -> Result<ClickhouseConfig, ConfigError> {
        config::parse(DEFAULTS, settings)
    }

    #[test]
    fn errors_name_unknown_and_invalid_settings() {
        for (settings, named) in [("ulr = \"x\"", "ulr"), ("database = \"a; DROP\"", "database")] {
            let error = with(settings).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains('\n'), "{settings}: {error}");
        }
    }

    #[test]
    fn a_password_can_be_read_from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("projector");
        std::fs::write(&file, "hunter2 \n").unwrap();
        let config = with(&format!("password = {{ file = {file:?} }}")).unwrap();
        assert_eq!(config.password.expose_secret(), "hunter2 ");
        let error = with("password = { file = \"/nowhere/projector\" }").unwrap_err().to_string();
        assert!(error.contains("/nowhere/projector cannot be read"), "{error}");
        let error = with("password = 1234").unwrap_err().to_string();
        assert!(error.contains("a number only in quotes") && !error.contains("1234"), "{error}");
        let error = with("password = { path = \"x\" }").unwrap_err().to_string();
        assert!(error.contains("the file that contains it"), "{error}");
    }

    #[test]
    fn debug_output_does_not_contain_the_password() {
        let config = with("password = \"hunter2\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

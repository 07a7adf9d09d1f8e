//! Configuration: defaults, then a file, then the environment (`QAMTU__CLICKHOUSE__URL`).
//!
//! An unknown key in one of this service's sections is an error that names the key. Sections of other services in the same environment are
//! ignored. Secrets are never printed.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

use crate::access::ReaderConfig;

/// Sections of this service.
const SECTIONS: [&str; 4] = ["clickhouse", "analytics", "serve", "reader"];

/// The configuration cannot be read, or one of its settings is wrong; the source names the setting.
#[derive(Debug, thiserror::Error)]
#[error("configuration")]
pub struct ConfigError(#[source] Box<figment::Error>);

/// All settings of the service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Connection to the warehouse, section `clickhouse`.
    #[serde(default)]
    pub clickhouse: ClickHouse,
    /// Settings of this service, section `analytics`.
    #[serde(default)]
    pub analytics: Analytics,
    /// Listeners of `qamtu-analytics serve`, section `serve`.
    #[serde(default)]
    pub serve: Serve,
    /// The reader of that page; default a leader of the whole region.
    #[serde(default)]
    pub reader: ReaderConfig,
}

/// Where `serve` listens; port 0 takes a free one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Address of the listener for readers; default 127.0.0.1:8490.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Address of the internal listener (health, metrics); default none.
    #[serde(default)]
    pub metrics: Option<SocketAddr>,
    /// Accepted host names, in addition to loopback names and the address a client connected to.
    #[serde(default)]
    pub hosts: Vec<String>,
}

impl Default for Serve {
    fn default() -> Self {
        Self { listen: default_listen(), metrics: None, hosts: Vec::new() }
    }
}

/// Connection to ClickHouse. The user needs read access and may change the three `output_format_arrow_*` settings of the column format.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickHouse {
    /// Address of its HTTP interface; default `http://127.0.0.1:8123`.
    #[serde(default = "default_url")]
    pub url: String,
    /// User name; default `qamtu_analytics`.
    #[serde(default = "default_user")]
    pub user: String,
    /// Password, as a string or as `{ file = "..." }`; default empty.
    #[serde(default, deserialize_with = "password")]
    pub password: SecretString,
    /// The database; default `qamtu`.
    #[serde(default = "default_database")]
    pub database: String,
}

impl Default for ClickHouse {
    fn default() -> Self {
        Self { url: default_url(), user: default_user(), password: SecretString::default(), database: default_database() }
    }
}

/// Settings of this service: where it stores its data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// Folder of the snapshots; default `data/analytics`.
    #[serde(default = "default_dir")]
    pub dir: PathBuf,
}

impl Default for Analytics {
    fn default() -> Self {
        Self { dir: default_dir() }
    }
}

fn default_listen() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 8490).into()
}

fn default_url() -> String {
    "http://127.0.0.1:8123".to_owned()
}

fn default_user() -> String {
    "qamtu_analytics".to_owned()
}

fn default_database() -> String {
    "qamtu".to_owned()
}

fn default_dir() -> PathBuf {
    PathBuf::from("data/analytics")
}

/// A secret in the settings, or the path of the file that contains it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a text, or the file that holds it: { file = \"...\" }")]
enum Secret {
    Text(SecretString),
    File { file: PathBuf },
}

/// Reads a password; trailing line breaks of a file are removed.
fn password<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    match Secret::deserialize(from)? {
        Secret::Text(text) => Ok(text),
        Secret::File { file } => match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).into()),
            Err(error) => Err(de::Error::custom(format!("the password file {} cannot be read: {error}", file.display()))),
        },
    }
}

impl Config {
    /// Merges defaults, the TOML file and the environment, in this order.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let ours = |key: &figment::value::UncasedStr| {
            let key = key.as_str().to_ascii_lowercase();
            SECTIONS.iter().any(|section| key == *section || key.starts_with(&format!("{section}__")))
        };
        let file = file.map(Toml::file_exact);
        let figment = file.into_iter().fold(Figment::new(), Figment::merge);
        let figment = figment.merge(Env::prefixed("QAMTU__").filter(ours).split("__"));
        figment.extract().map_err(|source| ConfigError(Box::new(source)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example, read as a file is.
    fn example() -> Config {
        Figment::from(Toml::string(include_str!("../analytics.example.toml"))).extract().unwrap()
    }

    #[test]
    fn the_example_is_the_default() {
        let smallest: Config = Figment::from(Toml::string("[clickhouse]\nurl = \"http://127.0.0.1:8123\"")).extract().unwrap();
        assert_eq!(format!("{:?}", example()), format!("{smallest:?}"));
    }
}

//! Settings in layers: defaults, then a file, then the environment.
//!
//! Guarantees: the defaults are the text of the service's example file, so the example is always correct. An unknown setting is an error
//! that names it. One environment often configures all services, so two kinds of variables are ignored: those of another service's section,
//! and, if every setting of the example is in a section, those without one.

use std::{path::Path, time::Duration};

use figment::{
    Figment, Provider,
    providers::{Env, Format, Toml},
    value::Dict,
};
use serde::{Deserialize, Deserializer, de, de::DeserializeOwned};

/// The sections of all services. Each service has some of them.
pub const SECTIONS: [&str; 14] = [
    "analytics",
    "clickhouse",
    "http",
    "limits",
    "log",
    "metrics",
    "projector",
    "pseudonym",
    "reader",
    "register",
    "serve",
    "slices",
    "stop",
    "telemetry",
];

/// Why the settings are invalid, in one line.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An invalid value of the named setting, such as `limits.streams`.
    pub fn new(setting: &str, reason: &str) -> Self {
        Self(format!("{setting}: {reason}").replace('\n', " "))
    }
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        Self(error.to_string().replace('\n', " "))
    }
}

/// Section `[telemetry]`: filter of the logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Filter directives of `tracing_subscriber`.
    pub filter: String,
}

/// Merges `defaults` (TOML), `file` if one is given (it must exist), and the environment (`QAMTU__LOG__DIR` for `log.dir`).
pub fn load<C: DeserializeOwned>(defaults: &str, file: Option<&Path>) -> Result<C, ConfigError> {
    let mut layers = Figment::from(Toml::string(defaults));
    if let Some(file) = file {
        // Figment takes a file that it cannot read for an empty one.
        std::fs::read_to_string(file).map_err(|error| ConfigError(format!("{} cannot be read: {error}", file.display())))?;
        layers = layers.merge(Toml::file_exact(file));
    }
    Ok(layers.merge(environment(defaults)?).extract()?)
}

/// Merges `defaults` and `settings`, both TOML, without the environment.
pub fn parse<C: DeserializeOwned>(defaults: &str, settings: &str) -> Result<C, ConfigError> {
    Ok(Figment::from(Toml::string(defaults)).merge(Toml::string(settings)).extract()?)
}

/// The variables of this service. A variable of no service's section is an error.
fn environment(defaults: &str) -> Result<Env, ConfigError> {
    let settings = Toml::string(defaults).data()?.into_values().next().unwrap_or_default();
    let variables = Env::prefixed("QAMTU__");
    for (name, _) in variables.iter() {
        check_section(name.as_str())?;
    }
    Ok(variables.filter(move |name| is_own(&settings, &name.as_str().to_ascii_lowercase())).split("__"))
}

/// Refuses the name of a variable, without its prefix, whose section no service has.
fn check_section(name: &str) -> Result<(), ConfigError> {
    match name.split_once("__") {
        Some((section, _)) if !SECTIONS.iter().any(|known| section.eq_ignore_ascii_case(known)) => Err(ConfigError(format!(
            "the variable QAMTU__{} names the section {}, which no service has; the sections are {}",
            name.to_ascii_uppercase(),
            section.to_ascii_lowercase(),
            SECTIONS.join(", ")
        ))),
        _ => Ok(()),
    }
}

/// Whether a variable belongs to a service with these settings: its section does, or it has none and neither have some of them.
fn is_own(settings: &Dict, name: &str) -> bool {
    match name.split_once("__") {
        Some((section, _)) => settings.contains_key(section),
        None => settings.contains_key(name) || settings.values().any(|value| value.as_dict().is_none()),
    }
}

/// Deserializes a number of milliseconds, from 1 to a day.
pub fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let number = u64::deserialize(from)?;
    if (1..=86_400_000).contains(&number) {
        Ok(Duration::from_millis(number))
    } else {
        Err(de::Error::custom("must be between 1 and 86400000 milliseconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(rename = "wait_ms", deserialize_with = "milliseconds")]
        wait: Duration,
        telemetry: TelemetryConfig,
    }

    const DEFAULTS: &str = "wait_ms = 5\n[telemetry]\nfilter = \"info\"\n";

    #[test]
    fn a_file_overrides_defaults_and_must_exist() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("example.toml");
        let load = || load::<Example>(DEFAULTS, Some(&file));
        let error = load().unwrap_err().to_string();
        assert!(error.contains("example.toml cannot be read: No such file"), "{error}");
        std::fs::write(&file, "wait_ms = 7").unwrap();
        let loaded = load().unwrap();
        assert_eq!((loaded.wait, loaded.telemetry.filter.as_str()), (Duration::from_millis(7), "info"));
    }

    #[test]
    fn errors_name_the_setting_in_one_line() {
        for (settings, named) in [
            ("wiat_ms = 5", "wiat_ms"),
            ("[telemetry]\nfliter = \"x\"", "fliter"),
            ("wait_ms = 0", "wait_ms"),
            ("wait_ms = 86400001", "wait_ms"),
        ] {
            let error = parse::<Example>(DEFAULTS, settings).unwrap_err().to_string();
            assert!(error.starts_with("configuration: ") && error.contains(named) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_variable_of_no_section_is_an_error_that_names_it() {
        for name in ["LOG__DIR", "log__dir", "LISTEN", "SERVE__LISTEN", "READER__UNITS__0"] {
            check_section(name).unwrap();
        }
        for name in ["LGO__DIR", "LOGS__DIR", "__DIR"] {
            let error = check_section(name).unwrap_err().to_string();
            assert!(error.contains(&format!("QAMTU__{name}")) && error.contains("telemetry") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_sections_are_those_of_the_example_files() {
        let mut sections = std::collections::BTreeSet::new();
        for example in ["ingest/ingest", "projector/projector", "analytics/analytics"] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../{example}.example.toml"));
            let settings = Figment::from(Toml::file_exact(file)).extract::<Dict>().unwrap();
            sections.extend(settings.into_iter().filter(|(_, value)| value.as_dict().is_some()).map(|(name, _)| name));
        }
        assert!(sections.iter().eq(SECTIONS.iter()), "{sections:?}");
    }

    #[test]
    fn variables_of_other_services_are_ignored() {
        let with_listen = Figment::from(Toml::string("listen = \"x\"\n[log]\ndir = \"d\"")).extract::<Dict>().unwrap();
        let sections = Figment::from(Toml::string("[log]\ndir = \"d\"")).extract::<Dict>().unwrap();
        for (name, first, second) in [
            ("log__dir", true, true),
            ("log", true, true),
            ("log__typo", true, true),
            ("serve__listen", false, false),
            ("listen", true, false),
            ("lisen", true, false),
        ] {
            assert_eq!((is_own(&with_listen, name), is_own(&sections, name)), (first, second), "{name}");
        }
    }
}

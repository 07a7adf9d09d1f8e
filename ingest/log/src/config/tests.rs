//! What a section `log` may hold.

use figment::Figment;
use figment::providers::{Format, Toml};

use super::*;

fn read(text: &str) -> Result<LogConfig, String> {
    Figment::from(Toml::string(text)).extract_inner("log").map_err(|error| error.to_string())
}

#[test]
fn embedded_is_the_default_and_needs_a_folder() {
    let Ok(LogConfig::Embedded(config)) = read("[log]\ndir = 'data/log'") else { panic!("embedded") };
    assert_eq!((config.dir, config.max_bytes), (PathBuf::from("data/log"), None));
    assert!(read("[log]\nkind = 'embedded'").expect_err("no folder").contains("log.dir is missing"));
}

#[test]
fn kafka_needs_brokers_and_has_defaults_for_the_rest() {
    let Ok(LogConfig::Kafka(config)) = read("[log]\nkind = 'kafka'\nbrokers = 'a:1,b:1'\ndir = 'from the defaults'") else {
        panic!("kafka")
    };
    assert_eq!((config.brokers.as_str(), config.replicas, config.append_timeout_ms), ("a:1,b:1", 3, 120_000));
    assert!(config.tls.is_none() && config.sasl.is_none() && config.topic_prefix.is_empty());
    assert!(read("[log]\nkind = 'kafka'\nbrokers = ' '").expect_err("no brokers").contains("log.brokers is missing"));
}

#[test]
fn settings_of_the_other_kind_and_unknown_ones_are_refused_by_name() {
    for (text, message) in [
        ("dir = 'd'\nbrokers = 'a:1'", "log.brokers is set, but log.kind is embedded"),
        ("dir = 'd'\nreplicas = 1", "log.replicas is set, but log.kind is embedded"),
        ("kind = 'kafka'\nbrokers = 'a:1'\nmax_bytes = 5", "log.max_bytes belongs to the embedded log"),
        ("kind = 'kafka'\nbrokers = 'a:1'\nacks = 1", "unknown field: found `acks`"),
        ("kind = 'pulsar'\ndir = 'd'", "unknown variant: found `pulsar`"),
        ("kind = 'kafka'\nbrokers = 'a:1'\nreplicas = 0", "log.replicas: must be at least 1"),
        ("kind = 'kafka'\nbrokers = 'a:1'\nsession_timeout_ms = 10", "log.session_timeout_ms: must be between"),
        ("kind = 'kafka'\nbrokers = 'a:1'\ntls = { key_file = 'k' }", "certificate_file and key_file go together"),
        ("kind = 'kafka'\nbrokers = 'a:1'\ntls = { verify = false }", "unknown field: found `verify`"),
    ] {
        let error = read(&format!("[log]\n{text}")).expect_err(text);
        assert!(error.contains(message), "{text:?} said {error:?}");
    }
}

#[test]
fn a_password_is_never_sent_in_the_clear_nor_printed() {
    let sasl = "kind = 'kafka'\nbrokers = 'a:1'\nsasl = { mechanism = 'plain', username = 'u', password = 'canary' }";
    assert!(read(&format!("[log]\n{sasl}")).expect_err("plain without tls").contains("log.sasl.mechanism"));
    let config = read(&format!("[log]\n{sasl}\ntls = {{}}")).expect("plain with tls");
    assert!(!format!("{config:?}").contains("canary"));
    let digits = sasl.replace("'canary'", "31337");
    let error = read(&format!("[log]\n{digits}\ntls = {{}}")).expect_err("digits");
    assert!(error.contains("must be written in quotes") && !error.contains("31337"), "{error}");
}

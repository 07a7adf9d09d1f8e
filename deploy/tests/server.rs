//! The files for a deployment on a server: systemd units, the compose file, the users of a ClickHouse server.
//!
//! Every setting in them is passed to the real service, which rejects unknown names. `systemd-analyze verify` runs if systemd is
//! installed. Neither systemd nor Docker starts anything here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps a test fails with it")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_yaml::Value;

type Environment = BTreeMap<String, String>;

fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A program of Qamtu, which `cargo test --workspace` builds into the launcher's folder.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_qamtu")).with_file_name(name);
    assert!(path.exists(), "{} is missing: build it with `cargo build --release --workspace --bins`", path.display());
    path
}

/// Runs a service with the settings of a file, but with temporary folders and unreachable addresses; it exits with 64 for an unknown name.
fn run(service: &str, environment: &Environment, dir: &Path) -> Output {
    // The port is taken, so that ingest exits after reading its settings.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let password = dir.join("password");
    std::fs::write(&password, "a password of the test").unwrap();
    let arguments: &[&str] = match service {
        "qamtu-projector" => &["migrate"],
        "qamtu-analytics" => &["compute", "--campaign", "x"],
        _ => &[],
    };
    let mut command = Command::new(program(service));
    command.args(arguments).env_clear().current_dir(dir).stdin(Stdio::null());
    for (name, value) in environment {
        let value = match name.trim_start_matches("QAMTU__") {
            "CLICKHOUSE__URL" => "http://127.0.0.1:1".to_owned(),
            "CLICKHOUSE__PASSWORD__FILE" => password.display().to_string(),
            "LISTEN" | "SERVE__LISTEN" | "METRICS__LISTEN" => address.to_string(),
            "LOG__BROKERS" => "127.0.0.1:1".to_owned(),
            "LOG__DIR" | "ANALYTICS__DIR" | "PSEUDONYM__KEY_DIR" => dir.join("folder").display().to_string(),
            "REGISTER__PATH" => dir.join("register.sqlite").display().to_string(),
            _ => value.clone(),
        };
        command.env(name, value);
    }
    command.output().unwrap()
}

/// Fails if the service rejects a setting, or accepts the misspelt name of one.
fn assert_accepted(service: &str, environment: &Environment) {
    assert!(environment.keys().any(|name| name.starts_with("QAMTU__")), "{service} has no settings");
    let dir = tempfile::tempdir().unwrap();
    let output = run(service, environment, dir.path());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{service} with {environment:?}: {stderr}");
    for name in environment.keys().filter(|name| name.starts_with("QAMTU__") && name.matches("__").count() > 1) {
        let mut misspelt = environment.clone();
        let value = misspelt.remove(name).unwrap();
        misspelt.insert(format!("{name}X"), value);
        // The misspelt name must be rejected before a missing password file is.
        let output = run(service, &misspelt, dir.path());
        assert_eq!(output.status.code(), Some(64), "{service} does not notice {name}X: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The lines `key=value` of a unit.
fn unit(name: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(deploy().join("systemd").join(name)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn values<'a>(unit: &'a [(String, String)], key: &str) -> Vec<&'a str> {
    unit.iter().filter(|(found, _)| found == key).map(|(_, value)| value.as_str()).collect()
}

const UNITS: [&str; 5] =
    ["qamtu-warehouse.service", "qamtu-migrate.service", "qamtu-ingest.service", "qamtu-projector.service", "qamtu-analytics@.service"];

#[test]
fn every_setting_of_a_unit_is_known_to_its_service() {
    for name in UNITS {
        let unit = unit(name);
        let start = values(&unit, "ExecStart")[0];
        let service = start.split_whitespace().next().unwrap().trim_start_matches("/usr/local/bin/");
        let pairs = values(&unit, "Environment").into_iter().flat_map(str::split_whitespace).filter_map(|pair| pair.split_once('='));
        let environment: Environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert!(!environment.contains_key("QAMTU__CLICKHOUSE__PASSWORD"), "{name} has a password in its environment");
        if service == "qamtu" {
            // The tests of the warehouse use its arguments; here they must only exist.
            let help = Command::new(program("qamtu")).args(["warehouse", "--help"]).output().unwrap();
            let help = String::from_utf8(help.stdout).unwrap();
            let options: Vec<&str> = start.split_whitespace().filter(|word| word.starts_with("--")).collect();
            assert!(options.contains(&"--service") && options.iter().all(|option| help.contains(option)), "{start}: {help}");
        } else {
            assert_accepted(service, &environment);
        }
    }
}

#[test]
fn units_drop_privileges_that_no_service_needs() {
    for name in UNITS {
        let unit = unit(name);
        for (key, value) in [
            ("NoNewPrivileges", "yes"),
            ("CapabilityBoundingSet", ""),
            ("ProtectSystem", "strict"),
            ("ProtectHome", "yes"),
            ("ProtectProc", "invisible"),
            ("PrivateDevices", "yes"),
            ("UMask", "0077"),
        ] {
            assert_eq!(values(&unit, key), [value], "{name}: {key}");
        }
        let user = values(&unit, "User");
        assert!(
            user.iter().all(|user| user.starts_with("qamtu")) && (!user.is_empty() || values(&unit, "DynamicUser") == ["yes"]),
            "{name}"
        );
    }
    // Only ingest may read the pseudonym keys.
    assert_eq!(values(&unit("qamtu-projector.service"), "InaccessiblePaths"), ["-/var/lib/qamtu/keys"]);
    assert_ne!(values(&unit("qamtu-warehouse.service"), "User"), values(&unit("qamtu-ingest.service"), "User"));
}

/// Prints a note if systemd is not installed.
#[test]
fn systemd_accepts_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("NOT TESTED HERE: the units, because systemd is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for name in UNITS {
        let text = std::fs::read_to_string(deploy().join("systemd").join(name)).unwrap();
        // systemd checks that the programs exist, and they are not installed in /usr/local/bin here.
        let text = text.replace("/usr/local/bin/", &format!("{}/", program("qamtu").parent().unwrap().display()));
        std::fs::write(dir.path().join(name.replace("@.", "@turkistan-2026.")), text).unwrap();
    }
    for name in UNITS {
        let file = dir.path().join(name.replace("@.", "@turkistan-2026."));
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&file)
            .env("SYSTEMD_UNIT_PATH", format!("{}:", dir.path().display()))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !stderr.contains("qamtu"), "{name}: {stderr}");
    }
}

fn compose() -> Value {
    let text = std::fs::read_to_string(deploy().join("compose/compose.yaml")).unwrap();
    let mut compose: Value = serde_yaml::from_str(&text).unwrap();
    compose.apply_merge().unwrap();
    compose
}

#[test]
fn every_setting_of_the_compose_file_is_known_to_its_service() {
    let compose = compose();
    let mut tried = 0;
    for (name, service) in compose["services"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let Some(target) = service["build"]["target"].as_str() else { continue };
        let Some(environment) = service["environment"].as_mapping() else {
            assert_eq!(name, "users");
            continue;
        };
        let pairs = environment.iter().map(|(name, value)| (name.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned()));
        let environment: Environment = pairs.collect();
        assert!(!environment.contains_key("QAMTU__CLICKHOUSE__PASSWORD"), "{name} has a password in its environment");
        assert_accepted(&format!("qamtu-{target}"), &environment);
        tried += 1;
    }
    assert_eq!(tried, 4);
}

#[test]
fn everything_in_the_compose_file_exists_and_listens_on_loopback_only() {
    let compose = compose();
    let dockerfile = std::fs::read_to_string(deploy().join("Dockerfile")).unwrap();
    let secrets = compose["secrets"].as_mapping().unwrap();
    for (name, service) in compose["services"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(dockerfile.contains(&format!(" AS {target}\n")), "{name}: the Dockerfile has no target {target}");
            assert_eq!(service["read_only"], Value::Bool(true), "{name}");
            assert!(service["user"].as_str().is_some_and(|user| user.contains("QAMTU_UID")), "{name}");
        } else {
            assert!(service["image"].as_str().is_some_and(|image| image.contains(':')), "{name} has no image of a version");
        }
        for port in service["ports"].as_sequence().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port:?}");
        }
        for secret in service["secrets"].as_sequence().into_iter().flatten() {
            assert!(secrets.contains_key(secret), "{name}: {secret:?}");
        }
        for needed in service["depends_on"].as_mapping().into_iter().flat_map(|needed| needed.keys()) {
            assert!(compose["services"].as_mapping().unwrap().contains_key(needed), "{name}: {needed:?}");
        }
        for volume in service["volumes"].as_sequence().into_iter().flatten() {
            let from = volume.as_str().unwrap().split(':').next().unwrap();
            let there = match from.strip_prefix("./") {
                Some(path) => path.starts_with("secrets") || deploy().join("compose").join(path).exists(),
                None => compose["volumes"].as_mapping().unwrap().contains_key(from),
            };
            assert!(there, "{name}: {from}");
        }
    }
    for line in dockerfile.lines().filter(|line| line.starts_with("ENTRYPOINT")) {
        let path = line.split('"').nth(1).unwrap();
        assert!(dockerfile.contains(&format!("/programs/{} /usr/local/bin/", path.trim_start_matches("/usr/local/bin/"))), "{line}");
    }
}

#[test]
fn users_of_an_external_server_are_created_once_and_their_file_has_no_password() {
    let dir = tempfile::tempdir().unwrap();
    let (passwords, file) = (dir.path().join("secrets"), dir.path().join("users.xml"));
    let make = || {
        let output =
            Command::new(program("qamtu")).args(["users", "--passwords"]).arg(&passwords).arg("--file").arg(&file).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read_to_string(&file).unwrap()
    };
    let users = make();
    for role in ["admin", "projector", "analytics"] {
        let path = passwords.join(role);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!users.contains(&std::fs::read_to_string(&path).unwrap()), "{role}");
        assert!(users.contains(&format!("<qamtu_{role}>")), "{role}");
    }
    assert_eq!(make(), users, "passwords that are there are kept");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o044, 0o044, "the server cannot read it");
}

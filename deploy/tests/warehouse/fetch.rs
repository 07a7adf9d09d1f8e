//! Error messages if the engine cannot be downloaded.

use std::process::{Command, Stdio};

use crate::support::LAUNCHER;

/// Runs `qamtu warehouse` with an empty cache and no programs on PATH; returns exit code and standard error.
fn without_programs(cache: &std::path::Path) -> (Option<i32>, String) {
    let output = Command::new(LAUNCHER)
        .args(["warehouse", "--dir"])
        .arg(cache.join("warehouse"))
        .arg("--cache-dir")
        .arg(cache)
        .env("PATH", cache)
        .env_remove("QAMTU__CLICKHOUSE__URL")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_missing_npm_gives_one_line_with_three_solutions() {
    let cache = tempfile::tempdir().unwrap();
    let (code, output) = without_programs(cache.path());
    assert_eq!(code, Some(1));
    assert_eq!(output.lines().count(), 1, "{output}");
    for way_out in ["npm is needed", "install Node.js", "-26.7.3-stable.1.tgz", "QAMTU__CLICKHOUSE__URL"] {
        assert!(output.contains(way_out), "{output}");
    }
}

#[test]
fn an_archive_with_another_hash_is_refused_and_nothing_of_it_is_used() {
    let cache = tempfile::tempdir().unwrap();
    let engine = cache.path().join("engine");
    std::fs::create_dir(&engine).unwrap();
    std::fs::write(engine.join("chdb-lib-linux-x64-gnu-26.7.3-stable.1.tgz"), "not what was pinned").unwrap();
    let (code, output) = without_programs(cache.path());
    assert_eq!(code, Some(1));
    assert_eq!(output.lines().count(), 1, "{output}");
    assert!(output.contains("has the hash sha512-") && output.contains("pinned is sha512-XP97mMqnc5"), "{output}");
    assert!(!engine.join("26.7.3-stable.1-linux-x86_64").exists());
    assert!(!cache.path().join("warehouse").exists());
}

#[test]
fn an_invalid_address_exits_with_64() {
    let output = Command::new(LAUNCHER)
        .args(["warehouse", "--dir", "/nonexistent"])
        .env("QAMTU__CLICKHOUSE__URL", "clickhouse:8123")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let output = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.trim_end(), "qamtu: QAMTU__CLICKHOUSE__URL: `clickhouse:8123` is no address; give one such as http://127.0.0.1:8123");
}

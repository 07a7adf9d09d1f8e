//! `qamtu demo` on a small campaign: figures equal the oracle, a second run sends nothing again, and mistakes give one line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps a test fails with it")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

fn demo(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu"));
    command.arg("demo").args(args).args(["--campaign", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/small.toml")]);
    command.output().expect("the launcher")
}

fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).expect("JSON")
}

#[test]
fn a_second_run_on_the_same_folder_sends_nothing_and_gives_the_same_figures() {
    let root = tempfile::tempdir().expect("a folder");
    let (dir, out) = (root.path().join("demo"), root.path().join("out"));
    let (dir, out) = (dir.display().to_string(), out.display().to_string());
    let args = ["--once", "--seed", "3", "--dir", &dir, "--out", &out];
    let first = demo(&args);
    assert!(first.status.success(), "{}", output_text(&first));
    let summary = read(&Path::new(&out).join("summary.json"));
    assert_eq!(summary, read(&Path::new(&out).join("oracle.json"))["figures"]);
    assert_eq!(summary["counts"]["voters"], 9_000);
    let events = std::fs::read(Path::new(&out).join("events.ndjson")).expect("events");
    assert!(!events.is_empty() && !String::from_utf8_lossy(&events).contains("\"iin\""), "a raw identifier was published");
    for file in ["roll.parquet", "coverage.csv", "report-kk.pdf"] {
        assert!(Path::new(&out).join(file).exists(), "{file} is missing");
    }
    let second = demo(&args);
    assert!(second.status.success(), "{}", output_text(&second));
    assert!(output_text(&second).contains("was sent before") && !output_text(&second).contains("Sending"), "{}", output_text(&second));
    assert_eq!(summary, read(&Path::new(&out).join("summary.json")));
    assert_eq!(events, std::fs::read(Path::new(&out).join("events.ndjson")).expect("events"));
}

#[test]
fn a_temporary_folder_is_removed() {
    let root = tempfile::tempdir().expect("a folder");
    let out = root.path().join("out");
    let done = demo(&["--once", "--out", &out.display().to_string(), "--kill-projector", "3"]);
    assert!(done.status.success(), "{}", output_text(&done));
    assert!(out.join("summary.json").exists() && !out.join("data").exists());
}

#[test]
fn an_external_clickhouse_is_used_with_its_login_and_a_separate_database() {
    let root = tempfile::tempdir().expect("a folder");
    let mut theirs = Command::new(env!("CARGO_BIN_EXE_qamtu"));
    theirs.args(["warehouse", "--dir"]).arg(root.path().join("theirs")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut theirs = theirs.spawn().expect("the launcher");
    let mut line = String::new();
    BufReader::new(theirs.stdout.take().expect("standard output")).read_line(&mut line).expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    let field = |name: &str| ready[name].as_str().expect(name).to_owned();
    let out = root.path().join("out");
    let run = |password: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu"));
        command.args(["demo", "--once", "--seed", "3", "--clickhouse", &field("url"), "--out"]).arg(&out);
        command.args(["--campaign", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/small.toml")]);
        command.env("QAMTU__CLICKHOUSE__USER", field("user")).env("QAMTU__CLICKHOUSE__PASSWORD", password).output().expect("the launcher")
    };
    let refused = run("guess");
    assert!(!refused.status.success() && !output_text(&refused).contains("guess"), "{}", output_text(&refused));
    let done = run(&field("password"));
    assert!(done.status.success() && output_text(&done).contains("qamtu_demo"), "{}", output_text(&done));
    assert_eq!(read(&out.join("summary.json")), read(&out.join("oracle.json"))["figures"]);
    drop(theirs.stdin.take());
    assert!(theirs.wait().expect("its end").success());
}

#[test]
fn mistakes_end_with_64_and_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine.txt"), "x").expect("a file");
    let dir = folder.path().display().to_string();
    let refused = demo(&["--once", "--dir", &dir]);
    assert_eq!(refused.status.code(), Some(64), "{}", output_text(&refused));
    assert!(output_text(&refused).contains("holds files that no demo made"), "{}", output_text(&refused));
    let missing = Command::new(env!("CARGO_BIN_EXE_qamtu")).args(["demo", "--campaign", "nowhere.toml"]).output().expect("the launcher");
    assert_eq!(missing.status.code(), Some(64), "{}", output_text(&missing));
    assert!(output_text(&missing).contains("nowhere.toml"), "{}", output_text(&missing));
}

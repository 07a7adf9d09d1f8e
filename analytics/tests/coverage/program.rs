//! The program: output, files and exit codes.

use std::process::{Command, Output};

use qamtu_analytics::{Snapshot, Summary, config::ClickhouseConfig};
use secrecy::ExposeSecret;

/// Runs the program with only these settings.
fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu-analytics"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QAMTU__")) {
        command.env_remove(name);
    }
    command.args(arguments).envs(settings.iter().copied()).output().expect("the program runs")
}

#[test]
fn a_wrong_configuration_ends_with_64_and_one_line_that_names_it() {
    let url = ("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:1");
    let wrong: [(&[(&str, &str)], &str); 3] = [
        (&[url, ("QAMTU__READER__ROLE", "nobody")], "role"),
        (&[url, ("QAMTU__CLICKHOUSE__URLS", "x")], "urls"),
        (&[url, ("QAMTU__SERVE__LISTEN", "nowhere")], "listen"),
    ];
    for (settings, named) in wrong {
        let output = run(&["compute", "--campaign", "test"], settings);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{stderr}");
        assert!(stderr.to_lowercase().contains(named) && stderr.trim().lines().count() == 1, "{stderr}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    for arguments in [&["compute"][..], &["compute", "--campaign", "two words"], &["count"]] {
        assert_eq!(run(arguments, &[]).status.code(), Some(64), "{arguments:?}");
    }
    assert_eq!(run(&["--help"], &[]).status.code(), Some(0));
}

#[test]
fn a_slice_that_cannot_be_answered_ends_with_64() {
    let slice = ["slice", "--campaign", "test"];
    for (arguments, named) in [
        (["--by", "person"], "unknown dimension \"person\": choose one of meeting, unit, precinct"),
        (["--by", "unit,week,day"], "grouped by at most two dimensions, each once: leave out one of unit, week, day"),
        (["--by", "unit,unit"], "each once: leave out one of unit, unit"),
        (["--where", "unit>=A"], "dimension unit has no order"),
        (["--where", "day=yesterday"], "write one such as 2026-02-20"),
        (["--measures", "turnout"], "unknown measure \"turnout\": choose one of planned"),
        (["--format", "pdf"], "possible values: text, csv, json"),
    ] {
        let output = run(&[&slice[..], &arguments].concat(), &[("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:1")]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(64) && stderr.contains(named), "{arguments:?}: {stderr}");
    }
    let of_meetings = run(&[&slice[..], &["--by", "sex", "--measures", "held"]].concat(), &[]);
    assert!(String::from_utf8_lossy(&of_meetings.stderr).contains("measure held is a figure of meetings, and with dimension sex"));
}

#[test]
fn a_warehouse_that_does_not_answer_ends_with_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings =
        [("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:1"), ("QAMTU__ANALYTICS__DIR", folder.path().to_str().expect("a plain path"))];
    let output = run(&["compute", "--campaign", "test"], &settings);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    // Of two queries at once either may fail first.
    let named = ["contiguous offsets", "configured campaigns"].map(|what| format!("the warehouse query for the {what} failed"));
    assert!(output.stdout.is_empty() && named.iter().any(|named| error.contains(named)), "{error}");
}

/// The settings that read a warehouse.
pub fn settings_of(config: &ClickhouseConfig) -> [(&'static str, &str); 4] {
    [
        ("QAMTU__CLICKHOUSE__URL", config.url.as_str()),
        ("QAMTU__CLICKHOUSE__USER", config.user.as_str()),
        ("QAMTU__CLICKHOUSE__PASSWORD", config.password.expose_secret()),
        ("QAMTU__CLICKHOUSE__DATABASE", config.database.as_str()),
    ]
}

/// Runs `slice` over a real warehouse; returns what it prints, or its exit code and error.
pub fn slice_output(config: &ClickhouseConfig, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
    slice_output_with(&settings_of(config), arguments)
}

/// The same with any settings.
pub fn slice_output_with(settings: &[(&str, &str)], arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
    output_with(settings, &[&["slice", "--campaign", "test"], arguments].concat())
}

/// Runs the program over a real warehouse; returns what it prints, or its exit code and error.
pub fn analytics_output(config: &ClickhouseConfig, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
    output_with(&settings_of(config), arguments)
}

fn output_with(settings: &[(&str, &str)], arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
    let output = run(arguments, settings);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    if output.status.success() { Ok(text(output.stdout)) } else { Err((output.status.code(), text(output.stderr))) }
}

/// The same with a directory that several runs share.
pub fn analytics_output_in(dir: &std::path::Path, config: &ClickhouseConfig, arguments: &[&str]) -> Result<String, String> {
    let dir = dir.display().to_string();
    let output = run(arguments, &[&settings_of(config)[..], &[("QAMTU__ANALYTICS__DIR", dir.as_str())]].concat());
    let text = |bytes| String::from_utf8(bytes).expect("text");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// `compute` on a real warehouse prints the name of a snapshot and writes its files.
pub fn computes(config: &ClickhouseConfig, expected: &Snapshot) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let as_of = expected.coverage.identity.as_of.to_string();
    let (csv, json, dir) = (path("coverage.csv"), path("summary.json"), path("snapshots"));
    let settings = [&settings_of(config)[..], &[("QAMTU__ANALYTICS__DIR", dir.as_str())]].concat();
    let output = run(&["compute", "--campaign", "test", "--as-of", &as_of, "--csv", &csv, "--json", &json], &settings);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON line");
    assert_eq!(line, serde_json::json!({"snapshot": expected.id}));
    // Small counts are whole in these files.
    for file in [&csv, &json] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let figures: Summary = serde_json::from_slice(&std::fs::read(json).expect("a file")).expect("figures");
    assert_eq!(figures, Summary::from(&expected.coverage));
    let mut rows = Vec::new();
    qamtu_analytics::csv::write(expected, &mut rows).expect("rows");
    assert_eq!(std::fs::read(csv).expect("a file"), rows);
}

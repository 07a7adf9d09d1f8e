//! Checks the README: a real ingest accepts its examples, and its table of settings is that of the example files.

use std::{collections::BTreeSet, fmt::Write};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::http;
use serde_json::Value;

use crate::{
    root,
    send::{ingest, send},
};

fn readme() -> Result<String> {
    Ok(std::fs::read_to_string(root().join("README.md"))?)
}

/// Route and lines of each example: the lines between a `curl` command and its `END`.
fn examples(readme: &str) -> Vec<(&str, Vec<&str>)> {
    let commands = readme.split("$ curl -H 'content-type: application/x-ndjson' --data-binary @- http://127.0.0.1:8480").skip(1);
    commands
        .filter_map(|rest| {
            Some((rest.split_once(" <<'END'\n")?.0, rest.split_once(" <<'END'\n")?.1.split_once("\nEND")?.0.lines().collect()))
        })
        .collect()
}

#[tokio::test]
async fn the_examples_of_the_readme_are_accepted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (ingest, address) = ingest(folder.path()).await?;
    let client = http::client()?;
    let sent = send(&root().join("deploy/campaigns/turkistan-2026.toml"), &address).await?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    let (readme, mut types) = (readme()?, BTreeSet::new());
    for (route, lines) in examples(&readme) {
        let request = client.post(format!("{address}{route}")).header("content-type", "application/x-ndjson").body(lines.join("\n"));
        let response = http::send(request).await?.json();
        ensure!(response["accepted"] == lines.len() && response["refused"] == 0 && response["warned"] == 0, "{route}: {response}");
        for line in lines {
            let event: Value = serde_json::from_str(line)?;
            types.insert(event["type"].as_str().context("a type")?.to_owned());
            // The same event sent alone as JSON is a duplicate.
            let request = client.post(format!("{address}/v1/events")).header("content-type", "application/json").body(line.to_owned());
            let response = http::send(request).await?.json();
            ensure!(response["duplicates"] == 1, "{response}");
        }
    }
    let wanted = [
        "precinct.counted.v1",
        "member.joined.v1",
        "meeting.planned.v1",
        "meeting.held.v1",
        "headcount.reported.v2",
        "attendance.recorded.v1",
        "precinct.enrolled.v1",
    ];
    for wanted in wanted {
        ensure!(types.contains(&format!("qamtu.{wanted}")), "the README shows no {wanted}");
    }
    ensure!(ingest.stop().await?.success());
    Ok(())
}

/// A setting of an example file.
#[derive(Debug, PartialEq, Eq)]
struct SettingRow {
    name: String,
    default: String,
    meaning: String,
}

/// The settings of an example file. A comment above or after a setting is its meaning, also of the following settings without a
/// comment. A setting after `# ` has no default; one after `#` has this default, but only together with others.
fn rows(example: &str) -> Vec<SettingRow> {
    let (mut section, mut meaning, mut above, mut rows) = (String::new(), String::new(), false, Vec::new());
    for line in example.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.split(']').next().unwrap_or_default());
            (meaning, above) = (String::new(), false);
            continue;
        }
        let given = setting(line);
        let left_out = line.strip_prefix("# ").and_then(setting);
        let with_others = line.strip_prefix('#').and_then(setting);
        if let Some((name, value, comment)) = given.or(left_out).or(with_others) {
            let meaning = comment.unwrap_or(&meaning).to_owned();
            let default = if left_out.is_some() { "none".to_owned() } else { format!("`{value}`") };
            rows.push(SettingRow { name: format!("{section}{name}"), default, meaning });
            above = false;
        } else if let Some(comment) = line.strip_prefix("# ") {
            meaning = if above { format!("{meaning} {comment}") } else { comment.to_owned() };
            above = true;
        } else {
            (meaning, above) = (String::new(), false);
        }
    }
    rows
}

/// Name, value and trailing comment of a line with a setting.
fn setting(line: &str) -> Option<(&str, &str, Option<&str>)> {
    let (name, rest) = line.split_once(" = ")?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.');
    let (value, comment) = rest.split_once(" # ").map_or((rest, None), |(value, comment)| (value.trim(), Some(comment.trim())));
    is_name.then_some((name, value, comment))
}

/// The table of settings in the format of the README.
fn table() -> Result<String> {
    let mut table = String::new();
    for (service, file) in [
        ("qamtu-ingest", "ingest/ingest.example.toml"),
        ("qamtu-projector", "projector/projector.example.toml"),
        ("qamtu-analytics", "analytics/analytics.example.toml"),
    ] {
        write!(table, "\n| `{service}` | default | meaning |\n|---|---|---|\n")?;
        for SettingRow { name, default, meaning } in rows(&std::fs::read_to_string(root().join(file))?) {
            writeln!(table, "| `{name}` | {default} | {meaning} |", meaning = meaning.replace('|', "\\|").replace('<', "&lt;"))?;
        }
    }
    Ok(table)
}

#[test]
fn the_settings_of_the_readme_are_those_of_the_examples() -> Result<()> {
    const BEGIN: &str = "<!-- settings -->\n";
    const END: &str = "\n<!-- end of settings -->\n";
    let (readme, table) = (readme()?, table()?);
    let (before, rest) = readme.split_once(BEGIN).context("the README has no place for its settings")?;
    let (shown, after) = rest.split_once(END).context("the README has no end of its settings")?;
    if std::env::var_os("UPDATE_README").is_some() {
        // Atomically, since another test may be reading it.
        let file = tempfile::NamedTempFile::new_in(root())?;
        std::fs::write(file.path(), format!("{before}{BEGIN}{table}{END}{after}"))?;
        std::fs::set_permissions(file.path(), std::fs::metadata(root().join("README.md"))?.permissions())?;
        file.persist(root().join("README.md"))?;
        return Ok(());
    }
    ensure!(shown == table, "the settings have changed: UPDATE_README=1 rewrites the table");
    ensure!(table.lines().count() > 50, "the table is too short to be whole");
    Ok(())
}

#[test]
fn settings_are_read_from_comments_above_and_behind_them() {
    let example = "# About the file.\n\n# Where it listens.\nlisten = \"x\"\n\n[log]\n# Kind,\n# of two.\nkind = \"embedded\"\ndir = \"d\"\n# brokers = \"h\"\n#replicas = 3\nrows = 5 # most rows\n";
    let row = |name: &str, default: &str, meaning: &str| SettingRow { name: name.into(), default: default.into(), meaning: meaning.into() };
    let wanted = [
        row("listen", "`\"x\"`", "Where it listens."),
        row("log.kind", "`\"embedded\"`", "Kind, of two."),
        row("log.dir", "`\"d\"`", "Kind, of two."),
        row("log.brokers", "none", "Kind, of two."),
        row("log.replicas", "`3`", "Kind, of two."),
        row("log.rows", "`5`", "most rows"),
    ];
    assert_eq!(rows(example), wanted);
}

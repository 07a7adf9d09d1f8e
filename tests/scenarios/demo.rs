//! The demo at full size: every figure equals what the generator knows and what an independent recount finds, on both logs, and no
//! figure changes when the projector is killed twenty times.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use qamtu_tests::{
    recount::{self, Misreading},
    service::binary,
};
use serde_json::Value;

fn read(path: &Path) -> Result<Value> {
    serde_json::from_slice(&std::fs::read(path).with_context(|| path.display().to_string())?).with_context(|| path.display().to_string())
}

/// Runs the demo to its end and returns its summary and its oracle.
async fn demo(out: &Path, args: &[&str]) -> Result<(Value, Value)> {
    let mut command = tokio::process::Command::new(binary("qamtu")?);
    command.args(["demo", "--once", "--seed", "7", "--out"]).arg(out).args(args);
    let done = command.kill_on_drop(true).output().await?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "the demo failed: {said}");
    Ok((read(&out.join("summary.json"))?, read(&out.join("oracle.json"))?))
}

/// Names of the figures that differ.
fn differences(place: &str, left: &Value, right: &Value, found: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                differences(&format!("{place}/{name}"), &left[name], &right[name], found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(at, (a, b))| differences(&format!("{place}/{at}"), a, b, found));
        }
        _ if left != right => found.push(format!("{place}: {left} is not {right}")),
        _ => {}
    }
}

fn ensure_equal(what: &str, left: &Value, right: &Value) -> Result<()> {
    let mut found = Vec::new();
    differences("", left, right, &mut found);
    ensure!(found.is_empty(), "{what}:\n{}", found.join("\n"));
    Ok(())
}

/// A summary without what is about the log and the run rather than about events.
fn about_events(summary: &Value) -> Value {
    let mut figures = summary.clone();
    if let Some(object) = figures.as_object_mut() {
        object.remove("seed");
        object.remove("as_of");
    }
    if let Some(counts) = figures["counts"].as_object_mut() {
        counts.remove("rejected");
        counts.remove("conflicts");
    }
    figures
}

async fn full_size(args: &[&str]) -> Result<Value> {
    let out = tempfile::tempdir()?;
    let (summary, oracle) = demo(out.path(), args).await?;
    let counts = &summary["counts"];
    for (name, value) in [
        ("voters", 1_195_000),
        ("precincts", 947),
        ("meetings_planned", 1959),
        ("members", 457),
        ("coalitions", 18),
        ("units", 17),
        ("roll_voters", 1_195_000),
    ] {
        ensure!(counts[name] == value, "{name} is {} and should be {value}", counts[name]);
    }
    ensure_equal("the product and the generator disagree", &about_events(&summary), &about_events(&oracle["figures"]))?;
    let recounted = recount::figures(&recount::read(out.path())?, summary["as_of"].as_str().context("as_of")?)?;
    ensure_equal("the product and the recount disagree", &about_events(&summary), &recounted)?;
    Ok(summary)
}

/// The generator's campaign holds data for every rule that could be read in two ways: each wrong reading gives other figures.
#[tokio::test]
async fn every_rule_of_the_definition_is_tested_by_the_data() -> Result<()> {
    let out = tempfile::tempdir()?;
    let (summary, _) = demo(out.path(), &[]).await?;
    let (published, as_of) = (recount::read(out.path())?, summary["as_of"].as_str().context("as_of")?);
    let right = recount::figures(&published, as_of)?;
    let untested: Vec<Misreading> = Misreading::ALL
        .into_iter()
        .map(|misreading| Ok((misreading, recount::misread(&published, as_of, misreading)?)))
        .filter_map(|read: Result<_>| read.map(|(misreading, wrong)| (wrong == right).then_some(misreading)).transpose())
        .collect::<Result<_>>()?;
    ensure!(untested.is_empty(), "no data tells these readings from the right one: {untested:?}");
    Ok(())
}

#[tokio::test]
async fn every_figure_equals_the_oracle_and_the_recount_on_both_logs_and_under_kill() -> Result<()> {
    let embedded = full_size(&[]).await?;
    ensure_equal("killing the projector changed a figure (embedded log)", &embedded, &full_size(&["--kill-projector", "20"]).await?)?;
    ensure_equal("Kafka and the embedded log disagree", &embedded, &full_size(&["--kafka", "local"]).await?)?;
    ensure_equal(
        "killing the projector changed a figure (Kafka)",
        &embedded,
        &full_size(&["--kafka", "local", "--kill-projector", "20"]).await?,
    )
}

//! The demo at full size, on both logs: every figure equals the oracle's and that of an independent recount, also if the projector is
//! killed twenty times.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use qamtu::demo::differences;
use qamtu_devstack::testing::binary;
use qamtu_tests::recount::{self, RuleMutation};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::demo_slices;

fn read(path: &Path) -> Result<Value> {
    serde_json::from_slice(&std::fs::read(path).with_context(|| path.display().to_string())?).with_context(|| path.display().to_string())
}

/// Runs the demo to its end and returns `summary.json` and `oracle.json`.
async fn demo(out: &Path, args: &[&str]) -> Result<(Value, Value)> {
    let _permit = RUNNING.acquire().await?;
    let mut command = tokio::process::Command::new(binary("qamtu")?);
    command.args(["demo", "--once", "--seed", "7", "--out"]).arg(out).args(args);
    let done = command.kill_on_drop(true).output().await?;
    let output = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    ensure!(done.status.success(), "the demo failed: {output}");
    Ok((read(&out.join("summary.json"))?, read(&out.join("oracle.json"))?))
}

fn ensure_equal(what: &str, left: &Value, right: &Value) -> Result<()> {
    ensure!(left == right, "{what}:\n{}", differences(left, right).join("\n"));
    Ok(())
}

/// The summary without the figures that do not depend on the events.
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

/// Limits the demos that run at the same time; each takes about 2 GB and two processors.
static RUNNING: Semaphore = Semaphore::const_new(2);

/// Runs the demo at full size and returns what it exported. Its figures must equal the oracle's and those of the recount. The oracle is
/// the same in every run of a seed, so equal figures on both logs follow.
async fn assert_figures(args: &[&str]) -> Result<Recounted> {
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
    ensure_equal("the product and the generator disagree", &summary, &oracle["figures"])?;
    let as_of = summary["as_of"].as_str().context("as_of")?.to_owned();
    let files = recount::read(out.path())?;
    let figures = recount::figures(&files, &as_of)?;
    ensure_equal("the product and the recount disagree", &about_events(&summary), &figures)?;
    Ok(Recounted { files, as_of, figures })
}

/// What a demo exported, and the figures that the recount found in it.
struct Recounted {
    files: recount::DemoFiles,
    as_of: String,
    figures: Value,
}

/// Also: the campaign has data for every ambiguous rule of the definition, since each mutation of a rule changes a figure; and slices over
/// every dimension equal those of the recount.
#[tokio::test(flavor = "multi_thread")]
async fn figures_equal_oracle_and_recount_on_the_embedded_log() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("demo");
    let Recounted { files, as_of, figures } = assert_figures(&["--dir", dir.to_str().context("a plain path")?]).await?;
    let mut untested = Vec::new();
    for mutation in RuleMutation::ALL {
        if recount::figures_with(&files, &as_of, mutation)? == figures {
            untested.push(mutation);
        }
    }
    ensure!(untested.is_empty(), "these mutations change no figure: {untested:?}");
    demo_slices::equal_the_recount(&dir, &files, "turkistan-2026", &as_of).await
}

#[tokio::test]
async fn figures_equal_oracle_and_recount_on_the_embedded_log_while_the_projector_is_killed() -> Result<()> {
    assert_figures(&["--kill-projector", "20"]).await.map(drop)
}

#[tokio::test]
async fn figures_equal_oracle_and_recount_on_kafka() -> Result<()> {
    assert_figures(&["--kafka", "local"]).await.map(drop)
}

#[tokio::test]
async fn figures_equal_oracle_and_recount_on_kafka_while_the_projector_is_killed() -> Result<()> {
    assert_figures(&["--kafka", "local", "--kill-projector", "20"]).await.map(drop)
}

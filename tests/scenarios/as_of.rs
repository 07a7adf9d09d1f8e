//! The figures of a past instant do not change when later events arrive, and no figure depends on the future.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::{
    http,
    testing::{Program, binary, wait},
};
use qamtu_tests::{
    small_campaign::{CAMPAIGN, attends, event, iin, plan},
    stack::{Log, Stack, TIMEOUT},
};
use serde_json::{Value, json};

use crate::send_reference_data;

const HELD: &str = "2026-02-20T10:00:00Z";

/// Sets the time of arrival of an event, which is allowed for a synthetic campaign.
fn received(mut event: Value, at: &str) -> Value {
    event["receivedtime"] = at.into();
    event
}

/// A stack with reference data, the roll, and a meeting held with the persons 0 to 5.
async fn start_with_reference_data() -> Result<(Stack, Vec<Value>)> {
    let stack = Stack::start(Log::Embedded).await?;
    send_reference_data(&stack, |event| received(event, "2026-02-20T10:30:00Z")).await?;
    let then = "2026-02-21T10:00:00Z";
    let mut people: Vec<Value> = (0..6).map(|person| received(attends("M1", person), then)).collect();
    // The last one belongs to an import.
    people[5]["import"] = "524322b4-ed5d-4e85-aef7-2772ef393be5".into();
    stack.accept(&people).await?;
    let held = event("meeting.held", json!({"meeting": "M1", "report": plan("KAZ", HELD)}));
    stack.accept(&[received(held, then)]).await?;
    Ok((stack, people))
}

async fn compute(stack: &Stack, as_of: Option<&str>) -> Result<(Output, Value)> {
    stack.wait_until_projected().await?;
    let out = stack.dir().join("figures.json");
    let mut command = stack.analytics()?;
    command.args(["compute", "--campaign", CAMPAIGN, "--json"]).arg(&out);
    command.args(as_of.iter().flat_map(|as_of| ["--as-of", as_of]));
    let done = command.output().await?;
    let figures = std::fs::read(out).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
    Ok((done, figures))
}

async fn figures(stack: &Stack, as_of: Option<&str>) -> Result<Value> {
    let (done, figures) = compute(stack, as_of).await?;
    ensure!(done.status.success(), "compute failed: {}", String::from_utf8_lossy(&done.stderr));
    Ok(figures)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_past_instant_stay_what_they_were() -> Result<()> {
    let (stack, people) = start_with_reference_data().await?;
    let past = Some("2026-02-22T00:00:00Z");
    let before = figures(&stack, past).await?;
    ensure!(before["audience"]["reached"] == 6 && before["plan"]["held"] == 1, "{before}");
    // Later more people, a retraction, a withdrawal of consent, the reversal of an import, and a plan.
    let later = "2026-02-25T10:00:00Z";
    let mut events: Vec<Value> = (6..9).map(|person| attends("M1", person)).collect();
    events.push(event("attendance.retracted", json!({"meeting": "M1", "retracts": [people[0]["id"]]})));
    events.push(event("consent.withdrawn", json!({"person": {"iin": iin(1)}})));
    events.push(event("import.reversed", json!({"import": people[5]["import"]})));
    events.push(event("meeting.planned", json!({"meeting": "M2", "plan": plan("KAZ", HELD)})));
    events.push(event("headcount.reported", json!({"meeting": "M1", "counts": [{"counter": "1", "people": 20}]})));
    stack.accept(&events.into_iter().map(|event| received(event, later)).collect::<Vec<_>>()).await?;
    let now = figures(&stack, None).await?;
    ensure!(now["audience"]["reached"] == 6 && now["audience"]["gross"] == 20 && now["plan"]["missing"] == 1, "{now}");
    ensure!(now["as_of"] == later, "{now}");
    ensure!(figures(&stack, past).await? == before, "{before} then, {} now", figures(&stack, past).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_future_is_neither_computed_nor_shown() -> Result<()> {
    let (stack, _) = start_with_reference_data().await?;
    // Before the campaign was configured there are no figures.
    let (done, _) = compute(&stack, Some("2026-02-12T00:00:00Z")).await?;
    let output = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.code() == Some(1) && output.contains("was not configured yet"), "{output}");
    let (done, _) = compute(&stack, Some("2099-01-01T00:00:00Z")).await?;
    let output = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.code() == Some(64) && output.contains("is in the future"), "{output}");
    // An event from a clock that is years ahead changes neither the figures nor their date.
    let ahead = received(attends("M1", 7), "2090-06-01T10:00:00Z");
    stack.accept(&[ahead]).await?;
    let now = figures(&stack, None).await?;
    ensure!(now["as_of"] == "2026-02-21T10:00:00Z" && now["audience"]["reached"] == 6, "{now}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_campaign_is_named_beside_those_that_exist() -> Result<()> {
    let (stack, _) = start_with_reference_data().await?;
    stack.wait_until_projected().await?;
    let mut command = stack.analytics()?;
    let done = command.args(["compute", "--campaign", "typo"]).output().await?;
    let output = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.code() == Some(1) && output.contains("campaign typo is not configured") && output.contains(CAMPAIGN), "{output}");
    let mut env = stack.analytics_env();
    env.push(("QAMTU__SERVE__LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    let page = Program::start(Command::new(binary("qamtu-analytics")?).args(["serve", "--campaign", "typo"]).envs(env)).await?;
    let address = page.ready_field("listening")?;
    let client = http::client()?;
    let get = async |path: &str| -> Result<(u16, String)> {
        let answer = http::send(client.get(format!("{address}{path}"))).await?;
        Ok((answer.status, answer.text()))
    };
    let names_both = |text: &str| text.contains("typo") && text.contains(CAMPAIGN);
    wait::until("the reason", TIMEOUT, async || {
        let (status, ready) = get("/ready").await.map_err(|error| error.to_string())?;
        if status == 503 && names_both(&ready) { Ok(()) } else { Err(format!("{status} {ready}")) }
    })
    .await?;
    let (status, text) = get("/ru").await?;
    ensure!(status == 503 && names_both(&text), "{status} {text}");
    let status = page.stop().await.context("the page")?;
    ensure!(status.success(), "{status}");
    Ok(())
}

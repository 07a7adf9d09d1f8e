//! Failures of similar systems that are publicly reported, reproduced here. ARCHITECTURE.md lists all such cases and their tests.

use std::process::Output;

use anyhow::{Context, Result, ensure};
use qamtu_tests::{
    small_campaign::{self, CAMPAIGN, attends, event, plan},
    stack::{Log, Stack},
};
use serde_json::{Value, json};

use crate::send_reference_data;

async fn start_with_reference_data() -> Result<Stack> {
    let stack = Stack::start(Log::Embedded).await?;
    send_reference_data(&stack, |event| event).await?;
    Ok(stack)
}

/// The events of a meeting that is planned and held with a number of people.
fn meeting(id: &str, people: u32) -> Vec<Value> {
    let mut events = vec![
        event("meeting.planned", json!({"meeting": id, "plan": plan("KAZ", "2026-02-20T10:00:00Z")})),
        event("meeting.held", json!({"meeting": id, "report": plan("KAZ", "2026-02-20T10:00:00Z")})),
    ];
    events.extend((0..people).map(|person| attends(id, person)));
    events
}

async fn number(stack: &Stack, sql: &str) -> Result<u64> {
    let rows = stack.query(&format!("SELECT toUInt64({sql}) AS number")).await?;
    rows.first().and_then(|row| row["number"].as_u64()).with_context(|| format!("{sql}: {rows:?}"))
}

/// In a similar system, after a restart of the server only some of the tables received the next rows.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_receives_what_follows_a_killed_warehouse() -> Result<()> {
    let mut stack = start_with_reference_data().await?;
    stack.accept(&meeting("M1", 5)).await?;
    stack.wait_until_projected().await?;
    stack.restart_warehouse().await?;
    stack.accept(&meeting("M2", 7)).await?;
    stack.wait_until_projected().await?;
    let records = number(&stack, "(SELECT count() FROM log FINAL WHERE status = 'event')").await?;
    let events = number(&stack, "(SELECT count() FROM v_events)").await?;
    ensure!(records == events, "{records} records and {events} events in the tables of facts");
    let figures = stack.figures(CAMPAIGN).await?;
    ensure!(figures["plan"]["held"] == 2 && figures["audience"]["contacts"] == 12, "{figures}");
    Ok(())
}

/// In a similar system, a view that showed rows twice after a replay inflated every count made from it.
#[tokio::test(flavor = "multi_thread")]
async fn every_view_shows_a_key_once_while_rows_stand_twice() -> Result<()> {
    let mut stack = start_with_reference_data().await?;
    stack.query("SYSTEM STOP MERGES").await?;
    stack.accept(&meeting("M1", 5)).await?;
    let consent = |kind: &str, more: Value| {
        let mut data = json!({"person": {"iin": small_campaign::iin(20)}});
        data.as_object_mut().into_iter().zip(more.as_object()).for_each(|(data, more)| data.extend(more.clone()));
        event(kind, data)
    };
    stack.accept(&[consent("consent.withdrawn", json!({}))]).await?;
    stack.wait_until_projected().await?;
    let before = stack.figures(CAMPAIGN).await?;
    // The projector finds an empty log copy and writes all facts a second time.
    stack.projector.take().context("projector")?.stop().await?;
    stack.query("TRUNCATE TABLE log").await?;
    stack.start_projector().await?;
    stack.wait_until_projected().await?;
    ensure!(number(&stack, "(SELECT count() FROM attendance)").await? == 10, "the rows are not duplicated");
    for (view, key) in [
        ("v_meeting_events", "campaign, event_id"),
        ("v_reference_events", "campaign, event_id"),
        ("v_attendance_events", "campaign, event_id"),
        ("v_attendance", "campaign, event_id"),
        ("v_consents", "campaign, event_id"),
        ("v_roll_versions", "campaign, event_id"),
        ("v_roll", "campaign, precinct, version, event_id, person_hi, person_lo"),
    ] {
        let (rows, keys) =
            (number(&stack, &format!("(SELECT count() FROM {view})")).await?, format!("(SELECT uniqExact({key}) FROM {view})"));
        let keys = number(&stack, &keys).await?;
        ensure!(rows == keys && rows > 0, "{view} shows {rows} rows of {keys} keys");
    }
    let after = stack.figures(CAMPAIGN).await?;
    ensure!(before == after, "{before} became {after}");
    Ok(())
}

/// In a similar system, charts were empty or a day off if server and browser were in different time zones.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_zone_of_the_machine_changes_no_figure() -> Result<()> {
    let stack = start_with_reference_data().await?;
    stack.accept(&meeting("M1", 5)).await?;
    stack.wait_until_projected().await?;
    let mut first: Option<Vec<u8>> = None;
    for zone in ["UTC", "Asia/Almaty", "Pacific/Kiritimati", "America/Los_Angeles"] {
        let file = stack.dir().join("figures.json");
        let mut command = stack.analytics()?;
        command.env("TZ", zone).args(["compute", "--campaign", CAMPAIGN, "--json"]).arg(&file);
        let done: Output = command.output().await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let figures = std::fs::read(&file)?;
        ensure!(first.as_ref().is_none_or(|first| *first == figures), "other figures in {zone}");
        first = Some(figures);
    }
    Ok(())
}

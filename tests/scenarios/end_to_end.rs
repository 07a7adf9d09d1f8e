//! Events reach the figures and are counted exactly once, despite repetitions and killed services, on both logs.

use anyhow::{Context, Result, ensure};
use qamtu_tests::{
    small_campaign::{CAMPAIGN, attends, event, plan},
    stack::{Log, Stack},
};
use serde_json::{Value, json};

use crate::send_reference_data;

/// A stack with reference data, the roll and three planned meetings.
async fn start_with_reference_data(log: Log) -> Result<Stack> {
    let stack = Stack::start(log).await?;
    send_reference_data(&stack, |event| event).await?;
    let planned = ["M1", "M2", "M3"]
        .map(|meeting| event("meeting.planned", json!({"meeting": meeting, "plan": plan("KAZ", "2026-02-20T10:00:00Z")})));
    stack.accept(&planned).await?;
    Ok(stack)
}

async fn visible(stack: &Stack, kind: &str, events: u64) -> Result<Value> {
    let sql = format!("SELECT count() AS events FROM v_events WHERE campaign = '{CAMPAIGN}' AND type LIKE 'qamtu.{kind}.%'");
    stack.until(&format!("{events} {kind}"), &sql, |row| row["events"].as_u64() == Some(events)).await
}

/// Two meetings: persons 0-4 at the first, 3-12 and one off the roll at the second, where nine more heads are counted.
fn two_meetings() -> Vec<Value> {
    let mut events: Vec<Value> = (0..5).map(|person| attends("M1", person)).chain((3..13).map(|person| attends("M2", person))).collect();
    events.push(attends("M2", 900));
    events.push(event("headcount.reported", json!({"meeting": "M2", "counts": [{"counter": "1", "people": 20}]})));
    for meeting in ["M1", "M2"] {
        events.push(event("meeting.held", json!({"meeting": meeting, "report": plan("KAZ", "2026-02-20T10:00:00Z")})));
    }
    events
}

/// Reached: 0-12, thirteen people. Contacts: 5 + 10. Identified: 5 + 11. Gross: 5 + 20. Unidentified: 20 - 11.
fn check_two_meetings(figures: &Value) -> Result<()> {
    let audience = &figures["audience"];
    let expected = json!({"reached": 13, "contacts": 15, "identified": 16, "outside": 1, "weak": 0, "gross": 25, "unidentified": 9, "lower": 13, "upper": 22});
    for (name, value) in expected.as_object().context("an object")? {
        ensure!(&audience[name] == value, "{name} is {} and should be {value}: {audience}", audience[name]);
    }
    ensure!(figures["plan"]["held"] == 2 && figures["plan"]["missing"] == 1, "{}", figures["plan"]);
    ensure!(figures["counts"]["voters"] == 30, "{}", figures["counts"]);
    Ok(())
}

async fn repetition_counts_once(log: Log) -> Result<()> {
    let mut stack = start_with_reference_data(log).await?;
    let events = two_meetings();
    stack.accept(&events).await?;
    visible(&stack, "attendance.recorded", 16).await?;
    visible(&stack, "meeting.held", 2).await?;
    check_two_meetings(&stack.figures(CAMPAIGN).await?)?;
    let again = stack.accept(&events).await?;
    ensure!(again["duplicates"] == events.len(), "{again}");
    // A deleted register must be rebuilt from the log.
    stack.ingest.take().context("ingest")?.kill()?;
    std::fs::remove_file(stack.dir().join("register.sqlite"))?;
    stack.start_ingest().await?;
    let again = stack.accept(&events).await?;
    ensure!(again["duplicates"] == events.len(), "{again}");
    visible(&stack, "attendance.recorded", 16).await?;
    visible(&stack, "meeting.held", 2).await?;
    check_two_meetings(&stack.figures(CAMPAIGN).await?)
}

async fn killed_projector_changes_nothing(log: Log) -> Result<()> {
    let mut stack = start_with_reference_data(log).await?;
    for part in two_meetings().chunks(2) {
        stack.projector.take().context("projector")?.kill()?;
        stack.accept(part).await?;
        stack.start_projector().await?;
    }
    visible(&stack, "attendance.recorded", 16).await?;
    visible(&stack, "meeting.held", 2).await?;
    let doubled = stack.query("SELECT count() - uniqExact(topic, partition, offset) AS rows FROM log FINAL").await?;
    ensure!(doubled[0]["rows"] == 0, "{doubled:?}");
    check_two_meetings(&stack.figures(CAMPAIGN).await?)
}

macro_rules! on_both_logs {
    ($($name:ident),*) => {
        mod embedded_log {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() -> anyhow::Result<()> {
                super::$name(qamtu_tests::stack::Log::Embedded).await
            })*
        }
        mod kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() -> anyhow::Result<()> {
                super::$name(qamtu_tests::stack::Log::Kafka).await
            })*
        }
    };
}
on_both_logs!(repetition_counts_once, killed_projector_changes_nothing);

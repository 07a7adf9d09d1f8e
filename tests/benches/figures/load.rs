//! Load for the benchmarks: a small campaign and many attendance events.

use anyhow::{Result, ensure};
use qamtu_tests::{
    small_campaign::{self, event, plan},
    stack::Stack,
};
use serde_json::{Value, json};

/// Number of planned meetings; attendances are distributed over them round robin.
const MEETINGS: u64 = 200;

fn meeting(number: u64) -> String {
    format!("M{}", number % MEETINGS)
}

/// Sends the reference data of the small campaign and enough planned meetings to fill every partition.
pub async fn prepare(stack: &Stack) -> Result<()> {
    stack.accept(&small_campaign::reference()).await?;
    let planned = |number| event("meeting.planned", json!({"meeting": meeting(number), "plan": plan("KAZ", "2026-02-20T10:00:00Z")}));
    stack.accept(&(0..MEETINGS).map(planned).collect::<Vec<_>>()).await?;
    Ok(())
}

/// An attendance of a person with a pseudonym; every number gives another person.
pub fn attendance(number: u64) -> Value {
    let letters: String =
        (0..32).map(|at| char::from(b'a' + ((number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (at * 2)) & 15) as u8)).collect();
    event(
        "attendance.recorded",
        json!({"meeting": meeting(number), "attendee": {"id": letters, "strength": "strong"}, "consent": "notice-1"}),
    )
}

/// A number of attendances as NDJSON.
pub fn lines(events: u64) -> String {
    (0..events).map(|number| format!("{}\n", attendance(number))).collect()
}

/// Sends NDJSON lines, which must all be accepted.
pub async fn send(stack: &Stack, lines: String, events: u64) -> Result<()> {
    let (status, answer) = stack.post("/v1/events", "application/x-ndjson", lines).await?;
    ensure!(status == 200 && answer["accepted"] == events, "{status} {answer}");
    Ok(())
}

//! Load: a campaign that takes events, and many small events of it.

use anyhow::{Result, ensure};
use qamtu_tests::{
    small::{self, event, plan},
    stack::Stack,
};
use serde_json::{Value, json};

/// Makes the small campaign known, with one planned meeting.
pub async fn prepare(stack: &Stack) -> Result<()> {
    stack.accept(&small::reference()).await?;
    stack.accept(&[event("meeting.planned", json!({"meeting": "M1", "plan": plan("KAZ", "2026-02-20T10:00:00Z")}))]).await?;
    Ok(())
}

/// An attendance of a person known by pseudonym; every call gives another person.
pub fn attendance(number: u64) -> Value {
    let letters: String =
        (0..32).map(|at| char::from(b'a' + ((number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (at * 2)) & 15) as u8)).collect();
    event("attendance.recorded", json!({"meeting": "M1", "attendee": {"id": letters, "strength": "strong"}, "consent": "notice-1"}))
}

/// So many attendances as lines.
pub fn lines(events: u64) -> String {
    (0..events).map(|number| format!("{}\n", attendance(number))).collect()
}

/// Sends lines and sees that all were taken.
pub async fn send(stack: &Stack, lines: String, events: u64) -> Result<()> {
    let (status, answer) = stack.post("/v1/events", "application/x-ndjson", lines).await?;
    ensure!(status == 200 && answer["accepted"] == events, "{status} {answer}");
    Ok(())
}

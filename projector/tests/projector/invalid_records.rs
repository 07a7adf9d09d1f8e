//! Invalid records become one row each, with the reason and without personal data, and do not block their partition.

use std::borrow::Cow;

use bytes::Bytes;
use qamtu_log::{Entry, MAX_ENTRY_BYTES};

use crate::{
    events::{attendance, campaign, entries, entry, event},
    fixture::ProjectorFixture,
    on_both_logs,
};

/// A valid entry after a change of its value or headers.
fn modified(change: impl FnOnce(&mut Entry)) -> Entry {
    let mut entry = entry(&event(1, 0, None, attendance(1, 1)));
    change(&mut entry);
    entry
}

fn set(entry: &mut Entry, name: &'static str, value: &'static [u8]) {
    entry.headers.retain(|(found, _)| found != name);
    entry.headers.push((Cow::Borrowed(name), Bytes::from_static(value)));
}

/// Invalid entries and the reason of their rejection.
fn invalid_entries() -> Vec<(Entry, &'static str)> {
    let value = |bytes: Vec<u8>| modified(|entry| entry.value = bytes.into());
    vec![
        (value(b"{not json".to_vec()), "invalid-payload"),
        (value(Vec::new()), "invalid-payload"),
        (value(vec![0xff, 0xfe, 0x00, 0xc3]), "invalid-payload"),
        (value(br#"{"meeting":"\ud800"}"#.to_vec()), "invalid-payload"),
        (value("[".repeat(10_000).into_bytes()), "invalid-payload"),
        (value(format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)).into_bytes()), "invalid-payload"),
        (value(format!("\"{}\"", "x".repeat(MAX_ENTRY_BYTES - 2_000)).into_bytes()), "invalid-payload"),
        (value(br#"{"meeting":"M1","attendee":{"iin":"850615101233","phone":"+77011234567"}}"#.to_vec()), "invalid-payload"),
        (value("{\"reason\":\"ЖСН ８５０６１５１０１２３３\"}".as_bytes().to_vec()), "invalid-payload"),
        (value("{\"name\":\"Иванов Иван\",\"Иванов\":\"Ivanov\"}".as_bytes().to_vec()), "invalid-payload"),
        (value("{\"meeting\":\"Ivanov Ivan\",\"attendee\":\"Иванов\"}".as_bytes().to_vec()), "invalid-payload"),
        (value(b"{\"line\":1e999}".to_vec()), "invalid-payload"),
        (modified(|entry| set(entry, "ce_type", b"qamtu.meeting.exploded.v1")), "unknown-type"),
        (modified(|entry| set(entry, "ce_type", b"qamtu.attendance.recorded.v99")), "unknown-version"),
        (modified(|entry| set(entry, "ce_type", b"qamtu.meeting.held.v1")), "invalid-payload"),
        (modified(|entry| set(entry, "ce_id", b"850615101233")), "invalid-attribute"),
        (modified(|entry| set(entry, "ce_campaign", b"\xff")), "invalid-attribute"),
        (modified(|entry| set(entry, "ce_receivedtime", b"never")), "invalid-attribute"),
        (modified(|entry| entry.headers.clear()), "missing-attribute"),
        (modified(|entry| entry.headers.retain(|(name, _)| name != "ce_bodyhash")), "missing-attribute"),
    ]
}

async fn an_invalid_record_becomes_a_row_and_the_others_are_projected(fixture: ProjectorFixture) {
    let good = campaign(1, 500);
    let mut entries = entries(&good);
    for (at, (entry, _)) in invalid_entries().into_iter().enumerate() {
        entries.insert(at * 20 + 3, entry);
    }
    fixture.append(entries).await;
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    let mut expected: Vec<_> = invalid_entries().into_iter().map(|(_, reason)| reason).collect();
    expected.sort();
    let reasons = fixture.query("SELECT reason FROM v_rejected ORDER BY reason").await;
    assert_eq!(reasons.lines().collect::<Vec<_>>(), expected);
    let total = good.len() + expected.len();
    assert_eq!(fixture.query("SELECT count() FROM log FINAL").await.trim(), total.to_string());
    let digits =
        "SELECT count() FROM v_rejected WHERE match(concat(excerpt, detail), '\\\\pN') OR length(excerpt) > 512 OR length(sha256) != 64";
    assert_eq!(fixture.query(digits).await.trim(), "0", "a digit of a rejected record is shown");
    for leak in ["850615101233", "８５０６１５", "77011234567", "Иванов", "Ivanov"] {
        let found = format!("SELECT count() FROM log WHERE position(toString(tuple(*)), '{leak}') > 0");
        assert_eq!(fixture.query(&found).await.trim(), "0", "{leak} is in the log copy");
        assert!(!projector.stderr().contains(leak), "{leak} is in the projector's own log");
    }
    assert_eq!(projector.wait_for_metric("qamtu_projector_rejected_total", expected.len() as f64).await, expected.len() as f64);
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

on_both_logs!(an_invalid_record_becomes_a_row_and_the_others_are_projected);

#[test]
fn a_record_without_a_value_is_a_row_too() {
    use qamtu_projector::{decode::decode, projection::project, rows::Row};
    let partition = qamtu_log::Partition::new("events", 0);
    let record = crate::events::raw(&partition, 9, Vec::new(), None);
    let decoded = decode(&record);
    let rows = project(&record, &decoded);
    let [Row::Log(row)] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.reason, row.offset, row.campaign), ("empty", 9, ""));
}

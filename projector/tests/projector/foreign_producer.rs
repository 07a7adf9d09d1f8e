//! A producer other than ingest: records that follow the recipe in the contract's README count, all others are listed with a reason.

use std::borrow::Cow;

use bytes::Bytes;
use qamtu_log::Entry;

use crate::{fixture::ProjectorFixture, on_both_logs};

const README: &str = include_str!("../../../schemas/README.md");

/// The example record of the contract's README.
fn example() -> Entry {
    let (_, rest) = README.split_once("prints key, headers and value:\n\n```text\n").unwrap();
    let mut lines = rest.split_once("\n```").unwrap().0.lines();
    let (key, value) = (lines.next().unwrap(), lines.next_back().unwrap());
    let header = |line: &'static str| line.split_once(": ").map(|(name, text)| (Cow::Borrowed(name), Bytes::from_static(text.as_bytes())));
    Entry { topic: "events".into(), key: key.into(), headers: lines.filter_map(header).collect(), value: value.into() }
}

/// The example with a header replaced or removed.
fn with_header(name: &'static str, text: Option<&'static str>) -> Entry {
    let mut entry = example();
    entry.headers.retain(|(found, _)| found != name);
    entry.headers.extend(text.map(|text| (Cow::Borrowed(name), Bytes::from_static(text.as_bytes()))));
    entry
}

fn with_value(value: &'static str) -> Entry {
    Entry { value: value.into(), ..example() }
}

/// Typical mistakes of other producers, and the reason that the view lists.
fn rejected_entries() -> Vec<(Entry, &'static str)> {
    let structured =
        Entry { headers: vec![(Cow::Borrowed("content-type"), Bytes::from_static(b"application/cloudevents+json"))], ..example() };
    vec![
        (with_header("ce_bodyhash", None), "missing-attribute"),
        (with_header("ce_receivedtime", None), "missing-attribute"),
        (with_header("ce_bodyhash", Some("18b0c2")), "invalid-attribute"),
        (with_header("ce_id", Some("17")), "invalid-attribute"),
        (with_header("ce_receivedtime", Some("2026-02-13T11:00:00.000000125Z")), "invalid-attribute"),
        (with_header("ce_recorded_time", Some("2026-02-13T11:00:00Z")), "invalid-attribute"),
        (with_header("ce_type", Some("com.example.attendance")), "unknown-type"),
        (with_header("ce_type", Some("qamtu.attendance.recorded.v2")), "unknown-version"),
        (with_value(r#"{"attendee":{"iin":"850615101233"},"consent":"2026-02-a","meeting":"TRK-1"}"#), "invalid-payload"),
        (
            with_value(r#"{"attendee":{"id":"ogeghindkibhfbmeifomahcpejfikinl","strength":"strong"},"consent":"2026-02-a"}"#),
            "invalid-payload",
        ),
        (structured, "missing-attribute"),
    ]
}

async fn foreign_records_that_follow_the_recipe_count_and_others_are_listed_with_a_reason(fixture: ProjectorFixture) {
    let with_extra_attribute =
        Entry { headers: [example().headers, vec![(Cow::Borrowed("ce_partitionkey"), Bytes::from_static(b"k"))]].concat(), ..example() };
    let mut entries: Vec<Entry> = rejected_entries().into_iter().map(|(entry, _)| entry).collect();
    entries.insert(3, example());
    // Duplicates of the example: with an extra attribute, and with another key.
    entries.push(with_extra_attribute);
    entries.push(Entry { key: "elsewhere".into(), ..example() });
    fixture.append(entries).await;
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    let attendance = fixture.query("SELECT count(), any(meeting_id) FROM v_attendance").await;
    assert_eq!(attendance.trim(), "1\tTRK-1");
    let mut expected: Vec<_> = rejected_entries().into_iter().map(|(_, reason)| reason).collect();
    expected.sort();
    let reasons = fixture.query("SELECT reason FROM v_rejected ORDER BY reason").await;
    assert_eq!(reasons.lines().collect::<Vec<_>>(), expected);
    assert_eq!(fixture.query("SELECT count() FROM v_conflicts").await.trim(), "0");
    assert!(projector.stop().await.success());
}

on_both_logs!(foreign_records_that_follow_the_recipe_count_and_others_are_listed_with_a_reason);

//! Compares the computed figures, and the responses of ingest, with the generator's oracle.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DemoError, send::SendResult};
use crate::synthetic::stream::StreamCounts;

/// Maximum number of differences in the error.
const MAX_LISTED: usize = 40;

/// What ingest counted, and what the generator expects.
pub struct StreamCheck {
    pub counted: SendResult,
    pub expected: StreamCounts,
}

/// Compares the figures, and the counts of the stream if something was sent.
pub fn compare(summary: &Value, oracle: &Value, sent: Option<&StreamCheck>) -> Result<(), DemoError> {
    let mut found = differences(summary, oracle);
    if let Some(sent) = sent {
        compare_stream(sent, &mut found);
    }
    if found.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = found.iter().take(MAX_LISTED).map(|line| format!("  {line}")).collect();
    Err(DemoError::Mismatch { number: found.len(), list: list.join("\n") })
}

/// A line for every leaf at which two JSON values differ, such as `/audience/reached: computed 1, expected 2`.
pub fn differences(computed: &Value, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    add_differences("", computed, expected, &mut found);
    found
}

fn add_differences(pointer: &str, computed: &Value, expected: &Value, out: &mut Vec<String>) {
    match (computed, expected) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                add_differences(&format!("{pointer}/{name}"), &computed[name], &expected[name], out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(index, (a, b))| add_differences(&format!("{pointer}/{index}"), a, b, out));
        }
        _ if computed != expected => out.push(format!("{pointer}: computed {computed}, expected {expected}")),
        _ => {}
    }
}

fn compare_stream(StreamCheck { counted, expected }: &StreamCheck, out: &mut Vec<String>) {
    let refused: BTreeMap<String, u64> = expected
        .refused
        .iter()
        .map(|(code, number)| ((*code).to_owned(), *number))
        .chain((expected.conflicts > 0).then(|| ("conflicting-id".to_owned(), expected.conflicts)))
        .collect();
    let mut same = |what: &str, found: u64, wanted: u64| {
        if found != wanted {
            out.push(format!("stream/{what}: ingest counted {found}, expected {wanted}"));
        }
    };
    if counted.repeated {
        // An event whose acknowledgement was lost is a duplicate when it is sent again.
        same("accepted and duplicates", counted.events.accepted + counted.events.duplicates, expected.accepted + expected.duplicates);
        return;
    }
    same("accepted", counted.events.accepted, expected.accepted);
    same("duplicates", counted.events.duplicates, expected.duplicates);
    same("refused", counted.events.refused, refused.values().sum());
    same("warnings", counted.events.warned, expected.warnings);
    same("roll", counted.roll.accepted, expected.roll);
    for code in refused.keys().chain(counted.refused.keys().filter(|code| !refused.contains_key(*code))) {
        let of = |map: &BTreeMap<String, u64>| map.get(code).copied().unwrap_or(0);
        same(&format!("refused/{code}"), of(&counted.refused), of(&refused));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_difference_is_listed_with_its_pointer() {
        let (summary, oracle) = (json!({"a": 1, "b": [1, {"c": 2}], "d": 0}), json!({"a": 1, "b": [1, {"c": 3}], "e": 0}));
        let error = compare(&summary, &oracle, None).unwrap_err().to_string();
        assert!(error.starts_with("3 figures differ"), "{error}");
        for line in ["/b/1/c: computed 2, expected 3", "/d: computed 0, expected null", "/e: computed null, expected 0"] {
            assert!(error.contains(line), "{error}");
        }
        compare(&summary, &summary, None).unwrap();
    }

    #[test]
    fn every_count_of_the_stream_is_compared() {
        let expected = StreamCounts { accepted: 5, refused: [("invalid-iin", 2)].into(), conflicts: 1, ..StreamCounts::default() };
        let mut counted =
            SendResult { refused: [("invalid-iin".to_owned(), 2), ("conflicting-id".to_owned(), 1)].into(), ..SendResult::default() };
        counted.events.accepted = 5;
        counted.events.refused = 3;
        let mut sent = StreamCheck { counted, expected };
        compare(&json!(1), &json!(1), Some(&sent)).unwrap();
        sent.counted.refused.insert("unknown-unit".to_owned(), 1);
        sent.counted.events.warned = 1;
        let error = compare(&json!(1), &json!(1), Some(&sent)).unwrap_err().to_string();
        assert!(
            error.contains("stream/refused/unknown-unit: ingest counted 1, expected 0") && error.contains("stream/warnings"),
            "{error}"
        );
    }
}

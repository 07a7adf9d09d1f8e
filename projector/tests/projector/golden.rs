//! Every released example of an event maps to the approved rows. A new version of an event adds examples and their rows.

use std::collections::BTreeMap;

use qamtu_log::Partition;
use qamtu_projector::{decode::decode, decode_result::DecodeResult, projection::project, rows::Row};
use qamtu_schemas::{decode::decode_structured, encode, testing::examples};
use serde_json::Value;

use crate::events::raw;

#[test]
fn examples_become_these_rows() {
    let partition = Partition::new("events", 3);
    let mut by_type: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for example in examples().unwrap() {
        let event = decode_structured(&example.bytes).unwrap();
        let stored: Value = serde_json::from_slice(&example.bytes).unwrap();
        let value = encode::canonical(&stored["data"]).unwrap();
        let encoded = encode::encode(&event.envelope, &event.data, value);
        let headers = encoded.headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let record = raw(&partition, 41, headers, Some(encoded.value.into()));
        let decoded = decode(&record);
        assert!(matches!(&decoded, DecodeResult::Event { event: decoded, .. } if **decoded == event), "{}", example.path.display());
        let rows = project(&record, &decoded);
        assert!(matches!(rows.last(), Some(Row::Log(_))), "the log copy row comes last");
        let rows = serde_json::to_value(&rows).unwrap();
        by_type.entry(example.kind.to_string()).or_default().insert(example.name, rows);
    }
    for (kind, rows) in by_type {
        insta::assert_json_snapshot!(kind, rows);
    }
}

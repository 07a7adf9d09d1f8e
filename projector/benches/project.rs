//! How fast records become the bytes of batches: decode, project, encode, hash. Pure, one thread.
//!
//! Prints one JSON line per kind of record.

use std::{hint::black_box, time::Instant};

use qamtu_log::{Partition, Record};
use qamtu_projector::{batch::OpenBatch, decode::decode, projection::project};
use qamtu_schemas::{
    decode::decode_structured,
    encode::{canonical, encode},
    testing::examples,
};

const RECORDS: u64 = 200_000;
const BATCH: u64 = 25_000;

fn main() {
    for wanted in ["attendance.recorded", "headcount.reported", "meeting.held"] {
        let example =
            examples().expect("examples").into_iter().rfind(|example| example.kind.kind.name() == wanted && example.name == "fullest");
        let event = decode_structured(&example.expect("an example").bytes).expect("an event");
        let encoded = encode(&event.envelope, &event.data, canonical(&event.data).expect("a payload"));
        let headers: Vec<_> = encoded.headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let record = |offset| Record {
            partition: Partition::new("events", 0),
            offset,
            skipped: 0,
            appended_ms: 0,
            key: None,
            headers: headers.clone(),
            value: Some(encoded.value.clone().into()),
        };
        let records: Vec<_> = (0..RECORDS).map(record).collect();
        let since = Instant::now();
        let mut bytes = 0;
        for range in records.chunks(BATCH as usize) {
            let mut batch = OpenBatch::new(&range[0], since);
            for record in range {
                let decoded = decode(record);
                batch.add(record, &project(record, &decoded));
            }
            bytes += black_box(batch.seal()).bytes();
        }
        let per_second = RECORDS as f64 / since.elapsed().as_secs_f64();
        let line = serde_json::json!({"id": "project-pure", "what": wanted, "value": per_second.round(), "unit": "records/s", "bytes": bytes as u64 / RECORDS});
        drop(std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{line}\n")));
    }
}

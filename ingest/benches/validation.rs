//! Events per second on one core, without HTTP and log: parse, pseudonymize, validate, encode, claim.
//!
//! Prints one line of JSON.

use std::{
    fmt::Write as _,
    hint::black_box,
    io::Write,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use jiff::Timestamp;
use qamtu_ingest::{
    Config,
    body::{
        Chunk, ChunkLimits,
        lines::{self, StreamLimits},
    },
    pipeline::{ChunkValidator, Pipeline, Unacknowledged},
    principal::Principal,
    pseudonym::Keys,
    register::Register,
};
use qamtu_log::{Entry, LogError, LogWriter, Partition, Position};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENTS: usize = 400_000;

/// A log that acknowledges every append and stores nothing.
#[derive(Default)]
struct NullWriter(AtomicU64);

#[async_trait]
impl LogWriter for NullWriter {
    async fn append(&self, entries: Vec<Entry>) -> Vec<Result<Position, LogError>> {
        let partition = Partition::new("events", 0);
        entries.iter().map(|_| Ok(Position { partition: partition.clone(), offset: self.0.fetch_add(1, Ordering::Relaxed) })).collect()
    }
    async fn flush(&self, _: Duration) -> Result<(), LogError> {
        Ok(())
    }
    async fn ready(&self) -> Result<(), LogError> {
        Ok(())
    }
    async fn verify(&self, _: &[&str]) -> Result<(), LogError> {
        Ok(())
    }
}

fn event(kind: &str, data: &Value) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{}","type":"qamtu.{kind}.v1","source":"/phones/17/sheets/42","time":"2026-02-13T15:00:00+05:00","recordedtime":"2026-02-13T15:20:11+05:00","campaign":"c","data":{data}}}"#,
        Uuid::new_v4()
    )
}

fn reference() -> String {
    let names = json!({"kk": "C", "ru": "C", "en": "C"});
    let code = |code: &str| json!({"code": code, "names": names});
    let events = [
        (
            "campaign.configured",
            json!({
                "campaign": "c", "revision": 1, "names": names, "synthetic": false, "time_zone": "Asia/Almaty", "opens": "2026-02-12",
                "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15", "planned_meetings": 1, "planned_reach": 1,
                "categories": [code("YOUTH")], "formats": [code("HALL")], "parties": [], "languages": [code("kk")],
            }),
        ),
        (
            "unit.defined",
            json!({"unit": "TRK", "revision": 1, "kato": "611010000", "kind": "city", "names": names, "tile": {"row": 0, "column": 0}}),
        ),
        (
            "precinct.counted",
            json!({"precinct": "TRK-014", "unit": "TRK", "number": 14, "as_of": "2026-02-01", "revision": 1, "voters": 1200, "source": "CEC"}),
        ),
    ];
    events.iter().map(|(kind, data)| event(kind, data) + "\n").collect()
}

/// Attendances of one person, identified by a national id that belongs to nobody.
fn attendances() -> String {
    let mut lines = String::new();
    for line in 0..EVENTS {
        let data = json!({
            "meeting": format!("m-{}", line % 2000), "attendee": {"iin": "850615101233"}, "consent": "2026-02-a",
            "residence": {"precinct": "TRK-014"}, "adult": true, "sheet": {"sheet": "S-1", "line": line % 40 + 1},
        });
        let _ = writeln!(lines, "{}", event("attendance.recorded", &data));
    }
    lines
}

async fn chunks(text: String) -> Result<Vec<Chunk>> {
    let idle = Duration::from_secs(60);
    let chunk = ChunkLimits { line_bytes: 1 << 20, lines: 4096, bytes: 1 << 20 };
    let limits = StreamLimits { chunk, stream_bytes: u64::MAX, idle, lines_per_minute: 0 };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let reading = tokio::spawn(lines::read(text.into(), limits, sender));
    let mut chunks = Vec::new();
    while let Some(chunk) = receiver.recv().await {
        chunks.push(chunk.map_err(|rejection| anyhow::anyhow!("{:?}", rejection.detail))?);
    }
    reading.await?;
    Ok(chunks)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config::load(None)?;
    let register = Arc::new(Register::open(&folder.path().join("register.sqlite"))?);
    register.caught_up();
    let keys = Arc::new(Keys::new(folder.path(), true));
    let pipeline = Pipeline::new(Arc::new(NullWriter::default()), register, keys, config.limits);
    let validate = |chunk: &Chunk| {
        let principal = Principal { client: IpAddr::from([127, 0, 0, 1]).into(), only: None };
        let validator = ChunkValidator { pipeline: &pipeline, principal, earlier: &Unacknowledged::default(), now: Timestamp::now() };
        validator.validate(chunk).map_err(|rejection| anyhow::anyhow!("{:?}", rejection.detail))
    };
    for chunk in chunks(reference()).await? {
        let validated = validate(&chunk)?;
        ensure!(!validated.has_refusals());
        pipeline.append(validated).await.map_err(|rejection| anyhow::anyhow!("{:?}", rejection.detail))?;
    }
    let chunks = chunks(attendances()).await?;
    let begun = Instant::now();
    for chunk in &chunks {
        let validated = validate(chunk)?;
        ensure!(!validated.has_refusals());
        // Dropping it releases the ids, so that the register stays small.
        black_box(validated);
    }
    let rate = EVENTS as f64 / begun.elapsed().as_secs_f64();
    let line = json!({"id": "ingest-validation", "what": "attendances validated and encoded on one core, without HTTP and log", "value": rate.round(), "unit": "events/s"});
    writeln!(std::io::stdout(), "{line}").context("standard output")
}

//! A small campaign and events for it.

use anyhow::Result;
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{Ingest, TestEnv};

/// National ids with valid check digits that belong to nobody: their birth years lie in the nineteenth century.
pub const IIN: &str = "850615101233";
pub const OTHER_IIN: &str = "991231107771";

/// An event of a type, with a random id.
pub fn event(kind: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0", "id": Uuid::new_v4(), "type": format!("qamtu.{kind}"), "source": "tests",
        "time": "2026-02-13T15:00:00+05:00", "campaign": "c", "data": data,
    })
}

/// The event with one attribute set.
pub fn with(mut event: Value, name: &str, value: impl Into<Value>) -> Value {
    event[name] = value.into();
    event
}

fn names(text: &str) -> Value {
    json!({"kk": text, "ru": text, "en": text})
}

pub fn campaign(synthetic: bool) -> Value {
    let code = |code: &str| json!({"code": code, "names": names(code)});
    event(
        "campaign.configured.v1",
        json!({
            "campaign": "c", "revision": 1, "names": names("C"), "synthetic": synthetic, "time_zone": "Asia/Almaty",
            "opens": "2026-02-12", "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15",
            "planned_meetings": 10, "planned_reach": 100,
            "categories": [code("YOUTH"), code("AGRO"), {"code": "CLERGY", "names": names("CLERGY"), "revealing": true}],
            "formats": [code("HALL")], "parties": [code("amanat")], "languages": [code("kk")],
        }),
    )
}

pub fn unit(code: &str) -> Value {
    event(
        "unit.defined.v1",
        json!({
            "unit": code, "revision": 1, "kato": "611010000", "kind": "city", "names": names(code), "tile": {"row": 1, "column": 2},
        }),
    )
}

pub fn precinct(code: &str) -> Value {
    event(
        "precinct.counted.v1",
        json!({
            "precinct": code, "unit": "TRK", "number": 14, "as_of": "2026-02-01", "revision": 1, "voters": 1200, "source": "CEC",
        }),
    )
}

pub fn plan(category: &str) -> Value {
    json!({
        "unit": "TRK", "precinct": "TRK-014", "venue": "V-1", "coalition": "regional", "members": ["m-1"], "category": category,
        "format": "HALL", "language": "kk", "starts": "2026-02-13T15:00:00+05:00", "expected": 80,
    })
}

pub fn planned(meeting: &str, category: &str) -> Value {
    event("meeting.planned.v1", json!({"meeting": meeting, "plan": plan(category)}))
}

pub fn held(meeting: &str, category: &str) -> Value {
    event("meeting.held.v1", json!({"meeting": meeting, "report": plan(category)}))
}

pub fn attendance(meeting: &str, attendee: Value) -> Value {
    event(
        "attendance.recorded.v1",
        json!({
            "meeting": meeting, "attendee": attendee, "consent": "2026-02-a", "residence": {"precinct": "TRK-014"}, "adult": true,
        }),
    )
}

pub fn headcount(meeting: &str, people: u32) -> Value {
    event("headcount.reported.v2", json!({"meeting": meeting, "counts": [{"counter": "1", "people": people}]}))
}

/// A national id with its check digit, the n-th of many.
pub fn iin(n: u32) -> String {
    let serial = n % 10_000;
    let (day, rest) = (n / 10_000 % 28 + 1, n / 280_000);
    let (month, year) = (rest % 12 + 1, rest / 12 % 100);
    for sex in [1, 2] {
        let body = format!("{year:02}{month:02}{day:02}{sex}{serial:04}");
        let digits: Vec<u32> = body.bytes().map(|b| u32::from(b - b'0')).collect();
        let sum = |weights: [u32; 11]| digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11;
        let first = sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let check = if first == 10 { sum([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) } else { first };
        if check < 10 {
            return format!("{body}{check}");
        }
    }
    iin(n + 1_000_003)
}

/// Reference data and plans that the other events need.
pub fn reference(synthetic: bool) -> Vec<Value> {
    vec![
        campaign(synthetic),
        unit("TRK"),
        precinct("TRK-014"),
        event("coalition.formed.v1", json!({"coalition": "regional", "revision": 1, "names": names("R")})),
        event("member.joined.v1", json!({"member": "m-1", "revision": 1, "coalition": "regional", "party": "amanat"})),
        event("venue.described.v1", json!({"venue": "V-1", "revision": 1, "unit": "TRK", "precinct": "TRK-014", "name": "Hall"})),
        planned("m-open", "YOUTH"),
        planned("m-clergy", "CLERGY"),
    ]
}

/// Starts the program and sends it the campaign.
pub async fn campaign_at(env: &TestEnv, settings: &[(&str, &str)]) -> Result<Ingest> {
    let ingest = env.start(settings).await?;
    ingest.send_lines(&reference(false)).await?;
    Ok(ingest)
}

//! A campaign small enough to be counted by hand: two units, three precincts, two coalitions, thirty voters.
//!
//! Every identifier is synthetic: the century digit of each national id is 1.

use serde_json::{Value, json};
use uuid::Uuid;

/// Id of the small campaign.
pub const CAMPAIGN: &str = "small-2026";

/// A synthetic national id with a valid check digit; the same number gives the same id.
pub fn iin(number: u32) -> String {
    let serial = (0..).map(|step| number * 7 + step).find_map(|serial| {
        let body = format!("8506151{:04}", serial % 10_000);
        let digits: Vec<u32> = body.bytes().map(|b| u32::from(b - b'0')).collect();
        let sum = |weights: [u32; 11]| digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11;
        let first = sum([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let check = if first == 10 { sum([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) } else { first };
        (check < 10).then(|| format!("{body}{check}"))
    });
    serial.unwrap_or_default()
}

/// A submission of the newest version of an event type.
pub fn event(kind: &str, data: Value) -> Value {
    let version = if kind == "headcount.reported" { 2 } else { 1 };
    json!({
        "specversion": "1.0", "id": Uuid::now_v7().to_string(), "source": "scenario", "type": format!("qamtu.{kind}.v{version}"),
        "time": "2026-02-20T10:00:00Z", "campaign": CAMPAIGN, "data": data,
    })
}

fn names(text: &str) -> Value {
    json!({"kk": text, "ru": text, "en": text})
}

/// Reference events: the campaign, its units, precincts, coalitions and a member.
pub fn reference() -> Vec<Value> {
    let code = |code: &str| json!({"code": code, "names": names(code)});
    let mut events = vec![event(
        "campaign.configured",
        json!({
            "campaign": CAMPAIGN, "revision": 1, "names": names("Қазығұрт әңгімесі"), "synthetic": true, "time_zone": "Asia/Almaty",
            "opens": "2026-02-12", "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15",
            "planned_meetings": 3, "planned_reach": 20,
            "categories": [code("RURAL"), code("YOUTH"), {"code": "CLERGY", "names": names("CLERGY"), "revealing": true}],
            "formats": [code("HALL")], "parties": [code("amanat")], "languages": [code("kk"), code("ru")],
        }),
    )];
    for (at, unit) in ["KAZ", "TRK"].into_iter().enumerate() {
        events.push(event(
            "unit.defined",
            json!({"unit": unit, "revision": 1, "kato": format!("61{at}000000"), "kind": "district", "names": names(unit), "tile": {"row": 0, "column": at}}),
        ));
        events.push(event("coalition.formed", json!({"coalition": unit, "revision": 1, "unit": unit, "names": names(unit)})));
    }
    for (number, (precinct, unit)) in [("KAZ-001", "KAZ"), ("KAZ-002", "KAZ"), ("TRK-001", "TRK")].into_iter().enumerate() {
        events.push(event(
            "precinct.counted",
            json!({"precinct": precinct, "unit": unit, "number": number + 1, "as_of": "2026-02-13", "revision": 1, "voters": 10, "source": "scenario"}),
        ));
    }
    events.push(event("member.joined", json!({"member": "M-1", "revision": 1, "coalition": "KAZ", "party": "amanat"})));
    events
}

/// The roll: persons 0-9 live in KAZ-001, 10-19 in KAZ-002, 20-29 in TRK-001. One line of NDJSON per precinct.
pub fn roll() -> String {
    ["KAZ-001", "KAZ-002", "TRK-001"]
        .into_iter()
        .enumerate()
        .map(|(at, precinct)| {
            let voters: Vec<Value> = (0..10).map(|n| json!([{"iin": iin(at as u32 * 10 + n)}, 1985, "f"])).collect();
            let line = event("precinct.enrolled", json!({"precinct": precinct, "version": 1, "strength": "strong", "voters": voters}));
            format!("{line}\n")
        })
        .collect()
}

/// The payload of a plan or of a report.
pub fn plan(unit: &str, starts: &str) -> Value {
    json!({"unit": unit, "coalition": unit, "members": ["M-1"], "category": "RURAL", "format": "HALL", "language": "kk", "starts": starts})
}

/// A line of an attendance sheet.
pub fn attends(meeting: &str, person: u32) -> Value {
    event("attendance.recorded", json!({"meeting": meeting, "attendee": {"iin": iin(person)}, "consent": "notice-1"}))
}

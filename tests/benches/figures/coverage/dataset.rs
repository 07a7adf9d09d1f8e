//! The benchmark's dataset: units, precincts, a roll and meetings, sent through ingest, and attendances, inserted into the table that
//! the projector fills. A formula gives the attendees, in Rust for the roll and in SQL for attendance.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use qamtu_tests::{
    small_campaign::{self, CAMPAIGN},
    stack::Stack,
};
use serde_json::{Value, json};

use super::{Answers, Reach};

/// How large the area is. Voters are distributed over precincts by number.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    /// Number of voters on the roll.
    pub voters: u64,
    /// Number of precincts.
    pub precincts: u64,
}

/// Turkistan region.
pub const REGION: Area = Area { voters: 1_195_000, precincts: 947 };
/// A country of seventeen such regions and three cities: Kazakhstan has about 12.4 million voters and 10,400 precincts.
pub const COUNTRY: Area = Area { voters: 12_400_000, precincts: 9_840 };
/// Number of units, each with one coalition.
pub const UNITS: u64 = 17;
/// Number of categories; every third meeting has two.
pub const CATEGORIES: u64 = 12;
/// Number of meetings, all held.
pub const MEETINGS: u64 = 10_000;
/// Instant of the calculation.
pub const AS_OF: &str = "2026-03-16T07:00:00Z";
/// Start days of the meetings, one in each week, assigned round robin.
const STARTS: [&str; 4] = ["02-16", "02-23", "03-02", "03-09"];

/// A submission of the synthetic campaign, received before [`AS_OF`].
fn event(kind: &str, data: Value) -> Value {
    let mut event = small_campaign::event(kind, data);
    event["receivedtime"] = "2026-03-15T00:00:00Z".into();
    event
}

/// Sends reference data, the roll and the meetings.
pub async fn send(stack: &Stack, area: Area) -> Result<()> {
    let reference = reference(area);
    let (first, rest) = reference.split_first().context("a campaign")?;
    stack.accept(std::slice::from_ref(first)).await?;
    for part in rest.chunks(500) {
        stack.accept(part).await?;
    }
    let precinct = |number| {
        event(
            "precinct.enrolled",
            json!({"precinct": format!("P{number:05}"), "version": 1, "strength": "strong", "voters": area.voters_of(number)}),
        )
    };
    // A request has few enough precincts that its text needs little memory.
    for first in (0..area.precincts).step_by(1_000) {
        lines(stack, "/v1/roll", (first..area.precincts.min(first + 1_000)).map(precinct)).await?;
    }
    lines(stack, "/v1/events", (0..MEETINGS).map(|number| meeting(number, area))).await
}

/// Sends one more held meeting of the region with so many voters on its list.
pub async fn add_meeting(stack: &Stack, round: u64, attendees: u64) -> Result<()> {
    let number = MEETINGS + round;
    let attends = |voter| {
        let attendee = json!({"id": letters(voter * 7919 % REGION.voters), "strength": "strong"});
        event("attendance.recorded", json!({"meeting": format!("M{number:05}"), "attendee": attendee, "consent": "bench"}))
    };
    lines(stack, "/v1/events", std::iter::once(meeting(number, REGION)).chain((0..attendees).map(attends))).await
}

async fn lines(stack: &Stack, path: &str, events: impl Iterator<Item = Value>) -> Result<()> {
    let text: String = events.map(|event| format!("{event}\n")).collect();
    let count = text.lines().count();
    let (status, answer) = stack.post(path, "application/x-ndjson", text).await?;
    ensure!(status == 200 && answer["accepted"] == count, "{path} answered {status}: {answer}");
    Ok(())
}

fn reference(area: Area) -> Vec<Value> {
    let names = json!({"kk": "Өлшем", "ru": "Мера", "en": "Measure"});
    let categories: Vec<Value> = (0..CATEGORIES).map(|number| json!({"code": format!("C{number:02}"), "names": names})).collect();
    let mut events = vec![event(
        "campaign.configured",
        json!({"campaign": CAMPAIGN, "revision": 1, "names": names, "synthetic": true, "time_zone": "Asia/Almaty",
            "opens": "2026-02-13", "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15", "planned_meetings": MEETINGS,
            "planned_reach": 0, "categories": categories, "formats": [{"code": "HALL", "names": names}], "parties": [],
            "languages": [{"code": "kk", "names": names}]}),
    )];
    for unit in 0..UNITS {
        let code = format!("U{unit:02}");
        let tile = json!({"row": 0, "column": unit});
        events.push(event(
            "unit.defined",
            json!({"unit": code, "revision": 1, "kato": format!("61{unit:02}00000"), "kind": "city", "names": names, "tile": tile}),
        ));
        events.push(event("coalition.formed", json!({"coalition": code, "revision": 1, "unit": code, "names": names})));
        events.push(event("member.joined", json!({"member": format!("M-{unit}"), "revision": 1, "coalition": code})));
    }
    events.extend((0..area.precincts).map(|number| {
        let voters = area.voters_of(number).len();
        event(
            "precinct.counted",
            json!({"precinct": format!("P{number:05}"), "unit": format!("U{:02}", number % UNITS), "number": number + 1, "as_of": "2026-02-13",
                "revision": 1, "voters": voters, "source": "bench"}),
        )
    }));
    events
}

fn meeting(number: u64, area: Area) -> Value {
    // A report names a precinct of its own unit.
    let (precinct, home) = (number % area.precincts, number % area.precincts % UNITS);
    let unit = format!("U{home:02}");
    let first = number % CATEGORIES;
    let second = number.is_multiple_of(3).then(|| format!("C{:02}", (first + 1 + number / 7 % (CATEGORIES - 1)) % CATEGORIES));
    let report = json!({"unit": unit, "coalition": unit, "members": [format!("M-{home}")], "category": format!("C{first:02}"),
        "secondary": second.into_iter().collect::<Vec<_>>(), "format": "HALL", "language": "kk", "precinct": format!("P{precinct:05}"),
        "starts": format!("2026-{}T07:00:00Z", STARTS[(number / 11 % 4) as usize])});
    event("meeting.held", json!({"meeting": format!("M{number:05}"), "report": report}))
}

impl Area {
    /// The roll of a precinct: pseudonym, birth-year band, sex.
    fn voters_of(self, precinct: u64) -> Vec<Value> {
        let first = |precinct: u64| (precinct * self.voters).div_ceil(self.precincts);
        (first(precinct)..first(precinct + 1)).map(|voter| json!([letters(voter), 1985, "f"])).collect()
    }
}

/// A pseudonym as text: a letter from `a` to `p` for each half byte.
fn letters(person: u64) -> String {
    let (hi, lo) = key(person);
    format!("{hi:016x}{lo:016x}").bytes().map(|hex| char::from(b'a' + (hex as char).to_digit(16).unwrap_or(0) as u8)).collect()
}

/// A pseudonym with all bits used, as those of a keyed MAC; computed like ClickHouse's `intHash64`.
fn key(person: u64) -> (u64, u64) {
    let mix = |number: u64| {
        let mut hash = number ^ 0x4CF2_D2BA_AE6D_A887;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    };
    (mix(person), mix(person + 10_000_000))
}

/// Replaces the table of attendance: every meeting has the same number of people, most from near its precinct, 2 % not on the roll.
pub async fn fill_attendance(stack: &Stack, area: Area, millions: u64) -> Result<()> {
    let Area { voters, precincts } = area;
    let near = voters.div_ceil(precincts) - 1;
    let attendees = millions * 1_000_000 / MEETINGS;
    let around = attendees * 60;
    stack.query("TRUNCATE TABLE attendance").await?;
    // In ten parts, so that each insert needs little memory.
    for part in 0..10 {
        let (from, meetings) = (part * MEETINGS / 10, MEETINGS / 10);
        let sql = format!(
            "INSERT INTO attendance (topic, partition, offset, campaign, event_id, type, bodyhash, received, import, meeting_id, occurred, \
             person_hi, person_lo, strength, residence_kind, residence, adult, sheet, line) \
             WITH number + {from} * {attendees} AS n, intDiv(n, {attendees}) AS meeting, n % {attendees} AS seat, \
             bitShiftRight(n * 11400714819323198485, 32) AS draw, \
             if(seat % 50 = 0, {voters} + draw % 50000, (meeting * 7919 % {precincts} * {near} + draw % {around}) % {voters}) AS person \
             SELECT 'events', 0, 0, '{CAMPAIGN}', reinterpretAsUUID(toUInt128(n) * toUInt128('209288702365419843201918234321')), \
             'qamtu.attendance.recorded.v1', unhex('00112233445566778899aabbccddeeff'), toDateTime64('2026-03-15 00:00:00', 6, 'UTC'), NULL, \
             concat('M', leftPad(toString(meeting), 5, '0')), toDateTime64('2026-03-01 00:00:00', 6, 'UTC'), intHash64(person), \
             intHash64(person + 10000000), 'strong', 'unknown', '', 'unknown', '', 0 FROM numbers({attendees} * {meetings})"
        );
        stack.query(&sql).await?;
    }
    Ok(())
}

/// Reads the results of `compute` from its JSON and CSV.
pub fn read(figures: &Value, file: &Path) -> Result<Answers> {
    let mut rows = csv::Reader::from_path(file)?;
    let head = rows.headers()?.clone();
    let column = |name: &str| head.iter().position(|column| column == name).with_context(|| format!("no column {name}"));
    let (kind, key, reached, contacts) = (column("kind")?, column("key")?, column("reached")?, column("contacts")?);
    let mut answers = Answers::new();
    for row in rows.records() {
        let row = row?;
        // The number of people reached is empty if no meeting was held.
        let figure = Reach { people: row[reached].parse().unwrap_or(0), attendances: row[contacts].parse().unwrap_or(0) };
        answers.entry(row[kind].to_owned()).or_default().insert(row[key].to_owned(), figure);
    }
    let frequencies = figures["frequencies"].as_array().context("frequencies")?;
    let frequencies: BTreeMap<_, _> = frequencies
        .iter()
        .zip(1..)
        .map(|(people, times)| (times.to_string(), Reach { people: people.as_u64().unwrap_or(0), attendances: 0 }))
        .collect();
    answers.insert("frequencies".to_owned(), frequencies);
    Ok(answers)
}

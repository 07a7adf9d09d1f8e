//! All breakdowns over 1.195 million voters, from attendances in memory, grouped by meeting.
//!
//! `cargo bench -p qamtu-analytics -- 1 10` adds one and ten million attendances, each as one run of the program would: a fresh calculation
//! over the same roll and ten thousand meetings. Prints one JSON line per size: wall-clock and processor seconds, without the time of the generator, the times of the
//! slices by each pair of dimensions, and the peak memory of the process.

use std::{
    collections::BTreeMap,
    io::Write,
    ops::AddAssign,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use qamtu_analytics::{
    Coverage,
    coverage::Quality,
    dimension::Dimension,
    facts::{Facts, RecordCounts, meetings::Meetings},
    facts_store::{AttendanceRun, FactsStore},
    roll::{PersonKey, Roll, RollId, RollLine},
    slice::slice,
    slice_query::SliceQuery,
    snapshot_identity::Selection,
};
use qamtu_schemas::{MeetingFold, Reference, decode::decode_structured, event::Sex};
use serde_json::{Value, json};

const VOTERS: u64 = 1_195_000;
const PRECINCTS: u64 = 947;
const UNITS: u64 = 17;
const CATEGORIES: u64 = 12;
/// Meetings, all with the same number of people.
const MEETINGS: u64 = 10_000;
const ROUNDS: usize = 3;
/// Meetings between two looks at the clock.
const ROOMS: usize = 100;

fn main() {
    let sizes: Vec<u64> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    for millions in if sizes.is_empty() { vec![1, 10] } else { sizes } {
        let line = measure(millions * 1_000_000);
        writeln!(std::io::stdout(), "{line}").expect("standard output");
    }
}

fn measure(attendances: u64) -> Value {
    let facts = facts(MEETINGS);
    let people = attendances / MEETINGS;
    let before = resident_mb();
    let mut best = Spent { clock: Duration::MAX, processor: Duration::MAX };
    let (mut reached, mut kept) = (0, None);
    for _ in 0..ROUNDS {
        kept = None;
        let mut spent = Spent::default();
        let mut generated = Spent::default();
        let copy = facts.clone();
        reached = spent.on(|| {
            let store = FactsStore::new(copy, |collector| {
                let mut rooms: Vec<Room> = (0..ROOMS).map(|_| Room::default()).collect();
                for first in (0..MEETINGS).step_by(ROOMS) {
                    let last = (MEETINGS - first).min(ROOMS as u64) as usize;
                    generated.on(|| rooms.iter_mut().zip(first..).for_each(|(room, meeting)| room.fill(meeting, people)));
                    for (room, meeting) in rooms[..last].iter().zip(first..) {
                        let run = AttendanceRun {
                            meeting: &meeting_id(meeting),
                            hi: &room.hi,
                            lo: &room.lo,
                            strength: &room.strength,
                            is_counted: &[],
                            residences: &[],
                        };
                        collector.add_run(run)?;
                    }
                }
                Ok(())
            });
            let store = store.expect("a campaign");
            let reached = Coverage::of(&store).expect("a coverage").region.figures.audience.reach.reached;
            kept = Some(store);
            reached
        });
        spent = Spent { clock: spent.clock - generated.clock, processor: spent.processor.saturating_sub(generated.processor) };
        best = Spent { clock: best.clock.min(spent.clock), processor: best.processor.min(spent.processor) };
    }
    let mut slices: Vec<Duration> = kept.iter().flat_map(time_slices).collect();
    slices.sort_unstable();
    let percentile = |percent: usize| slices[(slices.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    json!({"slices": slices.len(), "slice_p50_ms": percentile(50), "slice_p99_ms": percentile(99), "attendances": attendances, "voters": VOTERS, "meetings": MEETINGS, "reached": reached,
        "seconds": best.clock.as_secs_f64(), "processor_seconds": best.processor.as_secs_f64(),
        "nanoseconds_each": best.processor.as_nanos() as f64 / attendances as f64, "facts_mb": before, "peak_rss_mb": peak_mb()})
}

/// How long the slice by each pair of dimensions takes.
fn time_slices(store: &FactsStore) -> Vec<Duration> {
    let dimensions: Vec<Dimension> = Dimension::all().collect();
    let pairs = dimensions.iter().enumerate().flat_map(|(at, one)| dimensions[at + 1..].iter().map(|other| [*one, *other]));
    let time = |by: [Dimension; 2]| {
        let begin = Instant::now();
        slice(store, &SliceQuery { with_totals: true, ..SliceQuery::by(by) }).expect("a slice");
        begin.elapsed()
    };
    pairs.map(time).collect()
}

/// Time of a calculation.
#[derive(Default)]
struct Spent {
    clock: Duration,
    processor: Duration,
}

impl Spent {
    /// Adds the time of some work.
    fn on<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (clock, processor) = (Instant::now(), processor());
        let done = work();
        self.processor.add_assign(self::processor().saturating_sub(processor));
        self.clock.add_assign(clock.elapsed());
        done
    }
}

/// Time that all threads of the program were on a processor, in hundredths of a second, as Linux counts it.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    Duration::from_millis(10 * fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

fn meeting_id(number: u64) -> String {
    format!("M{number:08}")
}

fn as_of() -> Timestamp {
    "2026-03-16T07:00:00Z".parse().expect("an instant")
}

/// A pseudonym spread over all bits, as a keyed MAC's are (the finalizer of MurmurHash3).
fn key(person: u64) -> PersonKey {
    let mix = |mut hash: u64| {
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    };
    PersonKey { hi: mix(person + 1), lo: mix(person ^ 0xdead_beef_0000_0000) }
}

/// Attendance of one meeting: people of the surrounding precincts, one in eighty from elsewhere; at every second meeting one person is
/// recorded twice in eighty attendances.
#[derive(Default)]
struct Room {
    hi: Vec<u64>,
    lo: Vec<u64>,
    strength: Vec<u8>,
}

impl Room {
    fn fill(&mut self, meeting: u64, people: u64) {
        self.hi.clear();
        self.lo.clear();
        self.strength.clear();
        let from = meeting.wrapping_mul(7919) % PRECINCTS * (VOTERS / PRECINCTS);
        for seat in 0..people {
            let draw = (meeting * people + seat).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            let person = match seat % 80 {
                0 => VOTERS + draw % 50_000,
                1 if meeting.is_multiple_of(2) => (from + 2) % VOTERS,
                2 if meeting.is_multiple_of(2) => (from + 2) % VOTERS,
                _ => (from + draw % (60 * people)) % VOTERS,
            };
            let PersonKey { hi, lo } = key(person);
            self.hi.push(hi);
            self.lo.push(lo);
            self.strength.push(1 + u8::from(seat % 80 == 3 && meeting.is_multiple_of(10)));
        }
    }
}

fn facts(meetings: u64) -> Facts {
    let mut reference = Reference::default();
    for event in reference_events() {
        reference.apply(&decode(&event));
    }
    let mut folded = Meetings::default();
    for number in 0..meetings {
        let other: Vec<String> = (number % 3 == 0).then(|| category((number / 7 + 1) % CATEGORIES)).into_iter().collect();
        let report = json!({"unit": unit(number % UNITS), "coalition": unit(number % UNITS), "category": category(number % CATEGORIES),
            "secondary": other,
            "format": "HALL", "language": "kk", "precinct": precinct(number % PRECINCTS),
            "starts": format!("2026-{}T07:00:00Z", ["02-16", "02-23", "03-02", "03-09"][(number / 11 % 4) as usize])});
        let id = meeting_id(number);
        let mut fold = MeetingFold::default();
        fold.insert(decode(&event("meeting.held", &json!({"meeting": id, "report": report}), number)));
        assert!(folded.push(id.parse().expect("a meeting"), &fold.state(reference.reversed()), as_of()));
    }
    let precinct_of = |person: u64| (person / (VOTERS / PRECINCTS)).min(PRECINCTS - 1) as u32;
    let lines =
        (0..VOTERS).map(|person| RollLine { precinct: precinct_of(person), key: key(person), birth_band: 0, sex: Sex::Unknown }).collect();
    let precincts = (0..PRECINCTS).map(|number| precinct(number).parse().expect("a precinct")).collect();
    Facts {
        selection: Selection { campaign: "bench".parse().expect("a campaign"), offsets: Vec::new(), as_of: as_of() },
        quality: Quality::default(),
        record_counts: RecordCounts::default(),
        reference,
        surveys: BTreeMap::new(),
        meeting_ids: folded.ids().to_vec(),
        meetings: folded,
        roll: Roll::new(lines, precincts).expect("a roll"),
        roll_id: RollId::default(),
    }
}

fn reference_events() -> Vec<Value> {
    let names = json!({"kk": "b", "ru": "b", "en": "b"});
    let categories: Vec<Value> = (0..CATEGORIES).map(|number| json!({"code": category(number), "names": names})).collect();
    let mut events = vec![event(
        "campaign.configured",
        &json!({"campaign": "bench", "revision": 1, "names": names, "synthetic": true, "time_zone": "Asia/Almaty",
            "opens": "2026-02-13", "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15", "planned_meetings": 1959,
            "planned_reach": 0, "categories": categories, "formats": [], "parties": [], "languages": []}),
        0,
    )];
    for number in 0..UNITS {
        let tile = json!({"row": 0, "column": 0});
        let code = unit(number);
        let defined = json!({"unit": code, "revision": 1, "kato": "611000000", "kind": "city", "names": names, "tile": tile});
        events.push(event("unit.defined", &defined, number));
        events.push(event("coalition.formed", &json!({"coalition": code, "revision": 1, "unit": code, "names": names}), number));
    }
    for number in 0..PRECINCTS {
        events.push(event(
            "precinct.counted",
            &json!({"precinct": precinct(number), "unit": unit(number % UNITS), "number": number, "as_of": "2026-01-01", "revision": 1,
                "voters": VOTERS / PRECINCTS, "source": "bench"}),
            number,
        ));
    }
    events
}

fn event(kind: &str, data: &Value, number: u64) -> Value {
    let kind_number = kind.bytes().fold(0_u16, |hash, byte| hash.rotate_left(3) ^ u16::from(byte));
    json!({"specversion": "1.0", "id": format!("00000000-0000-4000-{kind_number:04x}-{number:012x}"), "type": format!("qamtu.{kind}.v1"),
        "source": "bench", "time": "2026-02-13T00:00:00Z", "receivedtime": "2026-02-13T00:00:00Z", "campaign": "bench",
        "bodyhash": "a".repeat(32), "data": data})
}

fn decode(event: &Value) -> qamtu_schemas::Event {
    decode_structured(event.to_string().as_bytes()).expect("an event")
}

fn unit(number: u64) -> String {
    format!("U{number:02}")
}

fn category(number: u64) -> String {
    format!("C{number:02}")
}

fn precinct(number: u64) -> String {
    format!("P{number:04}")
}

fn resident_mb() -> u64 {
    status_mb("VmRSS:")
}

/// The peak since the program started.
fn peak_mb() -> u64 {
    status_mb("VmHWM:")
}

fn status_mb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

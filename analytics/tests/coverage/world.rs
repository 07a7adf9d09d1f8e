//! A small campaign: two units, three precincts, two coalitions, three categories, ten people on the roll.
//!
//! Precincts: A-1 with 100 voters, 90 from 22 February; A-2 with 50; B-1 with 80. So 230 voters, 220 from 22 February.
//! Roll: people 1 to 5 in A-1, 6 and 7 in A-2, 8 to 10 in B-1. Local time is UTC+5.

use std::collections::BTreeMap;

use jiff::Timestamp;
use qamtu_analytics::{
    Coverage,
    coverage::Quality,
    error::AnalyticsError,
    facts::{Facts, RecordCounts, meetings::Meetings},
    facts_store::{AttendanceCollector, AttendanceRun, FactsStore, OUTSIDE, STRONG, UNSTATED},
    roll::{PersonKey, Roll, RollId, RollLine},
    snapshot_identity::Selection,
};
use qamtu_schemas::{MeetingFold, Reference, Surveys, decode::decode_structured, event::Sex, id::MeetingId};
use serde_json::{Value, json};

/// An attendance that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    pub meeting: String,
    pub person: u64,
    pub strong: bool,
    /// Where the person counts by what they state; ignored if the roll decides.
    pub residence: Residence,
}

/// What a statement of residence and age amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residence {
    /// An adult of this precinct, which the campaign has.
    Precinct(&'static str),
    /// An adult of this unit, which the campaign has.
    Unit(&'static str),
    /// Not eligible.
    Outside,
    /// Possibly eligible.
    Unstated,
}

#[derive(Debug, Clone)]
pub struct World {
    pub events: Vec<Value>,
    pub attendances: Vec<Attendance>,
    pub roll: Vec<(u64, &'static str)>,
}

/// A pseudonym for a person: spread over all bits, as a keyed MAC's are.
pub fn key(person: u64) -> (u64, u64) {
    (person.wrapping_mul(0x9E37_79B9_7F4A_7C15), person ^ 0x5555)
}

pub fn names(text: &str) -> Value {
    json!({"kk": text, "ru": text, "en": text})
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A Monday during the campaign.
pub const MONDAY: &str = "2026-02-16T10:00:00Z";

/// After the vote, when everything is due.
pub fn after() -> Timestamp {
    at("2026-03-16T07:00:00Z")
}

impl World {
    /// Reference data and the roll; nothing happened yet.
    pub fn new() -> Self {
        let mut world = Self { events: Vec::new(), attendances: Vec::new(), roll: Vec::new() };
        world.event(
            "campaign.configured",
            json!({"campaign": "test", "revision": 1, "names": names("Test"), "synthetic": true, "time_zone": "Asia/Almaty",
                "opens": "2026-02-13", "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15",
                "planned_meetings": 10, "planned_reach": 100, "formats": [], "parties": [], "languages": [],
                "categories": [{"code": "ELDER", "names": names("Elder")}, {"code": "STAFF", "names": names("Staff")},
                    {"code": "YOUTH", "names": names("Youth")}]}),
        );
        for (unit, kato) in [("A", "611000000"), ("B", "612000000")] {
            let tile = json!({"row": 0, "column": 0});
            world.event(
                "unit.defined",
                json!({"unit": unit, "revision": 1, "kato": kato, "kind": "city", "names": names(unit), "tile": tile}),
            );
        }
        for (precinct, unit, as_of, voters) in [
            ("A-1", "A", "2026-01-01", 100),
            ("A-1", "A", "2026-02-22", 90),
            ("A-2", "A", "2026-01-02", 50),
            ("B-1", "B", "2026-01-01", 80),
        ] {
            world.event(
                "precinct.counted",
                json!({"precinct": precinct, "unit": unit, "number": 1, "as_of": as_of, "revision": 1, "voters": voters, "source": "test"}),
            );
        }
        world.event("coalition.formed", json!({"coalition": "CA", "revision": 1, "unit": "A", "names": names("CA")}));
        world.event("coalition.formed", json!({"coalition": "R", "revision": 1, "names": names("R")}));
        let precinct = |person| match person {
            1..=5 => "A-1",
            6 | 7 => "A-2",
            _ => "B-1",
        };
        world.roll = (1..=10).map(|person| (person, precinct(person))).collect();
        world
    }

    /// Adds an event and gives its id.
    pub fn event(&mut self, kind: &str, data: Value) -> String {
        let number = self.events.len();
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        self.events.push(
            json!({"specversion": "1.0", "id": id, "type": format!("qamtu.{kind}.v{}", if kind == "headcount.reported" { 2 } else { 1 }),
            "source": "test", "time": "2026-02-13T00:00:00Z", "receivedtime": "2026-02-13T00:00:00Z", "campaign": "test",
            "bodyhash": "a".repeat(32), "data": data}),
        );
        id
    }

    /// A meeting of coalition CA in unit A for the young, beginning then.
    pub fn place(starts: &str) -> Value {
        Self::place_of("A", "CA", &["YOUTH"], starts)
    }

    pub fn place_of(unit: &str, coalition: &str, categories: &[&str], starts: &str) -> Value {
        json!({"unit": unit, "coalition": coalition, "category": categories[0], "secondary": categories[1..], "format": "HALL",
            "language": "kk", "starts": starts})
    }

    pub fn planned(&mut self, meeting: &str, plan: Value) -> String {
        self.event("meeting.planned", json!({"meeting": meeting, "plan": plan}))
    }

    pub fn held(&mut self, meeting: &str, report: Value) -> String {
        self.event("meeting.held", json!({"meeting": meeting, "report": report}))
    }

    /// The last event was received at this instant.
    pub fn receive_last(&mut self, received: &str) {
        let last = self.events.last_mut().expect("an event");
        last["receivedtime"] = received.into();
    }

    pub fn cancelled(&mut self, meeting: &str) -> String {
        self.event("meeting.cancelled", json!({"meeting": meeting}))
    }

    /// Heads by one counter or two.
    pub fn heads(&mut self, meeting: &str, people: &[u32], eligible_minimum: Option<u32>) {
        let counts: Vec<Value> =
            people.iter().zip(["1", "2"]).map(|(people, counter)| json!({"counter": counter, "people": people})).collect();
        let mut data = json!({"meeting": meeting, "counts": counts});
        if let Some(minimum) = eligible_minimum {
            data["eligible_minimum"] = minimum.into();
        }
        self.event("headcount.reported", data);
    }

    /// People who sign a sheet with their national ids.
    pub fn strong(&mut self, meeting: &str, people: impl IntoIterator<Item = u64>) {
        self.attend(meeting, people, true);
    }

    /// People who sign with phone numbers.
    pub fn weak(&mut self, meeting: &str, people: impl IntoIterator<Item = u64>) {
        self.attend(meeting, people, false);
    }

    fn attend(&mut self, meeting: &str, people: impl IntoIterator<Item = u64>, strong: bool) {
        let attendance = |person| Attendance { meeting: meeting.to_owned(), person, strong, residence: Residence::Unstated };
        self.attendances.extend(people.into_iter().map(attendance));
    }

    /// What people state about residence and age, in the order of the attendances.
    pub fn state(&mut self, residences: impl IntoIterator<Item = Residence>) {
        self.attendances.iter_mut().zip(residences).for_each(|(attendance, residence)| attendance.residence = residence);
    }

    /// Facts as the warehouse would give them at an instant.
    pub fn facts(&self, as_of: Timestamp) -> Facts {
        let (mut reference, mut surveys) = (Reference::default(), Surveys::default());
        let mut folds: BTreeMap<MeetingId, MeetingFold> = BTreeMap::new();
        for event in &self.events {
            let event = decode_structured(event.to_string().as_bytes()).expect("an event");
            if let Some(meeting) = event.data.meeting() {
                folds.entry(meeting.clone()).or_default().insert(event);
            } else {
                reference.apply(&event);
                surveys.insert(&event);
            }
        }
        let precincts: Vec<&str> = vec!["B-1", "A-2", "A-1", "X-9"];
        let lines = self.roll.iter().map(|(person, home)| {
            let place = precincts.iter().position(|precinct| precinct == home).expect("a precinct of the roll");
            let (hi, lo) = key(*person);
            RollLine { precinct: place as u32, key: PersonKey { hi, lo }, birth_band: birth_band(*person), sex: sex(*person) }
        });
        let used: Vec<&str> = precincts.iter().copied().filter(|precinct| self.roll.iter().any(|(_, home)| home == precinct)).collect();
        assert!(precincts.starts_with(&used), "the roll names precincts in the order above");
        let mut meetings = Meetings::default();
        let meeting_ids = folds.keys().cloned().collect();
        for (id, fold) in folds {
            assert!(meetings.push(id, &fold.state(reference.reversed()), as_of), "ids ascend");
        }
        Facts {
            selection: Selection { campaign: "test".parse().expect("a campaign"), offsets: Vec::new(), as_of },
            quality: Quality::default(),
            roll_id: RollId::default(),
            record_counts: RecordCounts::default(),
            meetings,
            meeting_ids,
            roll: Roll::new(lines.collect(), used.iter().map(|id| id.parse().expect("a precinct")).collect()).expect("a roll"),
            surveys: surveys.results(reference.reversed()),
            reference,
        }
    }

    /// The figures at an instant.
    pub fn coverage(&self, as_of: Timestamp) -> Coverage {
        self.coverage_in_runs(as_of, usize::MAX)
    }

    /// The figures, attendance taken in runs of so many rows.
    pub fn coverage_in_runs(&self, as_of: Timestamp, rows: usize) -> Coverage {
        Coverage::of(&self.store(as_of, rows)).expect("a coverage")
    }

    /// The facts as columns, attendance taken in runs of so many rows.
    pub fn store(&self, as_of: Timestamp, rows: usize) -> FactsStore {
        FactsStore::new(self.facts(as_of), |collector| self.collect(collector, rows)).expect("a configured campaign")
    }

    fn collect(&self, collector: &mut AttendanceCollector<'_>, rows: usize) -> Result<(), AnalyticsError> {
        let mut by_meeting: BTreeMap<&str, Vec<&Attendance>> = BTreeMap::new();
        for attendance in &self.attendances {
            by_meeting.entry(&attendance.meeting).or_default().push(attendance);
        }
        for (meeting, attendance) in by_meeting {
            for attendance in attendance.chunks(rows) {
                let (hi, lo): (Vec<u64>, Vec<u64>) = attendance.iter().map(|attendance| key(attendance.person)).unzip();
                let strength: Vec<u8> = attendance.iter().map(|attendance| if attendance.strong { STRONG } else { 2 }).collect();
                let residences: Vec<u32> = match collector.uses_roll() {
                    true => Vec::new(),
                    false => attendance.iter().map(|attendance| attendance.residence.number(collector)).collect(),
                };
                collector.add_run(AttendanceRun {
                    meeting,
                    hi: &hi,
                    lo: &lo,
                    strength: &strength,
                    is_counted: &[],
                    residences: &residences,
                })?;
            }
        }
        Ok(())
    }
}

/// Birth band of a person on the roll: unknown for every seventh.
pub fn birth_band(person: u64) -> u16 {
    if person.is_multiple_of(7) { 0 } else { 1950 + 5 * (person % 4) as u16 }
}

/// Sex of a person on the roll: unknown for every fifth.
pub fn sex(person: u64) -> Sex {
    match person % 5 {
        0 => Sex::Unknown,
        1 | 3 => Sex::Female,
        _ => Sex::Male,
    }
}

impl Residence {
    fn number(self, collector: &AttendanceCollector<'_>) -> u32 {
        match self {
            Self::Precinct(precinct) => collector.residences().precinct(precinct).expect("a precinct of the campaign"),
            Self::Unit(unit) => collector.residences().unit(unit).expect("a unit of the campaign"),
            Self::Outside => OUTSIDE,
            Self::Unstated => UNSTATED,
        }
    }
}

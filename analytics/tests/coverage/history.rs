//! A campaign in a warehouse to which records are added one after another: everything that may change attendance that was read before.

use jiff::{Timestamp, ToSpan};
use proptest::{prelude::*, strategy::Strategy};
use qamtu_analytics::snapshot_identity::{Offset, Selection};
use serde_json::{Value, json};

use crate::{
    warehouse::{Position, RollVersion, TestWarehouse, attendance_id, attendance_row, events, fact, record},
    world::{Attendance, Residence, World, at, key},
};

const IMPORT: &str = "00000000-0000-4000-8002-00000000000";

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Change {
    Attend {
        meeting: u8,
        person: u64,
        strong: bool,
        import: Option<u8>,
    },
    /// Another body of an attendance that is appended later and was received earlier, so that it replaces the first.
    Replace {
        attendance: prop::sample::Index,
        person: u64,
    },
    Retract {
        attendance: prop::sample::Index,
        import: Option<u8>,
    },
    Plan {
        meeting: u8,
        day: u8,
    },
    Hold {
        meeting: u8,
        day: u8,
        for_staff: bool,
    },
    Cancel {
        meeting: u8,
    },
    Heads {
        meeting: u8,
        people: u32,
    },
    Reverse {
        import: u8,
    },
    /// A withdrawal of consent; `late` if it was received long before it was appended.
    Withdraw {
        person: u64,
        late: bool,
        import: Option<u8>,
    },
    /// A consent after all withdrawals of a person.
    Consent {
        person: u64,
    },
    /// The audience of staff is revealing from now on, or not any more.
    Reveal {
        revealing: bool,
    },
    /// A new version of the roll of precinct A-2.
    Enrol {
        people: Vec<u64>,
    },
    /// An attendance that was received after the as-of instant, since a clock was ahead.
    Ahead {
        meeting: u8,
        person: u64,
    },
    OfOtherCampaign {
        meeting: u8,
    },
}

pub fn any_change() -> impl Strategy<Value = Change> {
    let (meeting, person, day) = (0_u8..5, 1_u64..13, 0_u8..16);
    let import = || prop::option::weighted(0.3, 0_u8..3);
    let any_attendance = any::<prop::sample::Index>;
    prop_oneof![
        40 => (meeting.clone(), person.clone(), prop::bool::weighted(0.9), import())
            .prop_map(|(meeting, person, strong, import)| Change::Attend { meeting, person, strong, import }),
        3 => (any_attendance(), person.clone()).prop_map(|(attendance, person)| Change::Replace { attendance, person }),
        3 => (any_attendance(), import()).prop_map(|(attendance, import)| Change::Retract { attendance, import }),
        2 => (meeting.clone(), day.clone()).prop_map(|(meeting, day)| Change::Plan { meeting, day }),
        4 => (meeting.clone(), day, prop::bool::weighted(0.3)).prop_map(|(meeting, day, for_staff)| Change::Hold { meeting, day, for_staff }),
        1 => meeting.clone().prop_map(|meeting| Change::Cancel { meeting }),
        1 => (meeting.clone(), 0_u32..20).prop_map(|(meeting, people)| Change::Heads { meeting, people }),
        1 => (0_u8..3).prop_map(|import| Change::Reverse { import }),
        4 => (person.clone(), prop::bool::weighted(0.4), import()).prop_map(|(person, late, import)| Change::Withdraw { person, late, import }),
        1 => person.clone().prop_map(|person| Change::Consent { person }),
        4 => prop::bool::weighted(0.3).prop_map(|revealing| Change::Reveal { revealing }),
        1 => prop::collection::vec(1_u64..13, 1..4).prop_map(|people| Change::Enrol { people }),
        1 => Just(Change::Enrol { people: Vec::new() }),
        1 => (meeting.clone(), person).prop_map(|(meeting, person)| Change::Ahead { meeting, person }),
        1 => meeting.prop_map(|meeting| Change::OfOtherCampaign { meeting }),
    ]
}

/// A warehouse that records are added to one after another.
pub struct History<'a> {
    warehouse: &'a TestWarehouse,
    world: World,
    /// Next offset of the two partitions of events, and of the roll.
    next: [u64; 3],
    attendances: Vec<Attendance>,
    withdrawals: Vec<(u64, String)>,
    revision: u64,
    pub now: Timestamp,
}

fn meeting_id(meeting: u8) -> String {
    format!("m{meeting}")
}

fn import_id(import: Option<u8>) -> Value {
    import.map_or(Value::Null, |import| format!("{IMPORT}{import}").into())
}

fn column(instant: Timestamp) -> String {
    instant.to_string().replace('T', " ").replace('Z', "")
}

/// Start of a meeting: one of sixteen days around those of the history.
fn day(day: u8) -> String {
    (at("2026-02-14T10:00:00Z") + (24 * i64::from(day)).hours()).to_string()
}

impl<'a> History<'a> {
    pub async fn start(warehouse: &'a TestWarehouse) -> Self {
        for table in
            ["log", "meeting_events", "attendance", "attendance_retractions", "reference_events", "consents", "roll_versions", "roll"]
        {
            warehouse.admin.query(&format!("TRUNCATE TABLE {table}")).execute().await.expect("an empty table");
        }
        let mut history = Self {
            warehouse,
            world: World::new(),
            next: [0; 3],
            attendances: Vec::new(),
            withdrawals: Vec::new(),
            revision: 1,
            now: at("2026-02-15T00:00:00Z"),
        };
        for event in history.world.events.clone() {
            history.store_event(event).await;
        }
        for (precinct, people) in [("A-1", vec![1, 2, 3, 4, 5]), ("A-2", vec![6, 7]), ("B-1", vec![8, 9, 10])] {
            history.enrol(precinct, &people).await;
        }
        for meeting in 0..2 {
            history.add(&Change::Hold { meeting, day: 0, for_staff: false }).await;
        }
        history
    }

    fn position(&mut self, partition: usize) -> Position {
        let position = events(partition as u64, self.next[partition]);
        self.next[partition] += 1;
        position
    }

    async fn log(&self, position: Position, kind: &str, received: &str, body: &Value) {
        self.log_of("test", position, json!({"type": kind, "received": received, "body": body.to_string()})).await;
    }

    async fn log_of(&self, campaign: &str, position: Position, columns: Value) {
        let mut row = record(position, columns);
        row["campaign"] = campaign.into();
        self.warehouse.insert("log", [row]).await;
    }

    /// Stores an event about a meeting or reference data.
    async fn store_event(&mut self, event: Value) {
        let position = self.position(0);
        self.warehouse.insert_events([(&event, position)]).await;
        let received = event["receivedtime"].as_str().expect("an instant").replace(['T', 'Z'], " ");
        self.log(position, event["type"].as_str().expect("a type"), received.trim(), &event).await;
    }

    /// Stores an event received now.
    async fn event(&mut self, kind: &str, data: Value, import: Option<u8>) {
        self.world.event(kind, data);
        let mut event = self.world.events[self.world.events.len() - 1].clone();
        event["receivedtime"] = self.now.to_string().into();
        if import.is_some() {
            event["import"] = import_id(import);
        }
        self.store_event(event).await;
    }

    async fn attendance(&mut self, number: usize, received: Timestamp, columns: Value) {
        let position = self.position(1);
        let mut row = attendance_row(number as u64, &self.attendances[number]);
        let place = record(position, json!({"received": column(received)}));
        for name in ["partition", "offset", "received"] {
            row[name] = place[name].clone();
        }
        columns.as_object().expect("columns").iter().for_each(|(name, value)| row[name] = value.clone());
        self.warehouse.insert("attendance", [row]).await;
        let body = json!({"data": {"meeting": self.attendances[number].meeting}});
        self.log(position, "qamtu.attendance.recorded.v1", &column(received), &body).await;
    }

    async fn attend(&mut self, meeting: u8, person: u64, strong: bool, received: Timestamp, import: Option<u8>) {
        let residence = if person.is_multiple_of(2) { Residence::Precinct("A-1") } else { Residence::Unstated };
        self.attendances.push(Attendance { meeting: meeting_id(meeting), person, strong, residence });
        self.attendance(self.attendances.len() - 1, received, json!({"import": import_id(import)})).await;
    }

    /// Person 3 attends a meeting with the same id in another campaign.
    async fn attend_another_campaign(&mut self, meeting: u8) {
        let position = self.position(1);
        let (hi, lo) = key(3);
        let columns = json!({"campaign": "other", "type": "qamtu.attendance.recorded.v1", "meeting_id": meeting_id(meeting), "person_hi": hi,
            "person_lo": lo, "strength": "strong", "residence_kind": "unknown", "residence": "", "adult": "unknown"});
        self.warehouse.insert("attendance", [fact(&attendance_id(1_000_000 + self.next[1]), position, columns)]).await;
        let body = json!({"data": {"meeting": meeting_id(meeting)}});
        self.log_of("other", position, json!({"type": "qamtu.attendance.recorded.v1", "body": body.to_string()})).await;
    }

    async fn consent(&mut self, person: u64, received: Timestamp, columns: Value) -> String {
        let position = self.position(1);
        let id = format!("00000000-0000-4000-8006-{:012x}", self.next[1]);
        let mut row = fact(&id, position, columns);
        let (hi, lo) = key(person);
        (row["person_hi"], row["person_lo"], row["received"]) = (hi.into(), lo.into(), column(received).into());
        let kind = format!("qamtu.consent.{}.v1", row["kind"].as_str().expect("a kind"));
        self.warehouse.insert("consents", [row]).await;
        self.log(position, &kind, &column(received), &json!({"data": {}})).await;
        id
    }

    async fn enrol(&mut self, precinct: &str, people: &[u64]) {
        self.next[2] += 1;
        let version = RollVersion { precinct, version: self.next[2] as u32, strength: "strong", offset: self.next[2] - 1 };
        self.warehouse.enrol(version, people).await;
    }

    pub async fn add(&mut self, change: &Change) {
        let now = self.now;
        match *change {
            Change::Attend { meeting, person, strong, import } => self.attend(meeting, person, strong, now, import).await,
            Change::Ahead { meeting, person } => self.attend(meeting, person, true, now + 30.hours(), None).await,
            Change::Replace { ref attendance, person } if !self.attendances.is_empty() => {
                let number = attendance.index(self.attendances.len());
                let (hi, lo) = key(person);
                let columns = json!({"person_hi": hi, "person_lo": lo, "bodyhash": "b".repeat(16)});
                self.attendance(number, at("2026-02-14T00:00:00Z"), columns).await;
            }
            Change::Retract { ref attendance, import } if !self.attendances.is_empty() => {
                let number = attendance.index(self.attendances.len());
                let meeting = self.attendances[number].meeting.clone();
                let data = json!({"meeting": meeting, "retracts": [attendance_id(number as u64)]});
                self.event("attendance.retracted", data, import).await;
            }
            Change::Replace { .. } | Change::Retract { .. } => {}
            Change::Plan { meeting, day } => {
                let data = json!({"meeting": meeting_id(meeting), "plan": World::place(&self::day(day))});
                self.event("meeting.planned", data, None).await;
            }
            Change::Hold { meeting, day, for_staff } => {
                let categories = if for_staff { ["YOUTH", "STAFF"] } else { ["YOUTH", "ELDER"] };
                let report = World::place_of("B", "R", &categories, &self::day(day));
                self.event("meeting.held", json!({"meeting": meeting_id(meeting), "report": report}), None).await;
            }
            Change::Cancel { meeting } => self.event("meeting.cancelled", json!({"meeting": meeting_id(meeting)}), None).await,
            Change::Heads { meeting, people } => {
                let counts = json!([{"counter": "1", "people": people}]);
                let data = json!({"meeting": meeting_id(meeting), "counts": counts, "nobody_eligible": people.is_multiple_of(4)});
                self.event("headcount.reported", data, None).await;
            }
            Change::Reverse { import } => self.event("import.reversed", json!({"import": import_id(Some(import))}), None).await,
            Change::Withdraw { person, late, import } => {
                let received = if late { now - 50.hours() } else { now };
                let id = self.consent(person, received, json!({"kind": "withdrawn", "import": import_id(import)})).await;
                self.withdrawals.push((person, id));
            }
            Change::Consent { person } => {
                let of_person = self.withdrawals.iter().filter(|(withdrawn, _)| *withdrawn == person);
                let superseded: Vec<String> = of_person.map(|(_, id)| id.clone()).collect();
                self.consent(person, now, json!({"kind": "given", "supersedes": superseded})).await;
            }
            Change::Reveal { revealing } => {
                self.revision += 1;
                let mut data = self.world.events[0]["data"].clone();
                data["revision"] = self.revision.into();
                data["categories"][1]["revealing"] = revealing.into();
                self.event("campaign.configured", data, None).await;
            }
            Change::Enrol { ref people } => self.enrol("A-2", people).await,
            Change::OfOtherCampaign { meeting } => self.attend_another_campaign(meeting).await,
        }
    }

    /// Everything below the offsets, as of now.
    pub fn selection(&self) -> Selection {
        let offset = |topic: &str, partition, next| Offset { topic: topic.to_owned(), partition, next };
        let offsets = vec![offset("events", 0, self.next[0]), offset("events", 1, self.next[1]), offset("roll", 0, self.next[2])];
        Selection { campaign: "test".parse().expect("a campaign"), offsets, as_of: self.now }
    }
}

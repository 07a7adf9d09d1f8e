//! A ClickHouse with the tables and views of `projector/tables`, created by the projector's own migration, and read with the login of
//! analytics, which may read the contract views only.
//!
//! Tests insert the rows of fact tables and of the log copy. Which record gives which rows is left to the tests of the projector.

use std::collections::BTreeMap;

use clickhouse::{Client, Compression};
use qamtu_analytics::{
    Coverage,
    compute::{self, FactsSource},
    config::ClickhouseConfig,
    facts::WarehouseReader,
    snapshot_identity::{Offset, Selection},
};
use qamtu_devstack::testing::{WarehouseLogin, WarehouseProgram};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::world::{Attendance, Residence, World, after, birth_band, key, sex};

/// Everything below this offset is stored, in both partitions of the events and in one of the roll.
pub const NEXT: u64 = 1_000_000;

/// A warehouse of one test.
pub struct TestWarehouse {
    /// The login of analytics.
    pub config: ClickhouseConfig,
    pub reader: WarehouseReader,
    pub admin: Client,
    _program: WarehouseProgram,
    _folder: tempfile::TempDir,
}

/// A client without the settings of [`WarehouseReader`].
pub fn client(config: &ClickhouseConfig) -> Client {
    Client::default()
        .with_url(&config.url)
        .with_user(&config.user)
        .with_password(config.password.expose_secret())
        .with_database(&config.database)
        .with_compression(Compression::None)
}

impl TestWarehouse {
    /// Starts a warehouse with empty tables.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = WarehouseProgram::start(&folder.path().join("warehouse"), &[]).expect("the warehouse starts");
        let login = |role: &str| {
            let WarehouseLogin { url, user, password } = program.login(role).expect("a login");
            ClickhouseConfig { url, user, password: password.into(), database: "qamtu".to_owned() }
        };
        let (admin, config) = (client(&login("admin")), login("analytics"));
        qamtu_projector::migrate::migrate(&admin).await.expect("tables and views");
        Self { reader: WarehouseReader::new(&config), config, admin, _program: program, _folder: folder }
    }

    pub async fn insert(&self, table: &str, rows: impl IntoIterator<Item = Value>) {
        let rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
        if !rows.is_empty() {
            let sql = format!("INSERT INTO {table} FORMAT JSONEachRow {}", rows.join("\n"));
            self.admin.query_raw(&sql).execute().await.expect("rows");
        }
    }

    /// Inserts the rows of events about meetings and reference data, with their positions.
    pub async fn insert_events<'a>(&self, records: impl IntoIterator<Item = (&'a Value, Position)>) {
        let mut tables: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (event, position) in records {
            let data = &event["data"];
            let received = event["receivedtime"].as_str().expect("an instant").replace(['T', 'Z'], " ");
            let columns = json!({"campaign": event["campaign"], "type": event["type"], "received": received.trim(), "import": event["import"],
                "body": event.to_string()});
            let mut row = fact(event["id"].as_str().expect("an id"), position, columns);
            let Some(meeting) = data["meeting"].as_str() else {
                row["subject"] = data["import"].as_str().unwrap_or("A-1").into();
                tables.entry("reference_events").or_default().push(row);
                continue;
            };
            row["meeting_id"] = meeting.into();
            let retracted = data["retracts"].as_array().into_iter().flatten().map(|retracted| {
                json!({"campaign": "test", "meeting_id": meeting, "retracted_id": retracted, "event_id": event["id"], "bodyhash": BODY_HASH})
            });
            tables.entry("attendance_retractions").or_default().extend(retracted);
            tables.entry("meeting_events").or_default().push(row);
        }
        for (table, rows) in tables {
            self.insert(table, rows).await;
        }
    }

    /// Inserts the rows of a campaign, split over two partitions.
    pub async fn store(&self, world: &World) {
        let positions = (0_u64..).map(|number| events(number % 2, number / 2));
        self.insert_events(world.events.iter().zip(positions)).await;
        self.insert("attendance", world.attendances.iter().zip(0..).map(|(attendance, number)| attendance_row(number, attendance))).await;
        let mut voters: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        world.roll.iter().for_each(|(person, precinct)| voters.entry(precinct).or_default().push(*person));
        for ((precinct, voters), offset) in voters.iter().zip(0..) {
            self.enrol(RollVersion { precinct, version: 1, strength: "strong", offset }, voters).await;
        }
        // The log itself has nothing before the last record, so no record is missing. It is rejected, so it has no time of receipt.
        let last = [events(0, NEXT - 1), events(1, NEXT - 1), roll(0, NEXT - 1)];
        let last = last.map(|position| record(position, json!({"campaign": "", "status": "rejected", "skipped": NEXT - 1})));
        self.insert("log", last).await;
    }

    pub async fn enrol(&self, version: RollVersion<'_>, voters: &[u64]) {
        let RollVersion { precinct, version, strength, offset } = version;
        let id = format!("00000000-0000-4000-8004-{version:04x}{offset:08x}");
        let columns = json!({"type": "qamtu.precinct.enrolled.v1", "precinct": precinct, "version": version,
            "strength": strength, "voters": voters.len()});
        let rows = voters.iter().map(|person| {
            let (hi, lo) = key(*person);
            json!({"campaign": "test", "precinct": precinct, "version": version, "event_id": id, "bodyhash": BODY_HASH, "person_hi": hi,
                "person_lo": lo, "birth_band": birth_band(*person), "sex": sex(*person)})
        });
        self.insert("roll", rows).await;
        self.insert("roll_versions", [fact(&id, roll(0, offset), columns)]).await;
    }

    /// Reads everything from the warehouse.
    pub fn source(&self) -> FactsSource {
        FactsSource { warehouse: self.reader.clone(), dir: None, saves: false }
    }

    /// The coverage of everything below the offsets, after the vote.
    pub async fn coverage(&self) -> Coverage {
        let selection = self.selection().await;
        compute::coverage(&self.source(), selection).await.expect("a coverage")
    }

    /// Selects everything below the offsets, after the vote.
    pub async fn selection(&self) -> Selection {
        let offsets = self.reader.contiguous_offsets().await.expect("offsets");
        Selection { campaign: "test".parse().expect("a campaign"), offsets, as_of: after() }
    }
}

/// A version of a precinct's roll, at an offset of the roll's only partition.
pub struct RollVersion<'a> {
    pub precinct: &'a str,
    pub version: u32,
    pub strength: &'a str,
    pub offset: u64,
}

/// Position of a record in the log.
#[derive(Clone, Copy)]
pub struct Position {
    topic: &'static str,
    partition: u64,
    offset: u64,
}

pub fn events(partition: u64, offset: u64) -> Position {
    Position { topic: "events", partition, offset }
}

pub fn roll(partition: u64, offset: u64) -> Position {
    Position { topic: "roll", partition, offset }
}

const BODY_HASH: &str = "aaaaaaaaaaaaaaaa";

fn with(mut row: Value, columns: Value) -> Value {
    let Value::Object(columns) = columns else { panic!("columns are an object") };
    row.as_object_mut().expect("a row").extend(columns);
    row
}

/// A row of a fact table: an event of the campaign, received on the first day unless the columns say otherwise.
pub fn fact(event_id: &str, Position { topic, partition, offset }: Position, columns: Value) -> Value {
    let row = json!({"topic": topic, "partition": partition, "offset": offset, "campaign": "test", "event_id": event_id,
        "bodyhash": BODY_HASH, "received": "2026-02-13 00:00:00"});
    with(row, columns)
}

/// A row of the log copy: a record of the campaign, received on the first day unless the columns say otherwise.
pub fn record(Position { topic, partition, offset }: Position, columns: Value) -> Value {
    let row = json!({"topic": topic, "partition": partition, "offset": offset, "campaign": "test", "status": "event",
        "received": "2026-02-13 00:00:00"});
    with(row, columns)
}

/// Event id of the attendance with this number in a campaign.
pub fn attendance_id(number: u64) -> String {
    format!("00000000-0000-4000-8001-{number:012x}")
}

/// The row of an attendance, with the simplest statement that amounts to its residence.
pub fn attendance_row(number: u64, attendance: &Attendance) -> Value {
    let (hi, lo) = key(attendance.person);
    let (kind, residence, adult) = match attendance.residence {
        Residence::Precinct(precinct) => ("precinct", precinct, "yes"),
        Residence::Unit(unit) => ("unit", unit, "yes"),
        Residence::Outside => ("outside", "", "unknown"),
        Residence::Unstated => ("unknown", "", "unknown"),
    };
    let columns = json!({"type": "qamtu.attendance.recorded.v1", "meeting_id": attendance.meeting, "person_hi": hi, "person_lo": lo,
        "strength": if attendance.strong { "strong" } else { "weak" }, "residence_kind": kind, "residence": residence, "adult": adult});
    fact(&attendance_id(number), events(number % 2, 1_000 + number), columns)
}

/// The coverage of a campaign that [`TestWarehouse::store`] has stored: that of the campaign in memory, with what only the warehouse knows.
pub fn expected(world: &World) -> Coverage {
    let mut expected = world.coverage(after());
    expected.counts.events = (world.events.len() + world.attendances.len()) as u64;
    let offset = |topic: &str, partition| Offset { topic: topic.to_owned(), partition, next: NEXT };
    expected.counts.rejected = 3;
    expected.identity.offsets = vec![offset("events", 0), offset("events", 1), offset("roll", 0)];
    expected
}

/// Four meetings of two units and coalitions, with lists, a headcount, and attendance at meetings that nobody reported.
pub fn world() -> World {
    let mut world = World::new();
    for (meeting, unit, coalition) in [("m1", "A", "CA"), ("m2", "B", "R"), ("m3", "B", "CA"), ("m4", "A", "R")] {
        let place = World::place_of(unit, coalition, &["STAFF", "YOUTH"], "2026-02-24T10:00:00Z");
        world.planned(meeting, place.clone());
        if meeting != "m4" {
            world.held(meeting, place);
        }
    }
    world.heads("m2", &[12, 9], Some(5));
    world.strong("m3", [1, 2, 9, 50, 9]);
    world.strong("m1", [1, 2, 6]);
    world.strong("m4", [3, 4]);
    world.weak("m1", [70, 70, 71]);
    world.strong("a-meeting-nobody-reported", [1, 8]);
    world.strong("z-another-one", [5]);
    world
}

//! A real ClickHouse with tables in the shape of the contract views: its figures equal those of a campaign built in memory.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use clickhouse::Client;
use jiff::Timestamp;
use qamtu_analytics::{
    AnalyticsError, Coverage, SnapshotStore,
    compute::{self, compute},
    config::ClickHouse,
    facts::{Receipts, Totals, Warehouse},
    identity::{Offset, Selection},
};
use serde_json::{Value, json};

use crate::{
    program::computes,
    world::{World, after, at, key},
};

/// Databases that the analytics user may read.
const DATABASES: &str = "with_a_roll without_a_roll with_half_a_roll beyond_the_offsets reversed_imports an_instant_of_the_past odd_records \
                         many_batches counts wrong_shapes nothing_there";

#[path = "instants.rs"]
mod instants;

/// A warehouse process that runs until its standard input closes.
struct Server {
    ready: Value,
    child: Child,
    input: Option<ChildStdin>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Path::new(env!("CARGO_BIN_EXE_qamtu-analytics")).with_file_name("qamtu");
        assert!(program.exists(), "{} is missing: build it with `cargo build --release -p qamtu`", program.display());
        let mut child = Command::new(program)
            .args(["warehouse", "--dir"])
            .arg(folder.path())
            .args(DATABASES.split(' ').flat_map(|name| ["--database", name]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the warehouse starts");
        let input = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).expect("one JSON line");
        Self { ready, child, input, _folder: folder }
    }

    /// Connection settings of a role for a database.
    fn config(&self, role: &str, database: &str) -> ClickHouse {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let login = &self.ready["logins"][role];
        ClickHouse {
            url: text(&self.ready["url"]),
            user: text(&login["user"]),
            password: text(&login["password"]).into(),
            database: database.to_owned(),
        }
    }

    fn admin(&self, database: &str) -> Client {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let login = &self.ready["logins"]["admin"];
        Client::default()
            .with_url(text(&self.ready["url"]))
            .with_user(text(&login["user"]))
            .with_password(text(&login["password"]))
            .with_database(database)
    }

    /// Creates a database with empty tables instead of the views.
    async fn database(&self, name: &str) -> Views {
        self.admin("default").query(&format!("CREATE DATABASE {name}")).execute().await.expect("a database");
        let views = Views { client: self.admin(name), warehouse: Warehouse::new(&self.config("analytics", name)) };
        for (view, columns) in VIEWS {
            let order = columns.split(' ').next().expect("a column");
            let sql = format!("CREATE TABLE {view} ({columns}) ENGINE = MergeTree ORDER BY {order}");
            views.client.query(&sql).execute().await.expect("a table");
        }
        views
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        self.child.wait().expect("the warehouse stops with its input");
    }
}

const VIEWS: [(&str, &str); 15] = [
    ("v_watermark", "topic LowCardinality(String), partition UInt32, next_offset UInt64"),
    (
        "v_meeting_events",
        "campaign LowCardinality(String), meeting_id LowCardinality(String), event_id UUID, received DateTime64(6), import Nullable(UUID), \
         type LowCardinality(String), body String, partition UInt32, offset UInt64",
    ),
    (
        "v_attendance_events",
        "campaign LowCardinality(String), meeting_id LowCardinality(String), event_id UUID, person_hi UInt64, person_lo UInt64, \
         strength UInt8, residence_kind Enum8('unknown' = 1, 'outside' = 2, 'unit' = 3, 'precinct' = 4), \
         residence LowCardinality(String), adult Enum8('unknown' = 1, 'yes' = 2, 'no' = 3), import Nullable(UUID), \
         received DateTime64(6), partition UInt32, offset UInt64",
    ),
    (
        "v_attendance_retractions",
        "campaign LowCardinality(String), meeting_id LowCardinality(String), retracted_id UUID, import Nullable(UUID), \
         received DateTime64(6), partition UInt32, offset UInt64",
    ),
    ("v_reversed_imports", "campaign LowCardinality(String), import UUID, received DateTime64(6), partition UInt32, offset UInt64"),
    (
        "v_consents",
        "campaign LowCardinality(String), person_hi UInt64, person_lo UInt64, event_id UUID, \
         kind Enum8('given' = 1, 'withdrawn' = 2), supersedes Array(UUID), import Nullable(UUID), received DateTime64(6), \
         partition UInt32, offset UInt64",
    ),
    (
        "v_references",
        "campaign LowCardinality(String), meeting_id String, event_id UUID, named UUID, import Nullable(UUID), received DateTime64(6), \
         resolved Nullable(DateTime64(6)), partition UInt32, offset UInt64",
    ),
    ("v_lookalike_meetings", "campaign LowCardinality(String), meeting_id String, looks_like String, first_received DateTime64(6)"),
    (
        "v_reference_events",
        "campaign LowCardinality(String), event_id UUID, received DateTime64(6), type LowCardinality(String), body String, \
         partition UInt32, offset UInt64",
    ),
    (
        "v_roll_versions",
        "campaign LowCardinality(String), precinct LowCardinality(String), version UInt32, event_id UUID, strength UInt8, \
         received DateTime64(6), partition UInt32, offset UInt64",
    ),
    (
        "v_roll",
        "campaign LowCardinality(String), precinct LowCardinality(String), version UInt32, event_id UUID, person_hi UInt64, \
         person_lo UInt64, birth_band UInt16, sex Enum8('f' = 1, 'm' = 2, 'u' = 3)",
    ),
    (
        "v_rejected",
        "topic LowCardinality(String), partition UInt32, offset UInt64, appended DateTime64(3), reason LowCardinality(String), excerpt String",
    ),
    (
        "v_conflicts",
        "campaign LowCardinality(String), event_id UUID, bodies UInt64, places Array(Tuple(LowCardinality(String), UInt32, UInt64, DateTime64(6)))",
    ),
    (
        "v_other_events",
        "campaign LowCardinality(String), type LowCardinality(String), received DateTime64(6), partition UInt32, offset UInt64",
    ),
    (
        "v_records",
        "topic LowCardinality(String), partition UInt32, offset UInt64, campaign LowCardinality(String), received DateTime64(6), \
         appended DateTime64(3)",
    ),
];

/// The views of one database.
struct Views {
    client: Client,
    warehouse: Warehouse,
}

impl Views {
    async fn insert(&self, view: &str, rows: impl IntoIterator<Item = Value>) {
        let rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
        if !rows.is_empty() {
            let sql = format!("INSERT INTO {view} FORMAT JSONEachRow {}", rows.join("\n"));
            self.client.query_raw(&sql).execute().await.expect("rows");
        }
    }

    /// Inserts all records of a campaign, split over two partitions.
    async fn fill(&self, world: &World) {
        let (mut meeting, mut reference) = (Vec::new(), Vec::new());
        for (event, offset) in world.events.iter().zip(0_u64..) {
            let mut row = json!({"campaign": "test", "event_id": event["id"], "received": "2026-02-13 00:00:00", "type": event["type"],
                "body": event.to_string(), "partition": offset % 2, "offset": offset / 2});
            match event["data"]["meeting"].as_str() {
                Some(id) => {
                    row["meeting_id"] = id.into();
                    meeting.push(row);
                }
                None => reference.push(row),
            }
        }
        self.insert("v_meeting_events", meeting).await;
        self.insert("v_reference_events", reference).await;
        let attendance = world.attendances.iter().zip(0_u64..).map(|(attendance, offset)| {
            let (hi, lo) = key(attendance.person);
            let (kind, residence, adult) = match attendance.stated_residence.as_deref().map(|home| home.split_at(1)) {
                Some(("p", precinct)) => ("precinct", precinct, "yes"),
                Some(("P", precinct)) => ("precinct", precinct, "unknown"),
                Some(("u", unit)) => ("unit", unit, "yes"),
                Some(("U", unit)) => ("unit", unit, "unknown"),
                Some(_) if offset % 2 == 0 => ("precinct", "A-1", "no"),
                Some(_) => ("outside", "", "unknown"),
                None => ("unknown", "", "yes"),
            };
            json!({"campaign": "test", "meeting_id": attendance.meeting, "event_id": format!("00000000-0000-4000-8001-{offset:012x}"),
                "person_hi": hi, "person_lo": lo, "strength": if attendance.strong { 1 } else { 2 }, "residence_kind": kind,
                "residence": residence, "adult": adult, "partition": offset % 2, "offset": 1000 + offset})
        });
        self.insert("v_attendance_events", attendance).await;
        let mut precincts: Vec<&str> = world.roll.iter().map(|(_, precinct)| *precinct).collect();
        precincts.sort_unstable();
        precincts.dedup();
        for (precinct, offset) in precincts.into_iter().zip(0_u64..) {
            let voters: Vec<u64> = world.roll.iter().filter(|(_, home)| *home == precinct).map(|(person, _)| *person).collect();
            self.enrol(precinct, (1, 1, offset), &voters).await;
        }
        let watermark = [("events", 0, 5000), ("events", 1, 5000), ("roll", 0, 5000)];
        let rows = watermark.map(|(topic, partition, next)| json!({"topic": topic, "partition": partition, "next_offset": next}));
        self.insert("v_watermark", rows).await;
    }

    /// A version of a precinct's roll: its number, strength and offset.
    async fn enrol(&self, precinct: &str, (version, strength, offset): (u32, u8, u64), voters: &[u64]) {
        let id = format!("00000000-0000-4000-8004-{version:04x}{offset:08x}");
        let row = json!({"campaign": "test", "precinct": precinct, "version": version, "event_id": id, "strength": strength,
            "partition": 0, "offset": offset});
        self.insert("v_roll_versions", [row]).await;
        let rows = voters.iter().map(|person| {
            let (hi, lo) = key(*person);
            json!({"campaign": "test", "precinct": precinct, "version": version, "event_id": id, "person_hi": hi, "person_lo": lo,
                "birth_band": 1980, "sex": "u"})
        });
        self.insert("v_roll", rows).await;
    }

    async fn coverage(&self) -> Coverage {
        let offsets = self.warehouse.offsets().await.expect("offsets");
        compute::coverage(&self.warehouse, selection(offsets)).await.expect("a coverage")
    }
}

/// Selects all records below some offsets, after the vote.
fn selection(offsets: Vec<Offset>) -> Selection {
    Selection { campaign: "test".parse().expect("a campaign"), offsets, as_of: after() }
}

/// The coverage of the campaign, with the offsets and event counts that the warehouse adds.
fn expected(world: &World, coverage: &Coverage) -> Coverage {
    let mut expected = world.coverage(after());
    expected.counts.events = world.attendances.len() as u64;
    expected.identity.offsets.clone_from(&coverage.identity.offsets);
    expected.quality.newest_record = coverage.quality.newest_record;
    expected
}

fn world() -> World {
    let mut world = World::new();
    for (meeting, unit, coalition) in [("m1", "A", "CA"), ("m2", "B", "R"), ("m3", "B", "CA"), ("m4", "A", "R")] {
        let place = World::place_of((unit, coalition), &["STAFF", "YOUTH"], "2026-02-24T10:00:00Z");
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

#[tokio::test(flavor = "multi_thread")]
async fn what_the_warehouse_gives_is_what_the_campaign_has() {
    let server = Server::start();
    with_a_roll(server.database("with_a_roll").await).await;
    without_a_whole_roll(server.database("without_a_roll").await, &[]).await;
    without_a_whole_roll(server.database("with_half_a_roll").await, &["B-1"]).await;
    beyond_the_offsets(server.database("beyond_the_offsets").await).await;
    reversed_imports(server.database("reversed_imports").await).await;
    instants::an_instant_of_the_past(server.database("an_instant_of_the_past").await).await;
    instants::odd_records(server.database("odd_records").await).await;
    many_batches(server.database("many_batches").await).await;
    counts_and_snapshots(&server, server.database("counts").await).await;
    wrong_shapes(&server, server.database("wrong_shapes").await).await;
    nothing_there(server.database("nothing_there").await).await;
}

async fn with_a_roll(views: Views) {
    let world = world();
    views.fill(&world).await;
    let coverage = views.coverage().await;
    assert_eq!(coverage, expected(&world, &coverage));
    assert_eq!(coverage.region.slice.audience.reach.reached, 4);
    let offset = |topic: &str, partition| Offset { topic: topic.to_owned(), partition, next: 5000 };
    assert_eq!(coverage.identity.offsets, [offset("events", 0), offset("events", 1), offset("roll", 0)]);
    assert_eq!(serde_json::to_vec(&coverage).expect("bytes"), serde_json::to_vec(&views.coverage().await).expect("bytes"));
}

async fn without_a_whole_roll(views: Views, enrolled: &[&str]) {
    let mut world = world();
    world.roll.retain(|(_, home)| enrolled.contains(home));
    for (attendance, home) in world.attendances.iter_mut().zip(["pA-2", "uB", "pX-9", "uX", "PA-1", "x", "UA", "x", "PX-9"].iter().cycle())
    {
        attendance.stated_residence = (attendance.person != 2).then(|| (*home).to_owned());
    }
    views.fill(&world).await;
    let coverage = views.coverage().await;
    assert_eq!(coverage, expected(&world, &coverage));
    assert!(coverage.region.slice.audience.reach.reached > 0);
}

/// Records at or above the offsets do not count, whatever else the views contain.
async fn beyond_the_offsets(views: Views) {
    let world = world();
    views.fill(&world).await;
    let before = views.coverage().await;
    let mut more = world.clone();
    more.held("m9", World::place("2026-02-24T10:00:00Z"));
    let body = &more.events[world.events.len()];
    views
        .insert(
            "v_meeting_events",
            [json!({"campaign": "test", "meeting_id": "m9", "event_id": body["id"], "type": body["type"], "body": body.to_string(),
                "partition": 0, "offset": 5000})],
        )
        .await;
    let (hi, lo) = key(3);
    for (partition, offset) in [(1, 5000), (2, 0)] {
        let row = json!({"campaign": "test", "meeting_id": "m1", "person_hi": hi, "person_lo": lo, "strength": 1, "residence_kind": "unknown",
            "adult": "unknown", "partition": partition, "offset": offset});
        views.insert("v_attendance_events", [row]).await;
    }
    // A version that is not known yet hides nothing, and an older one is hidden.
    views.enrol("A-1", (2, 1, 5000), &[77]).await;
    views.enrol("A-1", (0, 1, 100), &[78]).await;
    // Another campaign and a weak roll never mix in.
    views
        .insert("v_attendance_events", [json!({"campaign": "other", "meeting_id": "m1", "person_hi": hi, "person_lo": lo, "strength": 1})])
        .await;
    views.enrol("A-9", (1, 2, 101), &[79]).await;
    assert_eq!(views.coverage().await, before);
}

/// Events of a reversed import do not make a meeting known.
async fn reversed_imports(views: Views) {
    let mut world = world();
    views.fill(&world).await;
    let before = views.coverage().await;
    let import = "00000000-0000-4000-8002-000000000001";
    world.event("import.reversed", json!({"import": import}));
    world.held("m9", World::place("2026-02-24T10:00:00Z"));
    let reversed = json!({"campaign": "test", "import": import});
    views.insert("v_reversed_imports", [reversed]).await;
    let (hi, lo) = key(3);
    // Neither does an attendance of that import.
    let attendance = json!({"campaign": "test", "meeting_id": "m1", "event_id": "00000000-0000-4000-8001-0000000000ff", "person_hi": hi, "person_lo": lo,
        "strength": 1, "residence_kind": "unknown", "adult": "unknown", "import": import});
    views.insert("v_attendance_events", [attendance]).await;
    let [.., reversal, held] = &mut world.events[..] else { panic!("two events") };
    held["import"] = import.into();
    let row = |event: &Value| json!({"campaign": "test", "event_id": event["id"], "type": event["type"], "body": event.to_string()});
    let mut meeting = row(held);
    meeting["meeting_id"] = "m9".into();
    views.insert("v_reference_events", [row(reversal)]).await;
    views.insert("v_meeting_events", [meeting]).await;
    let mut after = views.coverage().await;
    after.counts.events -= 1;
    assert_eq!(after, before);
}

/// More rows than one Arrow batch holds, so that meetings are split over batches.
async fn many_batches(views: Views) {
    let mut world = World::new();
    world.roll = (1..=40_000).map(|person| (person, ["A-1", "A-2", "B-1"][(person % 3) as usize])).collect();
    for number in 0..25 {
        let meeting = format!("m{number:02}");
        world.held(&meeting, World::place("2026-02-24T10:00:00Z"));
        world.strong(&meeting, (0..9_000).map(|seat| 1 + (seat * 7 + number * 1009) % 50_000));
    }
    views.fill(&world).await;
    let raise = "ALTER TABLE v_watermark UPDATE next_offset = 1000000 WHERE 1 SETTINGS mutations_sync = 1";
    views.client.query(raise).execute().await.expect("higher offsets");
    let coverage = views.coverage().await;
    assert_eq!(coverage, expected(&world, &coverage));
    assert_eq!(coverage.region.slice.audience.identified, 225_000);
}

async fn counts_and_snapshots(server: &Server, views: Views) {
    let world = world();
    views.fill(&world).await;
    let kinds = [
        ("test", "qamtu.precinct.enrolled.v1", (0, 3)),
        ("other", "qamtu.meeting.held.v1", (0, 4)),
        ("test", "qamtu.headcount.reported.v1", (1, 5000)),
        ("test", "qamtu.headcount.reported.v1", (2, 0)),
        ("test", "qamtu.headcount.reported.v1", (1, 4999)),
    ];
    let held = (10..26).map(|offset| ("test", "qamtu.meeting.held.v1", (0, offset)));
    let events = kinds
        .into_iter()
        .chain(held)
        .map(|(campaign, kind, (partition, offset))| json!({"campaign": campaign, "type": kind, "partition": partition, "offset": offset}));
    views.insert("v_other_events", events).await;
    let records = [
        ("test", ("roll", 0, 3), "2026-02-27 00:00:00"),
        ("other", ("events", 0, 4), "2026-03-01 00:00:00"),
        ("test", ("events", 1, 5000), "2026-03-01 00:00:00"),
        ("test", ("events", 2, 0), "2026-03-01 00:00:00"),
        ("test", ("events", 1, 4999), "2026-02-25 11:30:00.25"),
        ("test", ("events", 0, 10), "2026-02-24 10:00:00.000001"),
    ];
    let records = records.map(|(campaign, (topic, partition, offset), received)| {
        json!({"campaign": campaign, "topic": topic, "partition": partition, "offset": offset, "received": received})
    });
    views.insert("v_records", records).await;
    // An attendance that was taken back is an event and nothing else.
    let (hi, lo) = key(7);
    let taken_back = json!({"campaign": "test", "meeting_id": "taken-back", "person_hi": hi, "person_lo": lo, "strength": 1,
        "residence_kind": "unknown", "adult": "unknown", "partition": 0, "offset": 4998, "event_id": "00000000-0000-4000-8001-0000000000fe"});
    views.insert("v_attendance_events", [taken_back]).await;
    let retraction = json!({"campaign": "test", "meeting_id": "taken-back", "retracted_id": "00000000-0000-4000-8001-0000000000fe",
        "partition": 0, "offset": 4999});
    views.insert("v_attendance_retractions", [retraction]).await;
    // Two below the offsets of their topics, one above, one of a partition that nobody read.
    let places = [("events", 0, 17), ("roll", 0, 4999), ("events", 1, 5000), ("roll", 1, 0)];
    views
        .insert("v_rejected", places.map(|(topic, partition, offset)| json!({"topic": topic, "partition": partition, "offset": offset})))
        .await;
    // Of the last one, a body is not known yet.
    let conflicts = [("test", 4999), ("other", 4999), ("test", 5000)].map(|(campaign, offset)| {
        let places = json!([["events", 0, 17, "2026-02-13 00:00:00"], ["events", 1, offset, "2026-02-13 00:00:00"]]);
        json!({"campaign": campaign, "event_id": "00000000-0000-4000-8003-000000000001", "bodies": 2, "places": places})
    });
    views.insert("v_conflicts", conflicts).await;
    let campaign = "test".parse().expect("a campaign");
    let offsets = views.warehouse.offsets().await.expect("offsets");
    let facts = views.warehouse.facts(selection(offsets.clone())).await.expect("facts");
    assert_eq!(facts.totals, Totals { events: 17, rejected: 2, conflicts: 1 });
    // The newest event, the roll's apart, is the default as-of instant of a simulated clock.
    let newest = Some(at("2026-02-25T11:30:00.25Z"));
    assert_eq!(facts.quality.newest_record, newest);
    let receipts = views.warehouse.receipts(&campaign, &offsets, Timestamp::now()).await.expect("receipts");
    assert_eq!(receipts, Receipts { newest, newest_past: newest });
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let first = compute(&views.warehouse, &mut snapshots, (&campaign, None)).await.expect("a snapshot");
    assert_eq!(first.coverage.identity.as_of, at("2026-02-25T11:30:00.25Z"));
    assert_eq!(first.coverage.counts.events, 17 + world.attendances.len() as u64 + 1);
    assert_eq!(first.coverage.counts.meetings_known, world.coverage(after()).counts.meetings_known);
    assert_eq!(compute(&views.warehouse, &mut snapshots, (&campaign, None)).await.expect("a snapshot"), first);
    let later = compute(&views.warehouse, &mut snapshots, (&campaign, Some(after()))).await.expect("a snapshot");
    computes(&server.config("analytics", "counts"), &later);
    assert_eq!(snapshots.latest(&campaign, Timestamp::now()).expect("read"), Some(later));
}

/// A view with unexpected columns is an error that names it.
async fn wrong_shapes(server: &Server, views: Views) {
    views.fill(&world()).await;
    let offsets = views.warehouse.offsets().await.expect("offsets");
    let admin = |sql: &'static str| views.client.query(sql).execute();
    admin("ALTER TABLE v_attendance_events DROP COLUMN person_lo SETTINGS mutations_sync = 1").await.expect("a column less");
    let refused = compute::coverage(&views.warehouse, selection(offsets.clone())).await;
    assert!(matches!(refused, Err(AnalyticsError::Warehouse { what: "attendance", .. })), "{refused:?}");
    views.insert("v_meeting_events", [json!({"campaign": "test", "meeting_id": "m9", "body": "{}"})]).await;
    let refused = views.warehouse.facts(selection(offsets)).await;
    assert!(matches!(refused, Err(AnalyticsError::Event { view: "v_meeting_events", .. })), "{refused:?}");
    // And this service cannot write, whatever it is asked.
    let config = server.config("analytics", "wrong_shapes");
    let reader = Client::default()
        .with_url(config.url)
        .with_user(config.user)
        .with_password(secrecy::ExposeSecret::expose_secret(&config.password))
        .with_database("wrong_shapes");
    assert!(reader.query("TRUNCATE TABLE v_roll").execute().await.is_err());
}

async fn nothing_there(views: Views) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let refused = compute(&views.warehouse, &mut snapshots, (&"test".parse().expect("a campaign"), Some(after()))).await;
    assert!(matches!(refused, Err(AnalyticsError::UnknownCampaign { known, .. }) if known.is_empty()));
}

//! Snapshots: ids, immutable bytes, and the files that are written from them.

use std::path::Path;

use jiff::Timestamp;
use qamtu_analytics::{
    Coverage, SnapshotId, SnapshotStore,
    access::Role,
    csv,
    release_control::{release, release_latest},
    snapshot_identity::{Offset, SnapshotIdentity},
    snapshot_store::Stored,
};

use crate::world::{World, after, at};

/// A campaign of one meeting.
pub fn world() -> World {
    let mut world = World::new();
    world.planned("m1", World::place("2026-02-16T10:00:00Z"));
    world.held("m1", World::place("2026-02-16T10:00:00Z"));
    world.strong("m1", [1, 2, 6, 50]);
    world.heads("m1", &[9], None);
    world
}

/// What the server's clock shows.
fn now() -> Timestamp {
    at("2026-11-26T00:00:00Z")
}

fn coverage() -> Coverage {
    world().coverage(after())
}

#[test]
fn computing_again_gives_the_same_bytes_and_stores_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let (first, stored) = snapshots.save(coverage()).expect("kept");
    assert_eq!(stored, Stored::New);
    let (again, stored) = snapshots.save(coverage()).expect("kept");
    assert_eq!((stored, &again), (Stored::Same, &first));
    assert_eq!(snapshots.get(first.id).expect("read").as_ref(), Some(&first));
}

#[test]
fn stored_bytes_stay_when_a_calculation_comes_out_differently() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let (first, _) = snapshots.save(coverage()).expect("kept");
    let bytes = snapshots.bytes(first.id).expect("read");
    let mut other = world();
    other.strong("m1", [3]);
    let (kept, stored) = snapshots.save(other.coverage(after())).expect("kept");
    assert_eq!((stored, kept), (Stored::Differs, first.clone()));
    assert_eq!(snapshots.bytes(first.id).expect("read"), bytes);
}

#[test]
fn a_snapshot_ahead_of_the_clock_is_never_the_latest_while_there_is_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let campaign = "test".parse().expect("a campaign");
    let (ahead, _) = snapshots.save(world().coverage(at("2027-12-31T00:00:00Z"))).expect("kept");
    assert_eq!(snapshots.latest(&campaign, now()).expect("read"), Some(ahead.clone()), "all of the campaign may be simulated ahead");
    let (present, _) = snapshots.save(coverage()).expect("kept");
    let (past, _) = snapshots.save(world().coverage(at("2026-02-20T00:00:00Z"))).expect("kept");
    assert_eq!(snapshots.latest(&campaign, now()).expect("read"), Some(present));
    assert_eq!(snapshots.latest(&campaign, at("2026-03-01T00:00:00Z")).expect("read"), Some(past));
    assert_eq!(snapshots.latest(&campaign, at("2028-01-01T00:00:00Z")).expect("read"), Some(ahead));
}

#[test]
fn of_two_snapshots_of_one_instant_the_one_that_knows_more_is_the_latest() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let campaign = "test".parse().expect("a campaign");
    let mut read_to = |next| {
        let mut coverage = coverage();
        coverage.identity.offsets.push(Offset { topic: "events".to_owned(), partition: 0, next });
        snapshots.save(coverage).expect("kept").0
    };
    let (more, less) = (read_to(9), read_to(7));
    assert_ne!(more.id, less.id);
    assert_eq!(snapshots.latest(&campaign, now()).expect("read"), Some(more));
}

#[test]
fn snapshots_are_closed_to_everybody_but_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("data").join("analytics");
    SnapshotStore::open(&own).expect("snapshots").save(coverage()).expect("kept");
    assert_eq!(mode(&own), 0o700);
    let files = || std::fs::read_dir(&own).expect("files").map(|file| file.expect("a file").path());
    assert!(files().count() > 0 && files().all(|file| mode(&file) == 0o600), "{:?}", files().collect::<Vec<_>>());
    // Those of an earlier version are closed.
    let file = own.join("analytics.sqlite");
    set(&file, 0o644);
    set(&own, 0o755);
    SnapshotStore::open(&own).expect("snapshots");
    assert_eq!((mode(&file), mode(&own)), (0o600, 0o700));
    // A folder with other files may be shared, so it is refused and left alone.
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).expect("a folder");
    std::fs::write(shared.join("notes.txt"), "").expect("a file");
    set(&shared, 0o755);
    let refused = SnapshotStore::open(&shared).expect_err("a folder that others can enter").to_string();
    assert!(refused.contains("chmod 700") && refused.contains("0755"), "{refused}");
    assert_eq!((mode(&shared), shared.join("analytics.sqlite").exists()), (0o755, false));
}

#[test]
fn what_was_shown_is_compared_with_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let people = |count: u64| {
        let mut world = World::new();
        world.roll.extend((11..=90).map(|person| (person, "B-1")));
        world.held("m1", World::place("2026-02-16T10:00:00Z"));
        world.strong("m1", 1..=count);
        world.coverage(after())
    };
    let offer = |count: u64, next: u64| {
        let mut coverage = people(count);
        coverage.identity.offsets.push(Offset { topic: "events".to_owned(), partition: 0, next });
        let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
        let (snapshot, _) = snapshots.save(coverage).expect("kept");
        (release(&mut snapshots, Role::Leader, &snapshot).expect("an answer"), snapshot)
    };
    let (shown, first) = offer(40, 40);
    assert!(shown);
    let (shown, second) = offer(41, 41);
    assert!(!shown, "one more person");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    // A service that starts now shows what was shown last, and another role has seen nothing yet.
    assert_eq!(release_latest(&mut snapshots, Role::Leader, Some(second.clone())).expect("an answer"), Some(first));
    assert!(release(&mut snapshots, Role::Analyst, &second).expect("an answer"));
    assert!(offer(50, 50).0, "ten more people");
}

#[test]
fn the_latest_snapshot_has_the_newest_instant_even_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    let campaign = "test".parse().expect("a campaign");
    assert_eq!(snapshots.latest(&campaign, now()).expect("read"), None);
    let (newest, _) = snapshots.save(coverage()).expect("kept");
    let (older, _) = snapshots.save(world().coverage(at("2026-02-20T00:00:00Z"))).expect("kept");
    assert_ne!(newest.id, older.id);
    let mut moved = coverage();
    moved.identity.offsets.push(Offset { topic: "events".to_owned(), partition: 0, next: 7 });
    let (moved, stored) = snapshots.save(moved).expect("kept");
    assert_eq!(stored, Stored::New);
    drop(snapshots);
    let snapshots = SnapshotStore::open(folder.path()).expect("snapshots");
    assert_eq!(snapshots.latest(&campaign, now()).expect("read"), Some(moved));
    assert_eq!(snapshots.latest(&"other".parse().expect("a campaign"), now()).expect("read"), None);
}

#[test]
fn every_part_of_an_identity_is_in_the_name() {
    let offset = |topic: &str, partition, next| Offset { topic: topic.to_owned(), partition, next };
    let identity = SnapshotIdentity {
        campaign: "test".parse().expect("a campaign"),
        as_of: after(),
        offsets: vec![offset("events", 0, 1), offset("roll", 0, 1)],
        definition: 1,
        redaction_epoch: 0,
    };
    let mut others = vec![identity.clone(); 8];
    others[1].campaign = "test2".parse().expect("a campaign");
    others[2].as_of = at("2026-03-16T07:00:00.000001Z");
    others[3].offsets[0].next = 2;
    others[4].offsets[0].partition = 1;
    others[5].offsets.pop();
    others[6].definition = 2;
    others[7].redaction_epoch = 1;
    let names: std::collections::BTreeSet<String> = others.iter().map(|identity| SnapshotId::of(identity).to_string()).collect();
    assert_eq!(names.len(), 8);
    for name in names {
        assert!(name.len() == 24 && name.bytes().all(|letter| (b'a'..=b'p').contains(&letter)), "{name}");
        assert_eq!(name.parse::<SnapshotId>().map(|id| id.to_string()), Ok(name));
    }
    assert!("abc".parse::<SnapshotId>().is_err() && "q".repeat(24).parse::<SnapshotId>().is_err());
}

#[test]
fn the_csv_has_every_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let (snapshot, _) = SnapshotStore::open(folder.path()).expect("snapshots").save(coverage()).expect("kept");
    let mut bytes = Vec::new();
    csv::write(&snapshot, &mut bytes).expect("written");
    let text = String::from_utf8(bytes).expect("UTF-8").replace(&snapshot.id.to_string(), "SNAPSHOT");
    insta::assert_snapshot!("csv", text);
}

#[test]
fn a_snapshot_with_earlier_names_of_fields_is_read() {
    let coverage = coverage();
    let mut stored = serde_json::to_value(&coverage).expect("JSON");
    rename(&mut stored);
    let text = stored.to_string();
    assert!(text.contains("\"slice\"") && text.contains("\"exposure\"") && text.contains("\"rest\""), "{text}");
    assert_eq!(serde_json::from_value::<Coverage>(stored).expect("a coverage"), coverage);
}

/// Gives fields the names that they had before.
fn rename(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, earlier) in [("figures", "slice"), ("frequencies", "exposure"), ("unidentified", "rest")] {
                if let Some(field) = fields.remove(name) {
                    fields.insert(earlier.to_owned(), field);
                }
            }
            fields.values_mut().for_each(rename);
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(rename),
        _ => {}
    }
}

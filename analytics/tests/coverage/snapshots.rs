//! Snapshots: names, bytes that never change, and the files made from them.

use qamtu_analytics::{
    Coverage, SnapshotId, Snapshots,
    access::{Reader, Role},
    coverage::{Identity, Offset},
    csv,
    locale::Language,
    published::Published,
    snapshot::Stored,
    statement::{Statement, TrustRow},
};

use crate::world::{World, after, at};

fn world() -> World {
    let mut world = World::new();
    world.planned("m1", World::place("2026-02-16T10:00:00Z"));
    world.held("m1", World::place("2026-02-16T10:00:00Z"));
    world.strong("m1", [1, 2, 6, 50]);
    world.heads("m1", &[9], None);
    world
}

fn coverage() -> Coverage {
    world().coverage(after())
}

#[test]
fn computing_again_gives_the_same_bytes_and_stores_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = Snapshots::open(folder.path()).expect("snapshots");
    let (first, stored) = snapshots.keep(coverage()).expect("kept");
    assert_eq!(stored, Stored::New);
    let (again, stored) = snapshots.keep(coverage()).expect("kept");
    assert_eq!((stored, &again), (Stored::Same, &first));
    assert_eq!(snapshots.get(first.id).expect("read").as_ref(), Some(&first));
}

#[test]
fn stored_bytes_stay_when_a_calculation_comes_out_differently() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = Snapshots::open(folder.path()).expect("snapshots");
    let (first, _) = snapshots.keep(coverage()).expect("kept");
    let bytes = snapshots.bytes(first.id).expect("read");
    let mut other = world();
    other.strong("m1", [3]);
    let (kept, stored) = snapshots.keep(other.coverage(after())).expect("kept");
    assert_eq!((stored, kept), (Stored::Differs, first.clone()));
    assert_eq!(snapshots.bytes(first.id).expect("read"), bytes);
}

#[test]
fn the_latest_snapshot_has_the_newest_instant_even_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = Snapshots::open(folder.path()).expect("snapshots");
    let campaign = "test".parse().expect("a campaign");
    assert_eq!(snapshots.latest(&campaign).expect("read"), None);
    let (newest, _) = snapshots.keep(coverage()).expect("kept");
    let (older, _) = snapshots.keep(world().coverage(at("2026-02-20T00:00:00Z"))).expect("kept");
    assert_ne!(newest.id, older.id);
    let mut moved = coverage();
    moved.identity.offsets.push(Offset { topic: "events".to_owned(), partition: 0, next: 7 });
    let (moved, stored) = snapshots.keep(moved).expect("kept");
    assert_eq!(stored, Stored::New);
    drop(snapshots);
    let snapshots = Snapshots::open(folder.path()).expect("snapshots");
    assert_eq!(snapshots.latest(&campaign).expect("read"), Some(moved));
    assert_eq!(snapshots.latest(&"other".parse().expect("a campaign")).expect("read"), None);
}

#[test]
fn every_part_of_an_identity_is_in_the_name() {
    let offset = |topic: &str, partition, next| Offset { topic: topic.to_owned(), partition, next };
    let identity = Identity {
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
fn whoever_reads_learns_how_far_the_roll_goes_and_what_nobody_counted() {
    let said = |world: &World, label: &str| -> Option<TrustRow> {
        let folder = tempfile::tempdir().expect("a folder");
        let (snapshot, _) = Snapshots::open(folder.path()).expect("snapshots").keep(world.coverage(after())).expect("kept");
        let published = Published::new(&snapshot, &Reader::of_region(Role::Leader)).expect("a reader of figures");
        Statement::new(&published, Language::En).trust.rows.into_iter().find(|row| row.label == label)
    };
    let (roll, uncounted) = ("Precincts with a voter roll", "Held, but nobody was counted");
    let mut world = world();
    assert_eq!([roll, uncounted].map(|label| said(&world, label)), [None, None]);
    world.held("m2", World::place("2026-02-16T10:00:00Z"));
    world.roll.retain(|(_, home)| *home == "B-1");
    let row = said(&world, roll).expect("a row about the roll");
    assert!(row.figure.text == "1" && row.detail.starts_with("Of 3 precincts") && row.act, "{row:?}");
    let row = said(&world, uncounted).expect("a row about uncounted meetings");
    assert!(row.figure.text == "1" && row.act, "{row:?}");
    // A campaign without any roll is no half-done one.
    world.roll.clear();
    assert_eq!(said(&world, roll), None);
}

#[test]
fn the_csv_has_a_row_for_every_slice() {
    let folder = tempfile::tempdir().expect("a folder");
    let (snapshot, _) = Snapshots::open(folder.path()).expect("snapshots").keep(coverage()).expect("kept");
    let mut bytes = Vec::new();
    csv::write(&snapshot, &mut bytes).expect("written");
    let text = String::from_utf8(bytes).expect("UTF-8").replace(&snapshot.id.to_string(), "SNAPSHOT");
    insta::assert_snapshot!("csv", text);
}

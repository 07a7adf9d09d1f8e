//! Facts stores on disk: what was saved is read again, and what is damaged, of another log or of a later state is not.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use jiff::Timestamp;
use qamtu_analytics::{
    Coverage,
    facts::{Facts, LogEnd},
    facts_store::{FactsStore, MAX_AGE, SaveInputs, StoreFolder},
    roll::RollId,
    snapshot_identity::{Offset, Selection},
};
use serde_json::json;

use crate::world::{MONDAY, World, after, at};

/// The end of a log whose last record was received then.
fn log_end(received_us: i64) -> LogEnd {
    serde_json::from_value(json!([{"partition": 0, "offset": 4, "appended_ms": 1, "received_us": received_us}])).expect("a log")
}

fn inputs() -> SaveInputs {
    SaveInputs { log_end: log_end(7), read: Timestamp::now(), same_roll: None, renewed: None }
}

/// Three held meetings, one of them for a revealing audience, attendance at an unknown one, and a precinct whose only voter is on another
/// roll.
fn world() -> World {
    let mut world = World::new();
    world.roll.push((1, "X-9"));
    world.events[0]["data"]["categories"][1]["revealing"] = true.into();
    for (meeting, category) in [("m1", "YOUTH"), ("m2", "STAFF"), ("m3", "ELDER")] {
        world.held(meeting, World::place_of("A", "CA", &[category], MONDAY));
        world.strong(meeting, [1, 2, 2, 6, 9, 50]);
        world.weak(meeting, [70, 71]);
    }
    world.strong("m3", [10, 7]);
    world.strong("zz-unknown", [4, 60]);
    world
}

fn folder(dir: &Path) -> StoreFolder {
    StoreFolder::new(dir, &"test".parse().expect("a campaign"))
}

fn save(dir: &Path) -> FactsStore {
    let store = world().store(after(), usize::MAX);
    folder(dir).save(&store, &inputs()).expect("a saved store");
    store
}

/// Names of the files in the folder of the campaign.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("facts-test")).expect("a folder");
    let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// Whether everything of the store can be read.
fn is_readable(dir: &Path) -> bool {
    folder(dir).open().is_some_and(|saved| saved.roll(&RollId::default()).is_some() && saved.attendance().is_some())
}

#[test]
fn a_saved_store_gives_the_same_figures() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = save(dir.path());
    let saved = folder(dir.path()).open().expect("a store");
    let roll = saved.roll(&RollId::default()).expect("a roll");
    assert_eq!(roll.lines().collect::<Vec<_>>(), store.facts().roll.lines().collect::<Vec<_>>());
    assert_eq!(roll.precincts(), store.facts().roll.precincts());
    let facts = Facts { roll, ..world().facts(after()) };
    let renewed = FactsStore::renewed(facts, saved.attendance().expect("lists"), |_| Ok(())).expect("a store");
    assert_eq!(Coverage::of(&renewed).expect("a coverage"), Coverage::of(&store).expect("a coverage"));
    assert!(Coverage::of(&renewed).expect("a coverage").region.figures.audience.reach.reached > 0);
}

#[test]
fn files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().expect("a folder");
    save(dir.path());
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o7777;
    let path = dir.path().join("facts-test");
    assert_eq!(mode(&path), 0o700);
    let data = names(dir.path()).into_iter().filter(|name| name != "lock");
    let modes: Vec<u32> = data.map(|name| mode(&path.join(name))).collect();
    assert_eq!(modes, [0o600; 4]);
}

#[test]
fn a_store_that_is_cut_off_or_changed_anywhere_is_not_read() {
    let dir = tempfile::tempdir().expect("a folder");
    save(dir.path());
    assert!(is_readable(dir.path()));
    for name in names(dir.path()).iter().filter(|name| *name != "lock") {
        let path = dir.path().join("facts-test").join(name);
        let whole = fs::read(&path).expect("bytes");
        for end in (0..whole.len()).step_by(whole.len() / 40) {
            fs::write(&path, &whole[..end]).expect("a shorter file");
            assert!(!is_readable(dir.path()), "{name} with {end} of {} bytes", whole.len());
        }
        for place in (0..whole.len()).step_by(whole.len() / 200) {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            fs::write(&path, changed).expect("a changed file");
            assert!(!is_readable(dir.path()), "{name} with another bit at {place}");
        }
        fs::remove_file(&path).expect("removed");
        assert!(!is_readable(dir.path()), "{name} is missing");
        fs::write(&path, whole).expect("the file again");
        assert!(is_readable(dir.path()));
    }
}

#[test]
fn a_store_is_renewed_for_later_selections_of_its_log_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut facts = world().facts(after());
    let offset = |partition, next| Offset { topic: "events".to_owned(), partition, next };
    facts.selection.offsets = vec![offset(0, 5), offset(1, 7)];
    let own = facts.selection.clone();
    let store = FactsStore::new(facts.clone(), |_| Ok(())).expect("a store");
    let inputs = inputs();
    folder(dir.path()).save(&store, &inputs).expect("a saved store");
    let saved = folder(dir.path()).open().expect("a store");
    assert_eq!(saved.selection(), own);
    let with = |offsets: Vec<Offset>, as_of| Selection { offsets, as_of, ..own.clone() };
    let later = at("2026-03-17T07:00:00Z");
    for (selection, precedes) in [
        (own.clone(), true),
        (with(vec![offset(0, 5), offset(1, 8), offset(2, 1)], later), true),
        (with(vec![offset(0, 4), offset(1, 8)], later), false),
        (with(vec![offset(1, 8)], later), false),
        (with(own.offsets.clone(), at("2026-03-16T06:59:59Z")), false),
        (Selection { campaign: "other".parse().expect("a campaign"), ..own.clone() }, false),
    ] {
        assert_eq!(saved.precedes(&selection, inputs.read), precedes, "{selection:?}");
        assert!(!saved.precedes(&selection, inputs.read + MAX_AGE), "{selection:?} when everything has to be read again");
    }
    // The same log, roll and reversed imports.
    assert!(saved.fits(&facts, &log_end(7)));
    assert!(!saved.fits(&facts, &log_end(8)) && !saved.fits(&facts, &LogEnd::default()));
    let mut fewer = world();
    fewer.roll.retain(|(person, _)| *person != 3);
    assert!(!saved.fits(&fewer.facts(after()), &log_end(7)));
    let mut reversing = world();
    reversing.event("import.reversed", json!({"import": "00000000-0000-4000-8002-000000000001"}));
    assert!(saved.fits(&reversing.facts(after()), &log_end(7)));
    folder(dir.path()).save(&FactsStore::new(reversing.facts(after()), |_| Ok(())).expect("a store"), &inputs).expect("kept");
    fs::remove_file(dir.path().join("facts-test/manifest")).expect("no manifest");
    folder(dir.path()).save(&FactsStore::new(reversing.facts(after()), |_| Ok(())).expect("a store"), &inputs).expect("a saved store");
    let saved = folder(dir.path()).open().expect("a store");
    assert!(saved.fits(&reversing.facts(after()), &log_end(7)) && !saved.fits(&facts, &log_end(7)), "a reversal that counts no more");
}

#[test]
fn an_older_store_replaces_no_newer_one_unless_that_is_too_old_and_files_of_older_ones_are_deleted() {
    let dir = tempfile::tempdir().expect("a folder");
    save(dir.path());
    let newest = names(dir.path());
    let older = world().store(at("2026-03-15T07:00:00Z"), usize::MAX);
    folder(dir.path()).save(&older, &inputs()).expect("nothing to do");
    assert_eq!(names(dir.path()), newest);
    let newer = world().store(at("2026-03-17T07:00:00Z"), usize::MAX);
    folder(dir.path()).save(&newer, &SaveInputs { read: Timestamp::now() - MAX_AGE, ..inputs() }).expect("a saved store");
    fs::write(dir.path().join("facts-test/.attendance-1-2.arrow"), "interrupted").expect("a file");
    folder(dir.path()).save(&older, &inputs()).expect("a saved store");
    assert_eq!(folder(dir.path()).open().map(|saved| saved.selection().as_of), Some(at("2026-03-15T07:00:00Z")));
    assert_eq!(names(dir.path()).len(), newest.len());
    assert!(is_readable(dir.path()));
    folder(dir.path()).delete().expect("deleted");
    assert_eq!(names(dir.path()), ["lock"]);
}

#[test]
fn a_renewal_adds_a_file_with_the_meetings_that_changed_until_there_are_many() {
    let dir = tempfile::tempdir().expect("a folder");
    save(dir.path());
    let mut files = Vec::new();
    for round in 0..40 {
        let mut now = world();
        // Somebody more at one meeting, and nobody any more at another.
        now.strong("m1", [3 + round % 2]);
        now.attendances.retain(|attendance| attendance.meeting != "zz-unknown" || round % 3 == 0);
        let changed = ["m1", "zz-unknown"].map(|id| id.parse().expect("a meeting"));
        let store = now.store(after(), usize::MAX);
        let previous = folder(dir.path()).open().expect("a store");
        let inputs = SaveInputs { same_roll: Some(previous.clone()), renewed: Some((previous, BTreeSet::from(changed))), ..inputs() };
        folder(dir.path()).save(&store, &inputs).expect("a saved store");
        let saved = folder(dir.path()).open().expect("a store").attendance().expect("lists");
        let renewed = FactsStore::renewed(now.facts(after()), saved, |_| Ok(())).expect("a store");
        assert_eq!(Coverage::of(&renewed).expect("a coverage"), Coverage::of(&store).expect("a coverage"), "round {round}");
        files.push(names(dir.path()).len());
    }
    assert!(files.contains(&6) && files.iter().all(|files| *files < 21), "{files:?}");
    assert!(files.windows(2).any(|pair| pair[1] < pair[0]), "{files:?}");
}

#[test]
fn files_that_another_process_replaced_are_not_named_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = save(dir.path());
    let first = folder(dir.path()).open();
    let same = SaveInputs { same_roll: first.clone(), renewed: first.clone().map(|first| (first, BTreeSet::new())), ..inputs() };
    let files = names(dir.path());
    folder(dir.path()).save(&store, &same).expect("a saved store");
    assert_eq!(names(dir.path()), files, "only the manifest is new");
    // Another process saves, then this one with what it read before.
    save(dir.path());
    assert_ne!(names(dir.path()), files);
    folder(dir.path()).save(&store, &same).expect("a saved store");
    assert!(is_readable(dir.path()));
}

#[test]
fn a_store_that_another_process_is_saving_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    save(dir.path());
    let before = names(dir.path());
    let lock = fs::File::open(dir.path().join("facts-test/lock")).expect("a lock file");
    lock.try_lock().expect("a lock");
    let later = world().store(at("2026-03-17T07:00:00Z"), usize::MAX);
    folder(dir.path()).save(&later, &inputs()).expect("nothing to do");
    assert_eq!(names(dir.path()), before);
    lock.unlock().expect("unlocked");
    folder(dir.path()).save(&later, &inputs()).expect("a saved store");
    assert_ne!(names(dir.path()), before);
}

//! Released contracts are frozen, and the Rust types still match the released schemas.
//!
//! `contracts/released.json` lists the SHA-256 of every schema and example that was released. With `UPDATE_CONTRACTS=1` the schemas
//! that are not in the list are written, body hashes are added to the examples that are not, and both are added to the list. No
//! program changes an entry of the list.

use std::{collections::BTreeMap, fs, sync::LazyLock};

use qamtu_schemas::{
    EventType, decode,
    encode::{ClientAttributes, body_hash, canonical},
    testing,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[path = "compatibility/compare.rs"]
mod compare;

use compare::{Change, ChangeKind, changes};

/// Path below `contracts/` to SHA-256.
type Hashes = BTreeMap<String, String>;

/// The released hashes, read once; with `UPDATE_CONTRACTS` new files are written and added first.
static RELEASED: LazyLock<Hashes> = LazyLock::new(|| {
    let list = testing::contracts().join("released.json");
    let mut released: Hashes = fs::read(&list).map(|bytes| serde_json::from_slice(&bytes).expect("a list of hashes")).unwrap_or_default();
    if std::env::var_os("UPDATE_CONTRACTS").is_some() {
        for kind in EventType::all().filter(|kind| !released.contains_key(&schema_path(*kind))) {
            fs::write(testing::contracts().join(schema_path(kind)), pretty(&kind.schema().to_value())).expect("written");
        }
        for example in testing::examples().expect("examples of every version") {
            if !released.contains_key(&below(&example.path)) {
                fs::write(&example.path, with_body_hash(&example.bytes)).expect("written");
            }
        }
        for (path, hash) in found() {
            released.entry(path).or_insert(hash);
        }
        fs::write(&list, pretty(&json!(released))).expect("written");
    }
    released
});

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON") + "\n"
}

fn schema_path(kind: EventType) -> String {
    format!("{}/v{}.schema.json", kind.kind.name(), kind.version)
}

fn below(path: &std::path::Path) -> String {
    path.strip_prefix(testing::contracts()).expect("a file of the contracts").to_string_lossy().replace('\\', "/")
}

/// The example with its correct body hash.
fn with_body_hash(bytes: &[u8]) -> String {
    let mut example: Value = serde_json::from_slice(bytes).expect("JSON");
    let envelope = decode::decode_structured(bytes).expect("an event").envelope;
    let sent = ClientAttributes {
        id: envelope.id,
        kind: envelope.kind,
        source: &envelope.source,
        time: envelope.time,
        recordedtime: envelope.recordedtime,
        campaign: &envelope.campaign,
        import: envelope.import,
    };
    example["bodyhash"] = json!(body_hash(&sent, &canonical(&example["data"]).expect("JSON")));
    pretty(&example)
}

/// The current hash of every file of the contracts.
fn found() -> Hashes {
    let schemas = EventType::all().map(|kind| testing::contracts().join(schema_path(kind)));
    let examples = testing::examples().expect("examples of every version").into_iter().map(|example| example.path);
    let hash = |bytes: Vec<u8>| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    schemas.chain(examples).filter_map(|path| Some((below(&path), hash(fs::read(&path).ok()?)))).collect()
}

/// Differences between released and current files, one line each.
fn violations(released: &Hashes, found: &Hashes) -> Vec<String> {
    let changed = released.iter().filter_map(|(path, hash)| match found.get(path) {
        None => Some(format!("{path} was released and is gone: restore it")),
        Some(now) if now != hash => Some(format!("{path} was released and is edited: restore it and add a version")),
        Some(_) => None,
    });
    let new = found.keys().filter(|path| !released.contains_key(*path));
    changed.chain(new.map(|path| format!("{path} is not released: run with UPDATE_CONTRACTS=1"))).collect()
}

#[test]
fn released_files_are_never_edited_or_removed() {
    let violations = violations(&RELEASED, &found());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn every_version_means_what_its_released_schema_says() {
    assert!(!RELEASED.is_empty());
    let violations: Vec<String> = EventType::all()
        .flat_map(|kind| {
            let file =
                fs::read(testing::contracts().join(schema_path(kind))).map_err(|error| format!("{}: {error}", schema_path(kind))).unwrap();
            let released = serde_json::from_slice(&file).unwrap();
            changes(&released, &kind.schema().to_value()).into_iter().map(move |change| format!("{kind}{change}"))
        })
        .collect();
    assert!(violations.is_empty(), "add a new version and its upcaster instead:\n{}", violations.join("\n"));
}

#[test]
fn an_edited_a_removed_and_an_unlisted_file_are_noticed() {
    let list = |entries: &[(&str, &str)]| -> Hashes { entries.iter().map(|(path, hash)| (path.to_string(), hash.to_string())).collect() };
    let released = list(&[("a", "1"), ("b", "2"), ("c", "3")]);
    assert!(violations(&released, &released).is_empty());
    let now = list(&[("a", "1"), ("b", "9"), ("d", "4")]);
    let violations = violations(&released, &now);
    assert_eq!(violations.len(), 3, "{violations:?}");
    for (line, begins) in violations.iter().zip(["b was released and is edited", "c was released and is gone", "d is not released"]) {
        assert!(line.starts_with(begins), "{line}");
    }
}

/// The changes that an edit of a released schema makes.
fn after(edit: impl Fn(&mut Value)) -> Vec<Change> {
    let old = "qamtu.meeting.corrected.v1".parse::<EventType>().expect("a type").schema().to_value();
    let mut new = old.clone();
    edit(&mut new);
    assert_ne!(old, new, "the edit does nothing");
    changes(&old, &new)
}

fn change(at: &str, kind: ChangeKind) -> Vec<Change> {
    vec![Change { at: at.to_owned(), kind }]
}

#[test]
fn breaking_changes_have_names() {
    let field = json!({"type": "boolean"});
    let add = |new: &mut Value| new["$defs"]["MeetingCorrected"]["properties"]["extra"] = field.clone();
    let removed = after(|new| {
        new["$defs"]["MeetingCorrected"]["properties"].as_object_mut().unwrap().remove("reason");
    });
    assert_eq!(removed, change("/data/reason", ChangeKind::FieldRemoved));
    assert_eq!(after(add), change("/data/extra", ChangeKind::OptionalFieldAdded));
    let required = after(|new| {
        add(new);
        new["$defs"]["MeetingCorrected"]["required"].as_array_mut().unwrap().push(json!("extra"));
    });
    assert_eq!(required, change("/data/extra", ChangeKind::RequiredFieldAdded));
    let now = after(|new| new["$defs"]["MeetingCorrected"]["required"].as_array_mut().unwrap().push(json!("reason")));
    assert_eq!(now, change("/data/reason", ChangeKind::NowRequired));
    let no_longer = after(|new| new["required"].as_array_mut().unwrap().retain(|name| name != "bodyhash"));
    assert_eq!(no_longer, change("/bodyhash", ChangeKind::NoLongerRequired));
    let retyped = after(|new| new["$defs"]["MeetingCorrected"]["properties"]["supersedes"]["type"] = json!("string"));
    assert_eq!(retyped, change("/data/supersedes", ChangeKind::TypeChanged));
    let narrowed = after(|new| new["$defs"]["Text"]["maxLength"] = json!(100));
    // In a choice of text or null the whole alternative differs.
    assert!(narrowed.contains(&Change { at: "/source".into(), kind: ChangeKind::RuleChanged("maxLength".into()) }), "{narrowed:?}");
    let opened = after(|new| {
        new.as_object_mut().unwrap().remove("additionalProperties");
    });
    assert_eq!(opened, change("", ChangeKind::RuleChanged("additionalProperties".into())));
    let item = after(|new| new["$defs"]["EventId"]["format"] = json!("uri"));
    assert!(item.contains(&Change { at: "/data/supersedes/*".into(), kind: ChangeKind::RuleChanged("format".into()) }), "{item:?}");
}

#[test]
fn choices_are_compared_and_words_are_not() {
    let kind = "qamtu.attendance.recorded.v1".parse::<EventType>().unwrap();
    let old = kind.schema().to_value();
    let mut narrowed = old.clone();
    narrowed["$defs"]["Strength"]["oneOf"].as_array_mut().unwrap().pop();
    assert_eq!(changes(&old, &narrowed), change("/data/attendee/strength", ChangeKind::ChoiceRemoved("\"weak\"".into())));
    assert_eq!(changes(&narrowed, &old), change("/data/attendee/strength", ChangeKind::ChoiceAdded("\"weak\"".into())));
    let mut reworded = old.clone();
    reworded["title"] = json!("Another title");
    reworded["$defs"]["Strength"]["description"] = json!("Other words.");
    assert_eq!(changes(&old, &reworded), []);
    for change in changes(&narrowed, &old).iter().chain(&changes(&old, &narrowed)) {
        assert!(change.to_string().contains("breaking"), "{change}");
    }
}

//! Released contracts are frozen, and the types still mean what the released schemas say.
//!
//! `contracts/released.json` lists the SHA-256 of every schema and example that was released. With `UPDATE_CONTRACTS=1` the schemas
//! that are not in the list are written, body hashes are filled into the examples that are not, and both are added to the list. An
//! entry of the list is never changed by a program.

use std::{collections::BTreeMap, fs, sync::LazyLock};

use qamtu_schemas::{
    EventType, decode,
    encode::{Sent, body_hash, canonical},
    testing,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[path = "compatibility/compare.rs"]
mod compare;

use compare::{Change, What, changes};

/// Path below `contracts/` to SHA-256.
type Hashes = BTreeMap<String, String>;

/// What was released, read once; before that, what is new is released where that was asked for.
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

/// The example with the body hash of what was sent.
fn with_body_hash(bytes: &[u8]) -> String {
    let mut example: Value = serde_json::from_slice(bytes).expect("JSON");
    let envelope = decode::decode_structured(bytes).expect("an event").envelope;
    let sent = Sent {
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

/// Every file of the contracts as it is now.
fn found() -> Hashes {
    let schemas = EventType::all().map(|kind| testing::contracts().join(schema_path(kind)));
    let examples = testing::examples().expect("examples of every version").into_iter().map(|example| example.path);
    let hash = |bytes: Vec<u8>| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    schemas.chain(examples).filter_map(|path| Some((below(&path), hash(fs::read(&path).ok()?)))).collect()
}

/// What is wrong with the files of the contracts, in one line each.
fn broken(released: &Hashes, found: &Hashes) -> Vec<String> {
    let kept = released.iter().filter_map(|(path, hash)| match found.get(path) {
        None => Some(format!("{path} was released and is gone: restore it")),
        Some(now) if now != hash => Some(format!("{path} was released and is edited: restore it and add a version")),
        Some(_) => None,
    });
    let new = found.keys().filter(|path| !released.contains_key(*path));
    kept.chain(new.map(|path| format!("{path} is not released: run with UPDATE_CONTRACTS=1"))).collect()
}

#[test]
fn released_files_are_never_edited_or_removed() {
    let broken = broken(&RELEASED, &found());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_version_means_what_its_released_schema_says() {
    assert!(!RELEASED.is_empty());
    let broken: Vec<String> = EventType::all()
        .flat_map(|kind| {
            let file =
                fs::read(testing::contracts().join(schema_path(kind))).map_err(|error| format!("{}: {error}", schema_path(kind))).unwrap();
            let released = serde_json::from_slice(&file).unwrap();
            changes(&released, &kind.schema().to_value()).into_iter().map(move |change| format!("{kind}{change}"))
        })
        .collect();
    assert!(broken.is_empty(), "add a new version and its upcaster instead:\n{}", broken.join("\n"));
}

#[test]
fn an_edited_a_removed_and_an_unlisted_file_are_noticed() {
    let list = |entries: &[(&str, &str)]| -> Hashes { entries.iter().map(|(path, hash)| (path.to_string(), hash.to_string())).collect() };
    let released = list(&[("a", "1"), ("b", "2"), ("c", "3")]);
    assert!(broken(&released, &released).is_empty());
    let now = list(&[("a", "1"), ("b", "9"), ("d", "4")]);
    let broken = broken(&released, &now);
    assert_eq!(broken.len(), 3, "{broken:?}");
    for (line, begins) in broken.iter().zip(["b was released and is edited", "c was released and is gone", "d is not released"]) {
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

fn change(at: &str, what: What) -> Vec<Change> {
    vec![Change { at: at.to_owned(), what }]
}

#[test]
fn breaking_changes_have_names() {
    let field = json!({"type": "boolean"});
    let add = |new: &mut Value| new["$defs"]["MeetingCorrected"]["properties"]["extra"] = field.clone();
    let removed = after(|new| {
        new["$defs"]["MeetingCorrected"]["properties"].as_object_mut().unwrap().remove("reason");
    });
    assert_eq!(removed, change("/data/reason", What::FieldRemoved));
    assert_eq!(after(add), change("/data/extra", What::OptionalFieldAdded));
    let required = after(|new| {
        add(new);
        new["$defs"]["MeetingCorrected"]["required"].as_array_mut().unwrap().push(json!("extra"));
    });
    assert_eq!(required, change("/data/extra", What::RequiredFieldAdded));
    let now = after(|new| new["$defs"]["MeetingCorrected"]["required"].as_array_mut().unwrap().push(json!("reason")));
    assert_eq!(now, change("/data/reason", What::NowRequired));
    let no_longer = after(|new| new["required"].as_array_mut().unwrap().retain(|name| name != "bodyhash"));
    assert_eq!(no_longer, change("/bodyhash", What::NoLongerRequired));
    let retyped = after(|new| new["$defs"]["MeetingCorrected"]["properties"]["supersedes"]["type"] = json!("string"));
    assert_eq!(retyped, change("/data/supersedes", What::TypeChanged));
    let narrowed = after(|new| new["$defs"]["Text"]["maxLength"] = json!(100));
    // In a choice of text or null the whole alternative is another one.
    assert!(narrowed.contains(&Change { at: "/source".into(), what: What::RuleChanged("maxLength".into()) }), "{narrowed:?}");
    let opened = after(|new| {
        new.as_object_mut().unwrap().remove("additionalProperties");
    });
    assert_eq!(opened, change("", What::RuleChanged("additionalProperties".into())));
    let item = after(|new| new["$defs"]["EventId"]["format"] = json!("uri"));
    assert!(item.contains(&Change { at: "/data/supersedes/*".into(), what: What::RuleChanged("format".into()) }), "{item:?}");
}

#[test]
fn choices_are_compared_and_words_are_not() {
    let kind = "qamtu.attendance.recorded.v1".parse::<EventType>().unwrap();
    let old = kind.schema().to_value();
    let mut narrowed = old.clone();
    narrowed["$defs"]["Strength"]["oneOf"].as_array_mut().unwrap().pop();
    assert_eq!(changes(&old, &narrowed), change("/data/attendee/strength", What::ChoiceRemoved("\"weak\"".into())));
    assert_eq!(changes(&narrowed, &old), change("/data/attendee/strength", What::ChoiceAdded("\"weak\"".into())));
    let mut reworded = old.clone();
    reworded["title"] = json!("Another title");
    reworded["$defs"]["Strength"]["description"] = json!("Other words.");
    assert_eq!(changes(&old, &reworded), []);
    for change in changes(&narrowed, &old).iter().chain(&changes(&old, &narrowed)) {
        assert!(change.to_string().contains("breaking"), "{change}");
    }
}

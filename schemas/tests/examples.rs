//! All examples of all versions and types are valid, decode to the same events as ever, and encode to the same bytes.

use std::{collections::BTreeMap, fs};

use jsonschema::Validator;
use qamtu_schemas::{
    Event, EventType,
    decode::{decode, decode_structured},
    encode::{ClientAttributes, Encoded, body_hash, canonical, encode, structured},
    testing::{self, Example, examples},
};
use serde_json::{Value, json};

fn validator(kind: EventType) -> Validator {
    let path = testing::contracts().join(format!("{}/v{}.schema.json", kind.kind.name(), kind.version));
    let schema: Value = serde_json::from_slice(&fs::read(path).expect("a schema for every version")).expect("JSON");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a JSON Schema")
}

fn binary(encoded: &Encoded) -> Event {
    decode(encoded.headers.iter().map(|(name, value)| (*name, value.as_bytes())), Some(&encoded.value)).expect("what was encoded")
}

#[test]
fn every_version_has_its_examples() {
    let all = examples().unwrap();
    for kind in EventType::all() {
        let names: Vec<&str> = all.iter().filter(|example| example.kind == kind).map(|example| example.name.as_str()).collect();
        for wanted in ["smallest", "fullest", "odd"] {
            assert!(names.contains(&wanted), "{kind} has no {wanted} example");
        }
    }
    let folders = fs::read_dir(testing::contracts()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(folders, qamtu_schemas::Kind::ALL.len(), "a folder of contracts belongs to no type");
}

#[test]
fn every_example_is_valid() {
    for Example { kind, path, bytes, .. } in examples().unwrap() {
        let example = serde_json::from_slice(&bytes).unwrap();
        let errors: Vec<String> =
            validator(kind).iter_errors(&example).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}:\n{}", path.display(), errors.join("\n"));
    }
}

#[test]
fn every_example_is_read_and_written_back_as_it_was() {
    for Example { kind, path, bytes, .. } in examples().unwrap() {
        let path = path.display();
        let event = decode_structured(&bytes).map_err(|error| format!("{path}: {error}")).unwrap();
        assert_eq!(event.envelope.kind, kind, "{path}");
        let stored: Value = serde_json::from_slice(&bytes).unwrap();
        let value = canonical(&stored["data"]).unwrap();

        let encoded = encode(&event.envelope, &event.data, value.clone());
        assert_eq!(encoded.value, value, "{path}");
        assert_eq!(binary(&encoded), event, "{path}: binary mode");

        let written: Value = serde_json::from_slice(&structured(&event.envelope, &value).unwrap()).unwrap();
        assert_eq!(serde_json::to_string_pretty(&written).unwrap() + "\n", String::from_utf8(bytes).unwrap(), "{path}: structured mode");
    }
}

#[test]
fn every_example_carries_the_hash_of_what_was_sent() {
    for Example { path, bytes, .. } in examples().unwrap() {
        let envelope = decode_structured(&bytes).unwrap().envelope;
        let stored: Value = serde_json::from_slice(&bytes).unwrap();
        let sent = ClientAttributes {
            id: envelope.id,
            kind: envelope.kind,
            source: &envelope.source,
            time: envelope.time,
            recordedtime: envelope.recordedtime,
            campaign: &envelope.campaign,
            import: envelope.import,
        };
        assert_eq!(body_hash(&sent, &canonical(&stored["data"]).unwrap()), envelope.bodyhash, "{}", path.display());
    }
}

#[test]
fn odd_examples_hold_every_kazakh_letter() {
    for example in examples().unwrap().iter().filter(|example| example.name == "odd") {
        let text = std::str::from_utf8(&example.bytes).unwrap();
        let missing: String = "әғқңөұүһі".chars().filter(|letter| !text.contains(*letter)).collect();
        assert!(missing.is_empty(), "{}: {missing}", example.path.display());
    }
}

#[test]
fn examples_decode_to_the_same_events_for_ever() {
    let mut by_kind: BTreeMap<EventType, String> = BTreeMap::new();
    for Example { kind, name, bytes, .. } in examples().unwrap() {
        let event = decode_structured(&bytes).unwrap();
        *by_kind.entry(kind).or_default() += &format!("{name}: {event:#?}\n\n");
    }
    for (kind, events) in by_kind {
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(kind.to_string(), events);
        });
    }
}

/// Mutations of the document, each at one place.
fn mutations(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut places = vec![String::new()];
    while let Some(place) = places.pop() {
        let here = document.pointer(&place).expect("a place");
        let mut put = |what: &str, value: Value| {
            let mut other = document.clone();
            *other.pointer_mut(&place).expect("a place") = value;
            found.push((format!("{place} {what}"), other));
        };
        for value in
            [json!(null), json!(true), json!(-1), json!(1.5), json!(4_294_967_296_u64), json!(""), json!("?"), json!([]), json!({})]
        {
            put(&format!("= {value}"), value);
        }
        match here {
            Value::Object(fields) => {
                put("as an array of its fields", fields.values().cloned().collect());
                let mut more = fields.clone();
                more.insert("Unknown".to_owned(), json!(1));
                put("with a field more", Value::Object(more));
                for name in fields.keys() {
                    let mut less = fields.clone();
                    less.remove(name);
                    put(&format!("without {name}"), Value::Object(less));
                    places.push(format!("{place}/{name}"));
                }
            }
            Value::Array(items) => {
                put("with an item more", items.iter().cloned().chain([json!("x")]).collect());
                places.extend((0..items.len().min(3)).map(|index| format!("{place}/{index}")));
            }
            Value::String(text) => put("as a choice with nothing", json!({text.as_str(): null})),
            _ => {}
        }
    }
    found
}

#[test]
fn what_decodes_is_valid_and_payloads_are_closed() {
    for Example { kind, path, bytes, .. } in examples().unwrap() {
        let path = path.display();
        let validator = validator(kind);
        let example: Value = serde_json::from_slice(&bytes).unwrap();
        let mut refused = 0;
        for (what, document) in mutations(&example) {
            match decode_structured(&serde_json::to_vec(&document).unwrap()) {
                Ok(_) => assert!(validator.is_valid(&document), "{path}: {what}: decodes, but is not valid"),
                Err(error) => {
                    refused += 1;
                    let pointer = error.pointer();
                    assert!(pointer.is_empty() || pointer.starts_with('/'), "{path}: {what}: {pointer}");
                }
            }
            if what.ends_with("with a field more") {
                assert!(!validator.is_valid(&document), "{path}: {what}: is valid");
                assert!(decode_structured(&serde_json::to_vec(&document).unwrap()).is_err(), "{path}: {what}: decodes");
            }
        }
        assert!(refused > 50, "{path}: only {refused} mutations were refused");
    }
}

//! Compares two JSON Schemas of one event type and lists every change that can affect a reader or a writer.
//!
//! Titles and descriptions may change, and parts may move to other definitions; anything else is a change.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::{Map, Value};

/// Kind of a change between two schemas.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    FieldRemoved,
    OptionalFieldAdded,
    RequiredFieldAdded,
    NowRequired,
    NoLongerRequired,
    TypeChanged,
    ChoiceRemoved(String),
    ChoiceAdded(String),
    RuleChanged(String),
}

/// A change and its place in the event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Place in the event, like a JSON pointer, with `*` for every item of an array.
    pub at: String,
    pub kind: ChangeKind,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old_data = "breaking: what was valid may be refused now";
        let old_readers = "breaking: payloads are closed, so readers of the old schema refuse the new data";
        match &self.kind {
            ChangeKind::FieldRemoved => write!(f, "{}: field removed; {old_data}", self.at),
            ChangeKind::OptionalFieldAdded => write!(f, "{}: optional field added; {old_readers}", self.at),
            ChangeKind::RequiredFieldAdded => write!(f, "{}: required field added; {old_data}", self.at),
            ChangeKind::NowRequired => write!(f, "{}: field is required now; {old_data}", self.at),
            ChangeKind::NoLongerRequired => write!(f, "{}: field is no longer required; {old_readers}", self.at),
            ChangeKind::TypeChanged => write!(f, "{}: type changed; {old_data}", self.at),
            ChangeKind::ChoiceRemoved(choice) => write!(f, "{}: choice removed: {choice}; {old_data}", self.at),
            ChangeKind::ChoiceAdded(choice) => write!(f, "{}: choice added: {choice}; {old_readers}", self.at),
            ChangeKind::RuleChanged(rule) => write!(f, "{}: {rule} changed; breaking for one side or the other", self.at),
        }
    }
}

/// All changes from the old schema to the new one; if there are none, no new version is needed.
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (plain(old, old), plain(new, new));
    let mut found = Vec::new();
    walk("", &old, &new, &mut found);
    if found.is_empty() && old != new {
        found.push(Change { at: "/".to_owned(), kind: ChangeKind::RuleChanged("something".to_owned()) });
    }
    found
}

/// The schema with references resolved, without titles and descriptions.
fn plain(root: &Value, schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let mut out = match object.get("$ref").and_then(Value::as_str) {
                Some(reference) => {
                    let target = root.pointer(reference.trim_start_matches('#')).expect("a reference inside the schema");
                    plain(root, target).as_object().cloned().unwrap_or_default()
                }
                None => Map::new(),
            };
            for (key, value) in object {
                let fields = key == "properties";
                match (key.as_str(), value) {
                    ("$ref" | "$defs" | "$id" | "$schema" | "title" | "description", _) => {}
                    // A field may be named `title`.
                    (_, Value::Object(named)) if fields => {
                        out.insert(key.clone(), named.iter().map(|(name, field)| (name.clone(), plain(root, field))).collect());
                    }
                    _ => {
                        out.insert(key.clone(), plain(root, value));
                    }
                }
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| plain(root, item)).collect(),
        other => other.clone(),
    }
}

fn walk(at: &str, old: &Value, new: &Value, found: &mut Vec<Change>) {
    let mut push = |at: &str, kind| found.push(Change { at: at.to_owned(), kind });
    if old["type"] != new["type"] {
        push(at, ChangeKind::TypeChanged);
    }
    let (before, after) = (choices(old), choices(new));
    for choice in before.difference(&after) {
        push(at, ChangeKind::ChoiceRemoved(choice.clone()));
    }
    for choice in after.difference(&before) {
        push(at, ChangeKind::ChoiceAdded(choice.clone()));
    }
    for rule in keys(old).union(&keys(new)) {
        let compared_above = ["type", "enum", "const", "oneOf", "anyOf", "properties", "required", "items", "prefixItems"];
        if !compared_above.contains(rule) && old[rule] != new[rule] {
            push(at, ChangeKind::RuleChanged((*rule).to_owned()));
        }
    }
    fields(at, old, new, found);
    for part in ["items", "prefixItems"] {
        match (&old[part], &new[part]) {
            (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
                for (index, (before, after)) in before.iter().zip(after).enumerate() {
                    walk(&format!("{at}/{index}"), before, after, found);
                }
            }
            (before @ Value::Object(_), after @ Value::Object(_)) => walk(&format!("{at}/*"), before, after, found),
            (before, after) if before != after => found.push(Change { at: at.to_owned(), kind: ChangeKind::RuleChanged(part.to_owned()) }),
            _ => {}
        }
    }
}

fn fields(at: &str, old: &Value, new: &Value, found: &mut Vec<Change>) {
    let named = |schema: &Value| -> BTreeMap<String, Value> {
        schema["properties"].as_object().into_iter().flatten().map(|(name, field)| (name.clone(), field.clone())).collect()
    };
    let required = |schema: &Value, name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|other| other == name));
    let (before, after) = (named(old), named(new));
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let at = format!("{at}/{name}");
        let kind = match (before.get(name), after.get(name), required(old, name), required(new, name)) {
            (Some(_), None, _, _) => Some(ChangeKind::FieldRemoved),
            (None, _, _, true) => Some(ChangeKind::RequiredFieldAdded),
            (None, _, _, false) => Some(ChangeKind::OptionalFieldAdded),
            (_, _, false, true) => Some(ChangeKind::NowRequired),
            (_, _, true, false) => Some(ChangeKind::NoLongerRequired),
            _ => None,
        };
        found.extend(kind.map(|kind| Change { at: at.clone(), kind }));
        if let (Some(before), Some(after)) = (before.get(name), after.get(name)) {
            walk(&at, before, after, found);
        }
    }
}

fn keys(schema: &Value) -> BTreeSet<&str> {
    schema.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// The alternatives of a schema, each as JSON.
fn choices(schema: &Value) -> BTreeSet<String> {
    let listed = ["enum", "oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
    listed.chain(schema.get("const")).map(|choice| choice.get("const").unwrap_or(choice).to_string()).collect()
}

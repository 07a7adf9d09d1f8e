//! Normalizes values that can be written in several ways, so that a retry with another spelling is still a duplicate.
//!
//! Guarantees: texts are in Unicode normalization form C, UUIDs in lower case, instants in UTC with the fewest decimals. No instant
//! changes: local days are computed with the campaign's time zone, never with an offset that was sent. Dates, codes and numbers have only
//! one spelling in the contract. Values that do not parse stay as they are, and the contract refuses them. Body hash and stored payload
//! are computed from the normalized values.

use std::borrow::Cow;

use qamtu_schemas::{id::EventId, instant::parse_instant};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::json::Json;

/// Names of fields that hold an instant, in any object of a payload.
const INSTANTS: [&str; 1] = ["starts"];

/// Names of fields that hold a UUID or a list of UUIDs.
const UUIDS: [&str; 3] = ["supersedes", "retracts", "import"];

/// Whether a field holds UUIDs or an instant, so that it contains no free text.
pub fn is_typed_field(field: &str) -> bool {
    INSTANTS.contains(&field) || UUIDS.contains(&field)
}

/// Normalizes all texts, UUIDs and instants of a payload.
pub fn normalize(data: &mut Json<'_>) {
    walk(data, &|text| to_nfc(text));
}

/// Removes fields that are `null`: in a valid payload such a field means the same as an absent one. Returns whether there was any.
pub fn remove_nulls(data: &mut Json<'_>) -> bool {
    match data {
        Json::List(items) => items.iter_mut().fold(false, |any, item| remove_nulls(item) | any),
        Json::Object(fields) => {
            let before = fields.len();
            fields.retain(|(_, value)| *value != Json::Null);
            let any = fields.len() < before;
            fields.iter_mut().fold(any, |any, (_, value)| remove_nulls(value) | any)
        }
        _ => false,
    }
}

/// The text in normalization form C; `None` if it already is.
pub fn to_nfc(text: &str) -> Option<String> {
    (!text.is_ascii() && !is_nfc(text)).then(|| text.nfc().collect())
}

/// Normalizes every text of a value with the function for its field.
fn walk(value: &mut Json<'_>, normalize_text: &dyn Fn(&str) -> Option<String>) {
    match value {
        Json::Text(text) => {
            if let Some(normalized) = normalize_text(text) {
                *text = Cow::Owned(normalized);
            }
        }
        Json::List(items) => items.iter_mut().for_each(|item| walk(item, normalize_text)),
        Json::Object(fields) => {
            for (name, value) in fields {
                match &**name {
                    name if INSTANTS.contains(&name) => walk(value, &instant),
                    name if UUIDS.contains(&name) => walk(value, &uuid),
                    _ => walk(value, normalize_text),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn instant(text: &str) -> Option<String> {
    let time = parse_instant(text).ok()?.to_string();
    (time != text).then_some(time)
}

fn uuid(text: &str) -> Option<String> {
    let small = text.parse::<EventId>().ok()?.to_string();
    (small != text).then_some(small)
}

#[cfg(test)]
mod tests {
    use qamtu_schemas::{Data, EventType, Kind, decode, testing};
    use serde_json::Value;

    use super::*;

    fn normalized_bytes(json: &Value) -> Vec<u8> {
        let text = json.to_string();
        let mut data: Json<'_> = serde_json::from_str(&text).unwrap();
        normalize(&mut data);
        remove_nulls(&mut data);
        data.canonical()
    }

    /// JSON pointers of all texts in a value.
    fn texts(value: &Value, at: &str, pointers: &mut Vec<String>) {
        match value {
            Value::String(_) => pointers.push(at.to_owned()),
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| texts(item, &format!("{at}/{index}"), pointers)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(value, &format!("{at}/{name}"), pointers)),
            _ => {}
        }
    }

    /// Other spellings of a text: other case, and other forms of an instant.
    fn spellings(text: &str) -> Vec<String> {
        let mut others = vec![text.to_uppercase(), text.to_lowercase()];
        if let Ok(time) = parse_instant(text) {
            let zone = |hours| jiff::tz::TimeZone::fixed(jiff::tz::offset(hours));
            let at = |hours| time.to_zoned(zone(hours)).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string();
            let utc = time.to_string();
            others.extend([at(5), at(-11), utc.replace('Z', ".000Z"), utc.replace('Z', "+00:00"), utc.to_lowercase()]);
        }
        others.into_iter().filter(|other| other != text).collect()
    }

    fn decoded(kind: EventType, data: &Value) -> Option<Data> {
        decode::payload(kind, data.to_string().as_bytes(), "").ok()
    }

    #[test]
    fn every_spelling_of_the_same_value_is_normalized_to_the_same_bytes() {
        let mut tried = 0;
        for example in testing::examples().unwrap() {
            let data = serde_json::from_slice::<Value>(&example.bytes).unwrap()["data"].take();
            let (meaning, bytes) = (decoded(example.kind, &data), normalized_bytes(&data));
            assert!(meaning.is_some() && decode::payload(example.kind, &bytes, "").ok() == meaning, "{}", example.path.display());
            let mut pointers = Vec::new();
            texts(&data, "", &mut pointers);
            for pointer in pointers {
                for other in spellings(data.pointer(&pointer).and_then(Value::as_str).unwrap()) {
                    let mut normalized = data.clone();
                    *normalized.pointer_mut(&pointer).unwrap() = other.clone().into();
                    if decoded(example.kind, &normalized) == meaning {
                        assert_eq!(normalized_bytes(&normalized), bytes, "{}: {pointer} as {other}", example.path.display());
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried >= 80, "{tried} spellings");
    }

    #[test]
    fn a_null_field_is_normalized_to_an_absent_one() {
        for example in testing::examples().unwrap().iter().filter(|example| example.name == "smallest") {
            let data = serde_json::from_slice::<Value>(&example.bytes).unwrap()["data"].take();
            let schema = Data::schema(example.kind.kind);
            let fields = schema.as_value()["properties"].as_object().unwrap();
            for name in fields.keys().filter(|name| data.get(name).is_none()) {
                let mut with_null = data.clone();
                with_null[name] = Value::Null;
                if decoded(example.kind, &with_null).is_some() {
                    assert_eq!(normalized_bytes(&with_null), normalized_bytes(&data), "{}: {name}", example.path.display());
                }
            }
        }
    }

    #[test]
    fn texts_that_only_look_like_an_instant_or_a_uuid_are_unchanged() {
        let cancelled = serde_json::json!({"meeting": "M-1", "reason": "2026-02-13T15:00:00+05:00 018F6B1E-7A4C-7D1B-9A51-0C2F4F6E8A10"});
        assert!(decoded(EventType::latest(Kind::MeetingCancelled), &cancelled).is_some());
        assert_eq!(normalized_bytes(&cancelled), cancelled.to_string().into_bytes());
        let counted = serde_json::json!({"as_of": "2026-02-01", "kind": "ordinary"});
        assert_eq!(normalized_bytes(&counted), counted.to_string().into_bytes());
    }

    #[test]
    fn texts_are_in_normalization_form_c() {
        let decomposed = serde_json::json!({"reason": "И\u{306}од Е\u{308}лка"});
        assert_eq!(normalized_bytes(&decomposed), serde_json::json!({"reason": "Йод Ёлка"}).to_string().into_bytes());
        assert_eq!((to_nfc("Йод"), to_nfc("Hall")), (None, None));
    }
}

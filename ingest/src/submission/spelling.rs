//! One spelling for what can be spelled in several ways, so that a retry that spells it otherwise is still a repetition.
//!
//! Guarantees: texts are in Unicode normalization form C; UUIDs are in small letters; instants are in UTC with as many decimals as they
//! need. The same instant stays the same instant: local days come from the campaign's time zone, never from an offset that was sent.
//! Dates, codes and numbers have one spelling in the contract already and are left alone, and so is what does not parse: the contract
//! refuses it by name and place. Body hash and stored payload are made of what comes out of here.

use std::borrow::Cow;

use qamtu_schemas::{id::EventId, instant::parse_instant};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::json::Json;

/// Fields that hold an instant, wherever they stand in a payload.
const INSTANTS: [&str; 1] = ["starts"];

/// Fields that hold UUIDs, one or a list of them.
const UUIDS: [&str; 3] = ["supersedes", "retracts", "import"];

/// Is this the field of an identifier or of an instant, which is no text that somebody wrote?
pub fn is_typed(field: &str) -> bool {
    INSTANTS.contains(&field) || UUIDS.contains(&field)
}

/// Gives a payload its one spelling.
pub fn normalise(data: &mut Json<'_>) {
    walk(data, &|text| composed(text));
}

/// Removes fields that hold `null`: in a payload that the contract takes, such a field says the same as one that is left out. Tells
/// whether there was any.
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

/// The text in normalization form C, if it is not in it.
pub fn composed(text: &str) -> Option<String> {
    (!text.is_ascii() && !is_nfc(text)).then(|| text.nfc().collect())
}

/// Respells every text of a value with the function that fits its field.
fn walk(value: &mut Json<'_>, respell: &dyn Fn(&str) -> Option<String>) {
    match value {
        Json::Text(text) => {
            if let Some(respelled) = respell(text) {
                *text = Cow::Owned(respelled);
            }
        }
        Json::List(items) => items.iter_mut().for_each(|item| walk(item, respell)),
        Json::Object(fields) => {
            for (name, value) in fields {
                match &**name {
                    name if INSTANTS.contains(&name) => walk(value, &instant),
                    name if UUIDS.contains(&name) => walk(value, &uuid),
                    _ => walk(value, respell),
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

    fn normal(json: &Value) -> Vec<u8> {
        let text = json.to_string();
        let mut data: Json<'_> = serde_json::from_str(&text).unwrap();
        normalise(&mut data);
        remove_nulls(&mut data);
        data.canonical()
    }

    /// The pointers of all texts in a value.
    fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::String(_) => found.push(at.to_owned()),
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| texts(item, &format!("{at}/{index}"), found)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(value, &format!("{at}/{name}"), found)),
            _ => {}
        }
    }

    /// Other spellings of a text, whatever it may be.
    fn others(text: &str) -> Vec<String> {
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
    fn every_other_spelling_that_means_the_same_comes_out_as_the_same_bytes() {
        let mut tried = 0;
        for example in testing::examples().unwrap() {
            let data = serde_json::from_slice::<Value>(&example.bytes).unwrap()["data"].take();
            let (meaning, bytes) = (decoded(example.kind, &data), normal(&data));
            assert!(meaning.is_some() && decode::payload(example.kind, &bytes, "").ok() == meaning, "{}", example.path.display());
            let mut found = Vec::new();
            texts(&data, "", &mut found);
            for pointer in found {
                for other in others(data.pointer(&pointer).and_then(Value::as_str).unwrap()) {
                    let mut respelled = data.clone();
                    *respelled.pointer_mut(&pointer).unwrap() = other.clone().into();
                    if decoded(example.kind, &respelled) == meaning {
                        assert_eq!(normal(&respelled), bytes, "{}: {pointer} as {other}", example.path.display());
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried >= 80, "{tried} spellings");
    }

    #[test]
    fn a_field_that_holds_null_says_the_same_as_one_that_is_left_out() {
        for example in testing::examples().unwrap().iter().filter(|example| example.name == "smallest") {
            let data = serde_json::from_slice::<Value>(&example.bytes).unwrap()["data"].take();
            let schema = Data::schema(example.kind.kind);
            let fields = schema.as_value()["properties"].as_object().unwrap();
            for name in fields.keys().filter(|name| data.get(name).is_none()) {
                let mut with_null = data.clone();
                with_null[name] = Value::Null;
                if decoded(example.kind, &with_null).is_some() {
                    assert_eq!(normal(&with_null), normal(&data), "{}: {name}", example.path.display());
                }
            }
        }
    }

    #[test]
    fn texts_that_only_look_like_an_instant_or_a_uuid_stay_as_they_are() {
        let cancelled = serde_json::json!({"meeting": "M-1", "reason": "2026-02-13T15:00:00+05:00 018F6B1E-7A4C-7D1B-9A51-0C2F4F6E8A10"});
        assert!(decoded(EventType::latest(Kind::MeetingCancelled), &cancelled).is_some());
        assert_eq!(normal(&cancelled), cancelled.to_string().into_bytes());
        let counted = serde_json::json!({"as_of": "2026-02-01", "kind": "ordinary"});
        assert_eq!(normal(&counted), counted.to_string().into_bytes());
    }

    #[test]
    fn texts_are_composed() {
        let decomposed = serde_json::json!({"reason": "И\u{306}од Е\u{308}лка"});
        assert_eq!(normal(&decomposed), serde_json::json!({"reason": "Йод Ёлка"}).to_string().into_bytes());
        assert_eq!((composed("Йод"), composed("Hall")), (None, None));
    }
}

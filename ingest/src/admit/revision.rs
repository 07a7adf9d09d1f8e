//! What differs between reference data that is sent and what is known of it under the same revision.
//!
//! Guarantees: places are named, values are not; pure.

use qamtu_schemas::{Data, Event};
use serde_json::Value;

use super::Scope;

/// Most places that are named.
const SHOWN_MAX: usize = 10;

/// The revision of reference data that is sent, and the places where it differs from what is known. None for anything else, and where
/// nothing differs.
pub fn revision(event: &Event, scope: &Scope<'_>) -> Option<(u32, Vec<String>)> {
    let (revision, sent, known) = values(event, scope)?;
    let mut places = Vec::new();
    differ(&sent, &known, "/data".to_owned(), &mut places);
    places.truncate(SHOWN_MAX);
    (!places.is_empty()).then_some((revision, places))
}

/// Does reference data differ from what is known without having a higher revision? Counts of a precinct on different days are different
/// data.
pub fn is_unraised(event: &Event, scope: &Scope<'_>) -> bool {
    values(event, scope).is_some_and(|(revision, sent, known)| {
        known["revision"].as_u64() >= Some(revision.into()) && sent["as_of"] == known["as_of"] && sent != known
    })
}

/// The revision of reference data, the data, and what is known under its id.
fn values(event: &Event, scope: &Scope<'_>) -> Option<(u32, Value, Value)> {
    let campaign = &event.envelope.campaign;
    let (revision, known): (u32, Option<Data>) = match &event.data {
        Data::CampaignConfigured(sent) => (sent.revision, scope.config(campaign).cloned().map(Data::from)),
        Data::UnitDefined(sent) => (sent.revision, scope.find(campaign, |known| known.unit(&sent.unit).cloned().map(Data::from))),
        Data::PrecinctCounted(sent) => {
            (sent.revision, scope.find(campaign, |known| known.precinct(&sent.precinct).cloned().map(Data::from)))
        }
        Data::CoalitionFormed(sent) => {
            (sent.revision, scope.find(campaign, |known| known.coalition(&sent.coalition).cloned().map(Data::from)))
        }
        Data::MemberJoined(sent) => (sent.revision, scope.find(campaign, |known| known.member(&sent.member).cloned().map(Data::from))),
        Data::VenueDescribed(sent) => (sent.revision, scope.find(campaign, |known| known.venue(&sent.venue).cloned().map(Data::from))),
        _ => return None,
    };
    Some((revision, serde_json::to_value(&event.data).ok()?, serde_json::to_value(known?).ok()?))
}

/// Collects the places where two values differ.
fn differ(sent: &Value, known: &Value, place: String, places: &mut Vec<String>) {
    match (sent, known) {
        (Value::Object(sent), Value::Object(known)) => {
            for (name, value) in sent {
                differ(value, known.get(name).unwrap_or(&Value::Null), format!("{place}/{name}"), places);
            }
            places.extend(known.keys().filter(|name| !sent.contains_key(*name)).map(|name| format!("{place}/{name}")));
        }
        (Value::Array(sent), Value::Array(known)) if sent.len() == known.len() => {
            for (index, (sent, known)) in sent.iter().zip(known).enumerate() {
                differ(sent, known, format!("{place}/{index}"), places);
            }
        }
        (sent, known) if sent != known => places.push(place),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_that_differ_are_named_at_their_depth() {
        let known = json!({"a": {"b": 1, "c": [1, 2]}, "gone": 1, "same": "x"});
        let sent = json!({"a": {"b": 2, "c": [1, 3]}, "new": 1, "same": "x"});
        let mut places = Vec::new();
        differ(&sent, &known, "/data".to_owned(), &mut places);
        assert_eq!(places, ["/data/a/b", "/data/a/c/1", "/data/new", "/data/gone"]);
    }
}

//! Compares reference data that is sent with the known data under the same id.
//!
//! Guarantees: pure; results contain JSON pointers, never values.

use qamtu_schemas::{Data, Event};
use serde_json::Value;

use super::KnownState;
use crate::rejection::{Detail, Pointers};

/// Most JSON pointers in a result.
const SHOWN_MAX: usize = 10;

/// How to correct an id that another body has: reference data is changed by raising its revision, and the fields that differ are named.
pub fn conflict_detail(event: &Event, state: &KnownState<'_>) -> Detail {
    let Some(Compared { revision, sent, known }) = compared(event, state) else { return Detail::IdTaken };
    let mut pointers = Vec::new();
    collect_differences(&sent, &known, "/data".to_owned(), &mut pointers);
    pointers.truncate(SHOWN_MAX);
    if pointers.is_empty() { Detail::IdTaken } else { Detail::RaiseRevision { revision, pointers: Pointers(pointers) } }
}

/// Whether reference data differs from the known data although its revision is not higher. Counts of a precinct for different days are
/// not compared.
pub fn is_unraised(event: &Event, state: &KnownState<'_>) -> bool {
    compared(event, state).is_some_and(|Compared { revision, sent, known }| {
        known["revision"].as_u64() >= Some(revision.into()) && sent["as_of"] == known["as_of"] && sent != known
    })
}

/// Reference data that was sent, and the known data under the same id.
struct Compared {
    revision: u32,
    sent: Value,
    known: Value,
}

fn compared(event: &Event, state: &KnownState<'_>) -> Option<Compared> {
    let campaign = &event.envelope.campaign;
    let (revision, known): (u32, Option<Data>) = match &event.data {
        Data::CampaignConfigured(sent) => (sent.revision, state.config(campaign).cloned().map(Data::from)),
        Data::UnitDefined(sent) => (sent.revision, state.find(campaign, |known| known.unit(&sent.unit).cloned().map(Data::from))),
        Data::PrecinctCounted(sent) => {
            (sent.revision, state.find(campaign, |known| known.precinct(&sent.precinct).cloned().map(Data::from)))
        }
        Data::AccessReported(sent) => (sent.revision, state.find(campaign, |known| known.access(&sent.precinct).cloned().map(Data::from))),
        Data::CoalitionFormed(sent) => {
            (sent.revision, state.find(campaign, |known| known.coalition(&sent.coalition).cloned().map(Data::from)))
        }
        Data::MemberJoined(sent) => (sent.revision, state.find(campaign, |known| known.member(&sent.member).cloned().map(Data::from))),
        Data::VenueDescribed(sent) => (sent.revision, state.find(campaign, |known| known.venue(&sent.venue).cloned().map(Data::from))),
        _ => return None,
    };
    Some(Compared { revision, sent: serde_json::to_value(&event.data).ok()?, known: serde_json::to_value(known?).ok()? })
}

/// Collects JSON pointers to the fields where two values differ.
fn collect_differences(sent: &Value, known: &Value, pointer: String, pointers: &mut Vec<String>) {
    match (sent, known) {
        (Value::Object(sent), Value::Object(known)) => {
            for (name, value) in sent {
                collect_differences(value, known.get(name).unwrap_or(&Value::Null), format!("{pointer}/{name}"), pointers);
            }
            pointers.extend(known.keys().filter(|name| !sent.contains_key(*name)).map(|name| format!("{pointer}/{name}")));
        }
        (Value::Array(sent), Value::Array(known)) if sent.len() == known.len() => {
            for (index, (sent, known)) in sent.iter().zip(known).enumerate() {
                collect_differences(sent, known, format!("{pointer}/{index}"), pointers);
            }
        }
        (sent, known) if sent != known => pointers.push(pointer),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_reported_at_their_depth() {
        let known = json!({"a": {"b": 1, "c": [1, 2]}, "gone": 1, "same": "x"});
        let sent = json!({"a": {"b": 2, "c": [1, 3]}, "new": 1, "same": "x"});
        let mut pointers = Vec::new();
        collect_differences(&sent, &known, "/data".to_owned(), &mut pointers);
        assert_eq!(pointers, ["/data/a/b", "/data/a/c/1", "/data/new", "/data/gone"]);
    }
}

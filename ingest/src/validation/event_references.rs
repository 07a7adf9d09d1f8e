//! References from a correction, a retraction or a new plan to the events that it replaces.
//!
//! Guarantees: such an event is always accepted, since the referenced event may arrive later; a reference without effect gives a warning.
//! For consent the person is not compared, so that no warning reveals whose consent an event was.

use qamtu_schemas::{Data, Kind, id::EventId};

use crate::{
    register::event_identity::{EventIdentity, about},
    rejection::Warning,
};

/// The types that set or change when a meeting is planned.
const PLANS: &[Kind] = &[Kind::MeetingPlanned, Kind::MeetingRescheduled, Kind::MeetingCancelled];
/// The types that set or change whether a meeting was held.
const REPORTS: &[Kind] = &[Kind::MeetingHeld, Kind::MeetingCorrected, Kind::MeetingCancelled];

/// The ids that an event references, and which events it can replace.
#[derive(Debug)]
pub struct EventReferences {
    ids: Vec<EventId>,
    /// The types that the event can replace.
    kinds: &'static [Kind],
    /// Log key of the referencing event: campaign and subject, which both events must share.
    key: String,
}

impl EventReferences {
    /// The references of an event; `None` if it has none.
    pub fn of(data: &Data, key: &str) -> Option<Self> {
        let kinds: &'static [Kind] = match data.kind() {
            Kind::MeetingPlanned | Kind::MeetingRescheduled => PLANS,
            Kind::MeetingCorrected => REPORTS,
            Kind::AttendanceRetracted => &[Kind::AttendanceRecorded],
            Kind::HeadcountRecounted => &[Kind::HeadcountReported, Kind::HeadcountRecounted],
            Kind::ConsentGiven => &[Kind::ConsentWithdrawn],
            _ => &[],
        };
        let ids = data.supersedes();
        (!ids.is_empty()).then(|| Self { ids: ids.to_vec(), kinds, key: key.to_owned() })
    }

    /// Ids of the referenced events.
    pub fn ids(&self) -> &[EventId] {
        &self.ids
    }

    /// The warning about one reference, if any; `target` is the referenced event, if it is known.
    pub fn check(&self, id: EventId, target: Option<&EventIdentity>) -> Option<Warning> {
        let Some(target) = target else { return Some(Warning::UnknownReference(id)) };
        let is = |kind: &Kind| about(*kind, self.key.as_bytes()) == target.about;
        if self.kinds.iter().any(is) {
            None
        } else if Kind::ALL.iter().any(is) {
            Some(Warning::IneffectiveReference(id))
        } else {
            Some(Warning::ForeignReference(id))
        }
    }
}

//! The events that a correction, a retraction or a new plan names: are they what it can replace?
//!
//! Guarantees: such an event is always taken, since the one that it names may still be on its way; a name that has no effect now is a
//! warning. For consent the person is not compared, so that a warning tells nobody whose consent an event was.

use qamtu_schemas::{Data, Kind, id::EventId};

use crate::{
    register::identity::{Identity, about},
    rejection::Warning,
};

/// The types that take part in when a meeting is planned to begin.
const PLANS: &[Kind] = &[Kind::MeetingPlanned, Kind::MeetingRescheduled, Kind::MeetingCancelled];
/// The types that say whether a meeting was held.
const REPORTS: &[Kind] = &[Kind::MeetingHeld, Kind::MeetingCorrected, Kind::MeetingCancelled];

/// The events that an event names, and what they have to be to be replaced by it.
#[derive(Debug)]
pub struct Named {
    ids: Vec<EventId>,
    /// The types that it can replace.
    kinds: &'static [Kind],
    /// Key of the naming event in the log: the campaign and the subject that both have to share.
    key: String,
}

impl Named {
    /// What an event names; none if it names no event.
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

    /// The ids that are named.
    pub fn ids(&self) -> &[EventId] {
        &self.ids
    }

    /// What is worth saying about one of them; `known` is what the register knows of it.
    pub fn judge(&self, id: EventId, known: Option<&Identity>) -> Option<Warning> {
        let Some(known) = known else { return Some(Warning::UnknownReference(id)) };
        let is = |kind: &Kind| about(*kind, self.key.as_bytes()) == known.about;
        if self.kinds.iter().any(is) {
            None
        } else if Kind::ALL.iter().any(is) {
            Some(Warning::IneffectiveReference(id))
        } else {
            Some(Warning::ForeignReference(id))
        }
    }
}

//! Whether the number of different voters at a set of meetings is known: distinguishes zero, unknown and not applicable.
//!
//! Guarantees: page, PDF and CSV use this one rule, so none of them shows "0" where another shows that nobody was identified.

use crate::{coverage, published};

/// Whether the number of different voters at a set of meetings is known, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachStatus {
    /// No meeting was held: the question does not apply.
    NoMeetings,
    /// Meetings were held, and there is neither an attendance list nor a headcount of any.
    Uncounted,
    /// People were counted, and nobody was identified: the number lies within bounds.
    CountedOnly,
    /// Somebody was identified, but no voter is counted anywhere, so nobody can be recognised as one. Of a whole campaign only.
    Unrecognised,
    /// At least one attendance is strongly identified: the number of voters is known.
    Identified,
}

impl ReachStatus {
    fn new(held: u64, identified_meetings: u64, uncounted_meetings: u64) -> Self {
        match held {
            0 => Self::NoMeetings,
            _ if identified_meetings > 0 => Self::Identified,
            _ if uncounted_meetings >= held => Self::Uncounted,
            _ => Self::CountedOnly,
        }
    }

    /// Of the meetings of a slice.
    pub fn of_slice(slice: &coverage::Slice) -> Self {
        let audience = &slice.audience;
        Self::new(slice.fulfilment.held, audience.identified_meetings, audience.uncounted_meetings)
    }

    /// Of a number of held meetings, from what is published about their audience.
    pub fn of_audience(held: u64, audience: &published::Audience) -> Self {
        Self::new(held, audience.identified_meetings, audience.uncounted_meetings)
    }

    /// Of all that a reader sees.
    pub fn of_total(total: &published::ScopeTotal) -> Self {
        let known = Self::of_audience(total.plan.held, &total.audience);
        known.of_everybody(total.audience.reached.shown(), &total.denominator)
    }

    /// Of a whole campaign.
    pub fn of_region(slice: &coverage::Slice) -> Self {
        let reach = &slice.audience.reach;
        Self::of_slice(slice).of_everybody(Some(reach.reached), &reach.denominator)
    }

    fn of_everybody(self, reached: Option<u64>, denominator: &coverage::Denominator) -> Self {
        let nobody = reached == Some(0) && !denominator.is_known();
        if self == Self::Identified && nobody { Self::Unrecognised } else { self }
    }
}

//! Whether the number of different voters at a set of meetings is known: distinguishes zero, unknown and not applicable.
//!
//! Guarantees: page, PDF and CSV use this one rule, so none of them shows "0" where another shows that nobody was identified.

use crate::{coverage, published};

/// Whether the number of different voters at a set of meetings is known, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachStatus {
    /// No meeting was held: the question does not apply.
    NoMeetings,
    /// Meetings were held, and none has an attendance list or a headcount.
    Uncounted,
    /// People were counted, and nobody was identified: the number lies within bounds.
    CountedOnly,
    /// Somebody was identified, but no precinct was counted, so nobody can be recognised as a voter. Of a whole campaign only.
    Unrecognised,
    /// At least one attendance is strongly identified: the number of voters is known.
    Identified,
}

struct MeetingCounts {
    held: u64,
    /// With at least one identified attendance.
    identified: u64,
    /// With neither a headcount nor an attendance.
    uncounted: u64,
}

impl ReachStatus {
    fn of_meetings(meetings: MeetingCounts) -> Self {
        match meetings.held {
            0 => Self::NoMeetings,
            _ if meetings.identified > 0 => Self::Identified,
            held if meetings.uncounted >= held => Self::Uncounted,
            _ => Self::CountedOnly,
        }
    }

    /// Of the meetings of a slice.
    pub fn of_slice(slice: &coverage::Slice) -> Self {
        let audience = &slice.audience;
        Self::of_meetings(MeetingCounts {
            held: slice.fulfilment.held,
            identified: audience.identified_meetings,
            uncounted: audience.uncounted_meetings,
        })
    }

    /// Of a number of held meetings, from what is published about their audience.
    pub fn of_audience(held: u64, audience: &published::PublishedAudience) -> Self {
        Self::of_meetings(MeetingCounts { held, identified: audience.identified_meetings, uncounted: audience.uncounted_meetings })
    }

    /// Of all that a reader sees.
    pub fn of_total(total: &published::ScopeTotal) -> Self {
        let status = Self::of_audience(total.plan.held, &total.audience);
        status.of_everybody(total.audience.reached.shown(), &total.denominator)
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

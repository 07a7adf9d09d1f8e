//! Whether the number of different voters at a set of meetings is known: distinguishes zero, unknown and not applicable.
//!
//! Guarantees: page, PDF and CSV use this one rule, so none of them shows "0" where another shows that nobody was identified.

use crate::figures::{Denominator, MeetingFigures};

/// Whether the number of different voters at a set of meetings is known, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachStatus {
    /// No meeting was held: the question does not apply.
    NoMeetings,
    /// Meetings were held, and none has an attendance list or a headcount.
    Uncounted,
    /// People were counted, and nobody was identified: the number lies within bounds.
    CountedOnly,
    /// Somebody was identified, but no precinct of the campaign was counted, so nobody can be recognised as a voter.
    Unrecognised,
    /// At least one attendance is strongly identified: the number of voters is known.
    Identified,
}

impl ReachStatus {
    /// Of held meetings, from how many of them have at least one identified attendance, and how many have neither a headcount nor an
    /// attendance.
    pub fn of_meetings(held: u64, identified: u64, uncounted: u64) -> Self {
        match held {
            0 => Self::NoMeetings,
            _ if identified > 0 => Self::Identified,
            held if uncounted >= held => Self::Uncounted,
            _ => Self::CountedOnly,
        }
    }

    /// Of a set of meetings.
    pub fn of_figures(figures: &MeetingFigures) -> Self {
        let audience = &figures.audience;
        Self::of_meetings(figures.fulfilment.held, audience.identified_meetings, audience.uncounted_meetings)
    }

    /// Of a whole campaign.
    pub fn of_region(figures: &MeetingFigures) -> Self {
        let reach = &figures.audience.reach;
        Self::of_figures(figures).of_everybody(Some(reach.reached), &reach.denominator)
    }

    /// The status if so many people were reached, none if that is withheld, and these are the voters of the campaign.
    pub fn of_everybody(self, reached: Option<u64>, denominator: &Denominator) -> Self {
        let nobody = reached == Some(0) && !denominator.is_known();
        if self == Self::Identified && nobody { Self::Unrecognised } else { self }
    }
}

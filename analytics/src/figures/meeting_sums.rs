//! Sums over meetings: every figure that may be added up. Reach is not among them: it is counted from people.

use qamtu_schemas::fold::Headcount;

use super::{Audience, Fulfilment};

/// Different people at one meeting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttendeeCounts {
    /// Strongly identified, and known to be eligible or not to be.
    pub identified: u64,
    /// Identified people who are eligible.
    pub eligible: u64,
    /// Strongly identified, but nobody stated whether they are adult residents.
    pub unstated: u64,
    /// Weakly identified: known by phone number only.
    pub weak: u64,
}

impl AttendeeCounts {
    /// Everybody on the meeting's lists.
    pub fn recorded(self) -> u64 {
        self.identified + self.unstated + self.weak
    }
}

/// Sums over meetings, and one maximum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeetingSums {
    /// Numbers of meetings by state.
    pub fulfilment: Fulfilment,
    /// Attendance at counted meetings, without reach.
    pub audience: Audience,
    /// The largest number of eligible people that one meeting had at least: a maximum, not a sum.
    pub eligible_minimum: u64,
}

/// A figure that may be added up: its name, and its field.
pub type Sum = (&'static str, fn(&mut MeetingSums) -> &mut u64);

impl MeetingSums {
    /// Every sum, in the order of the output.
    pub const ALL: [Sum; 25] = [
        ("planned", |sums| &mut sums.fulfilment.planned),
        ("due", |sums| &mut sums.fulfilment.due),
        ("held", |sums| &mut sums.fulfilment.held),
        ("held_planned", |sums| &mut sums.fulfilment.held_planned),
        ("held_extra", |sums| &mut sums.fulfilment.held_extra),
        ("unlawful", |sums| &mut sums.fulfilment.unlawful),
        ("cancelled", |sums| &mut sums.fulfilment.cancelled),
        ("moved", |sums| &mut sums.fulfilment.moved),
        ("missing", |sums| &mut sums.fulfilment.missing),
        ("on_time", |sums| &mut sums.fulfilment.on_time),
        ("late", |sums| &mut sums.fulfilment.late),
        ("within_72_hours", |sums| &mut sums.fulfilment.within_72_hours),
        ("pending", |sums| &mut sums.fulfilment.pending),
        ("contested", |sums| &mut sums.fulfilment.contested),
        ("nobody_eligible", |sums| &mut sums.fulfilment.nobody_eligible),
        ("gross", |sums| &mut sums.audience.gross),
        ("identified", |sums| &mut sums.audience.identified),
        ("contacts", |sums| &mut sums.audience.contacts),
        ("weak", |sums| &mut sums.audience.weak),
        ("outside", |sums| &mut sums.audience.outside),
        ("unstated", |sums| &mut sums.audience.unstated),
        ("unidentified", |sums| &mut sums.audience.unidentified),
        ("headcount_meetings", |sums| &mut sums.audience.headcount_meetings),
        ("identified_meetings", |sums| &mut sums.audience.identified_meetings),
        ("uncounted_meetings", |sums| &mut sums.audience.uncounted_meetings),
    ];

    /// The audience of one counted meeting. If nobody at it was eligible, nobody is in it.
    pub fn of_audience(headcount: Option<Headcount>, people: AttendeeCounts) -> Self {
        if headcount.is_some_and(|count| count.nobody_eligible) {
            return Self { audience: Audience { headcount_meetings: 1, ..Audience::default() }, ..Self::default() };
        }
        let AttendeeCounts { identified, eligible, unstated, weak } = people;
        let (low, high, minimum): (u64, u64, u64) =
            headcount.map_or((0, 0, 0), |count| (count.low.into(), count.high.into(), count.eligible_minimum.into()));
        let recorded = people.recorded();
        let unidentified = high.max(recorded) - identified;
        let audience = Audience {
            gross: low.max(recorded),
            identified,
            contacts: eligible,
            weak,
            outside: identified - eligible,
            unstated,
            unidentified,
            headcount_meetings: u64::from(headcount.is_some()),
            identified_meetings: u64::from(identified > 0),
            uncounted_meetings: u64::from(headcount.is_none() && recorded == 0),
            ..Audience::default()
        };
        Self { audience, eligible_minimum: minimum.min(eligible + unidentified), ..Self::default() }
    }
}

//! Sums over counted meetings. Reach is not among them: it is counted from people.

use qamtu_schemas::fold::Headcount;

use super::slice::Audience;

/// Different people at one meeting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct AttendeeCounts {
    /// Strongly identified, and known to be eligible or not to be.
    pub(super) identified: u64,
    /// Identified people who are eligible.
    pub(super) eligible: u64,
    /// Strongly identified, but nobody stated whether they are adult residents.
    pub(super) unstated: u64,
    /// Weakly identified: known by phone number only.
    pub(super) weak: u64,
}

impl AttendeeCounts {
    /// Everybody on the meeting's lists.
    pub(super) fn recorded(self) -> u64 {
        self.identified + self.unstated + self.weak
    }
}

/// Sums over counted meetings, without reach.
#[derive(Debug, Clone, Default)]
pub(super) struct MeetingSums {
    /// All figures except reach.
    pub(super) audience: Audience,
    /// The largest number of eligible people that one meeting had at least.
    pub(super) eligible_minimum: u64,
}

impl MeetingSums {
    /// The sums of one counted meeting.
    pub(super) fn of(headcount: Option<Headcount>, people: AttendeeCounts) -> Self {
        let AttendeeCounts { identified, eligible, unstated, weak } = people;
        let (low, high, stated) =
            headcount.map_or((0, 0, 0), |heads| (u64::from(heads.low), u64::from(heads.high), u64::from(heads.eligible_minimum)));
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
        Self { audience, eligible_minimum: stated.min(eligible + unidentified) }
    }

    /// Adds the sums of another meeting.
    pub(super) fn add(&mut self, meeting: &Self) {
        let (sum, one) = (&mut self.audience, &meeting.audience);
        sum.gross += one.gross;
        sum.identified += one.identified;
        sum.contacts += one.contacts;
        sum.weak += one.weak;
        sum.outside += one.outside;
        sum.unstated += one.unstated;
        sum.unidentified += one.unidentified;
        sum.headcount_meetings += one.headcount_meetings;
        sum.identified_meetings += one.identified_meetings;
        sum.uncounted_meetings += one.uncounted_meetings;
        self.eligible_minimum = self.eligible_minimum.max(meeting.eligible_minimum);
    }
}

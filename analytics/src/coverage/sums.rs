//! Sums over counted meetings. Reach is not among them: it is counted from people.

use qamtu_schemas::fold::Headcount;

use crate::coverage::Audience;

/// Different people at one meeting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct People {
    /// Strongly identified, and known to be eligible or not to be.
    pub(crate) identified: u64,
    /// Identified people who are eligible.
    pub(crate) eligible: u64,
    /// Strongly identified, but nobody stated whether they are adult residents.
    pub(crate) unstated: u64,
    /// Weakly identified: known by phone number only.
    pub(crate) weak: u64,
}

/// Sums over counted meetings, without reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    /// All figures except reach.
    pub(crate) audience: Audience,
    /// The largest eligible minimum of one meeting.
    pub(crate) minimum: u64,
}

impl Sums {
    /// The sums of one counted meeting.
    pub(crate) fn of(headcount: Option<Headcount>, people: People) -> Self {
        let People { identified, eligible, unstated, weak } = people;
        let (low, high, stated) =
            headcount.map_or((0, 0, 0), |heads| (u64::from(heads.low), u64::from(heads.high), u64::from(heads.eligible_minimum)));
        let recorded = identified + unstated + weak;
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
        Self { audience, minimum: stated.min(eligible + unidentified) }
    }

    /// Adds the sums of another meeting.
    pub(crate) fn add(&mut self, meeting: &Self) {
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
        self.minimum = self.minimum.max(meeting.minimum);
    }
}

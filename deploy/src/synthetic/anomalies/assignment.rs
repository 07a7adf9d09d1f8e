//! Gives each kind of anomaly to a number of held meetings; the conditions say which meetings it fits.

use jiff::civil::Weekday;

use crate::synthetic::{
    World, audience,
    meeting::{Anomaly, CorrectionPattern, GeneratedMeeting, LineAnomaly},
};

/// Meetings with revealing audiences from which names are sent, which ingest refuses.
const REFUSED_NAMES: usize = 6;
/// Meetings whose names arrive before it is known that their audience is revealing.
const REVEALED_LATE: usize = 6;

/// The held meetings, in the random order in which they get anomalies.
pub(super) struct Assignment<'a> {
    pub world: &'a World<'a>,
    pub order: &'a [usize],
    pub meetings: &'a mut [GeneratedMeeting],
}

impl Assignment<'_> {
    /// Gives an anomaly to the first `number` meetings that pass the filter and have none.
    fn assign(&mut self, number: usize, anomaly: Anomaly, filter: impl Fn(&GeneratedMeeting) -> bool) {
        let free = |index: &usize| self.meetings[*index].anomaly == Anomaly::None && filter(&self.meetings[*index]);
        let chosen: Vec<usize> = self.order.iter().copied().filter(free).take(number).collect();
        chosen.into_iter().for_each(|index| self.meetings[index].anomaly = anomaly);
    }

    /// Anomalies of a fixed number of meetings, which must meet rare conditions.
    pub fn rare(&mut self) {
        let world = self.world;
        let last = world.campaign.calendar.closes;
        let day = |meeting: &GeneratedMeeting| world.clock.day(meeting.report.starts);
        let revealing = |meeting: &GeneratedMeeting| audience::revealing(world, &meeting.report);
        self.assign(3, Anomaly::CopiedSheet, |meeting| (20..80).contains(&meeting.lines.len()));
        self.assign(3, Anomaly::ReversedImport, |meeting| meeting.lines.len() > 10 && meeting.headcount.is_none());
        self.assign(2, Anomaly::DatedOnSilenceDay, |meeting| meeting.plan.is_some() && day(meeting) == last && meeting.moves.is_empty());
        self.assign(REFUSED_NAMES, Anomaly::RefusedNames, |meeting| meeting.plan.is_some() && revealing(meeting));
        if world.campaign.categories.iter().any(|category| category.revealing) {
            let sound = |meeting: &GeneratedMeeting| meeting.lines.iter().all(|line| line.anomaly == LineAnomaly::None);
            let has_sound_sheet =
                |meeting: &GeneratedMeeting| meeting.plan.is_some() && !meeting.lines.is_empty() && sound(meeting) && !revealing(meeting);
            self.assign(REVEALED_LATE, Anomaly::RevealedLate { contested: false }, has_sound_sheet);
            self.assign(REVEALED_LATE / 2, Anomaly::RevealedLate { contested: true }, has_sound_sheet);
        }
        // Mondays first: local midnight belongs to the previous week in UTC.
        self.assign(2, Anomaly::DateOnly, |meeting| is_after_first_day(world, meeting) && day(meeting).weekday() == Weekday::Monday);
        if world.campaign.units.len() > 1 {
            for contested in [false, true] {
                self.assign(4, Anomaly::OtherUnit { contested }, |meeting| meeting.plan.is_some() && !meeting.lines.is_empty());
            }
        }
        self.assign(6, Anomaly::HeldEarly, |meeting| {
            let planned = meeting.plan.as_ref().map(|plan| world.clock.day(plan.starts));
            planned < meeting.planned_start().map(|starts| world.clock.day(starts))
        });
    }

    /// Anomalies by their share of held meetings. Corrections are 5 %; of them 15 % are corrected twice and 10 % arrive before the original.
    pub fn by_share(&mut self) {
        let (world, held) = (self.world, self.order.len() as f64);
        let count = |share: f64| (held * share).round() as usize;
        let after_first_day = |meeting: &GeneratedMeeting| is_after_first_day(world, meeting);
        let planned = |meeting: &GeneratedMeeting| meeting.plan.is_some();
        let unmoved = |meeting: &GeneratedMeeting| meeting.plan.is_some() && meeting.moves.is_empty();
        let sheet = |meeting: &GeneratedMeeting| !meeting.lines.is_empty();
        let headcount = |meeting: &GeneratedMeeting| meeting.headcount.is_some();
        for (pattern, part) in [(CorrectionPattern::Twice, 0.15), (CorrectionPattern::Early, 0.1), (CorrectionPattern::Once, 0.75)] {
            let [dates, units, recounts] = [0.02 * part, 0.01 * part, 0.02 * part].map(count);
            self.assign(dates, Anomaly::WrongDate(pattern), |_| true);
            self.assign(units, Anomaly::WrongUnit(pattern), |_| true);
            self.assign(recounts, Anomaly::WrongHeadcount(pattern), headcount);
        }
        let [few, one, half, tenth] = [0.0025, 0.01, 0.005, 0.1].map(count);
        let midnights = half / 3;
        self.assign(few, Anomaly::NotHeld, |meeting| planned(meeting) && sheet(meeting));
        self.assign(few, Anomaly::CancelledYetHeld, planned);
        self.assign(few, Anomaly::CancellationCorrected, planned);
        self.assign(one, Anomaly::TwoReports, |_| true);
        self.assign(one, Anomaly::TwoHeadcounts, headcount);
        self.assign(one, Anomaly::Rekeyed, sheet);
        self.assign(midnights, Anomaly::StaleTimeZoneAtMidnight, after_first_day);
        self.assign(half - midnights, Anomaly::StaleTimeZone, |_| true);
        self.assign(few, Anomaly::Uncounted, |_| true);
        self.assign(one, Anomaly::MisspeltUnit, |_| true);
        self.assign(one, Anomaly::LatePlan, |meeting| unmoved(meeting) && sheet(meeting));
        self.assign(few, Anomaly::Replanned { early: true }, unmoved);
        self.assign(2 * one - few, Anomaly::Replanned { early: false }, unmoved);
        self.assign(few, Anomaly::TwoPlans, unmoved);
        self.assign(few, Anomaly::MovedToUnlawfulDay, unmoved);
        self.assign(few, Anomaly::DateOnly, after_first_day);
        self.assign(tenth, Anomaly::SheetFirst, sheet);
    }
}

/// On the first day, a shifted start would lie before the reference data.
fn is_after_first_day(world: &World<'_>, meeting: &GeneratedMeeting) -> bool {
    world.clock.day(meeting.report.starts) > world.scenario.first_meeting
}

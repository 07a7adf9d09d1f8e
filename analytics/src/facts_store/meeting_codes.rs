//! The values of each meeting dimension, and the numbers of the values that a plan or a report has.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use qamtu_schemas::id::{CategoryCode, CoalitionId, FormatCode, LanguageCode, MeetingId, MemberId, PartyCode, PrecinctId, UnitCode};

use super::{
    calendar::{LocalCalendar, monday, week_name},
    dictionary::Dictionary,
};
use crate::{
    dimension::MeetingDimension,
    facts::{Facts, meetings::InternedPlan},
    figures::MeetingSums,
};

const HEADCOUNT: &str = "headcount";
const HEADCOUNT_AND_LIST: &str = "headcount+list";
const LIST: &str = "list";
const NO_EVIDENCE: &str = "none";

/// Values of a dimension, and which of them each interned code is.
#[derive(Debug)]
struct Codes {
    values: Dictionary,
    /// Number of the value by interned code.
    number_of: Vec<Option<u32>>,
}

impl Codes {
    /// `listed` are the values of the reference data, `interned` those of plans and reports.
    fn new<'a>(listed: impl Iterator<Item = &'a str>, interned: impl Iterator<Item = &'a str> + Clone) -> Self {
        let values: Dictionary = listed.chain(interned.clone()).collect();
        Self { number_of: interned.map(|code| values.number(code)).collect(), values }
    }

    fn number(&self, interned: u32) -> Option<u32> {
        self.number_of[interned as usize]
    }
}

/// Numbers of the values of every meeting dimension.
#[derive(Debug)]
pub(super) struct MeetingCodes {
    /// Meetings with a plan or a report.
    meetings: Dictionary,
    units: Codes,
    precincts: Codes,
    coalitions: Codes,
    formats: Codes,
    languages: Codes,
    members: Codes,
    categories: Codes,
    /// Parties by interned member.
    parties: Codes,
    days: Dictionary,
    weeks: Dictionary,
    moments: BTreeMap<Date, Moment>,
    evidence: Dictionary,
}

/// The local day and week of a plan or report, as values of their dimensions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment {
    day: Option<u32>,
    week: Option<u32>,
}

impl MeetingCodes {
    pub(super) fn new(facts: &Facts, calendar: &LocalCalendar) -> Self {
        let (reference, meetings) = (&facts.reference, &facts.meetings);
        let campaign = || reference.campaign().into_iter();
        let plans_and_reports = meetings.rows().iter().flat_map(|meeting| meeting.plan.iter().chain(&meeting.report));
        let days: BTreeSet<Date> = plans_and_reports.map(|plan| calendar.day(plan.starts)).collect();
        let day_values: Dictionary = days.iter().map(Date::to_string).collect();
        let weeks: Dictionary = days.iter().map(|day| week_name(monday(*day))).collect();
        let moment = |day: &Date| Moment { day: day_values.number(&day.to_string()), week: weeks.number(&week_name(monday(*day))) };
        let members = || meetings.members.keys().iter();
        let party_of = |member| reference.member(member).and_then(|joined| joined.party.as_ref());
        let parties: Dictionary = campaign()
            .flat_map(|campaign| campaign.parties.iter().map(|party| party.code.as_str()))
            .chain(reference.members().filter_map(|member| member.party.as_ref()).map(PartyCode::as_str))
            .collect();
        let with_dimensions =
            meetings.ids().iter().zip(meetings.rows()).filter(|(_, meeting)| meeting.plan.is_some() || meeting.report.is_some());
        Self {
            meetings: with_dimensions.map(|(id, _)| id.as_str()).collect(),
            units: Codes::new(reference.units().map(|unit| unit.unit.as_str()), meetings.units.keys().iter().map(UnitCode::as_str)),
            precincts: Codes::new(
                reference.precincts(calendar.today).map(|count| count.precinct.as_str()),
                meetings.precincts.keys().iter().map(PrecinctId::as_str),
            ),
            coalitions: Codes::new(
                reference.coalitions().map(|coalition| coalition.coalition.as_str()),
                meetings.coalitions.keys().iter().map(CoalitionId::as_str),
            ),
            formats: Codes::new(
                campaign().flat_map(|campaign| campaign.formats.iter().map(|format| format.code.as_str())),
                meetings.formats.keys().iter().map(FormatCode::as_str),
            ),
            languages: Codes::new(
                campaign().flat_map(|campaign| campaign.languages.iter().map(|language| language.code.as_str())),
                meetings.languages.keys().iter().map(LanguageCode::as_str),
            ),
            members: Codes::new(reference.members().map(|member| member.member.as_str()), members().map(MemberId::as_str)),
            categories: Codes::new(
                campaign().flat_map(|campaign| campaign.categories.iter().map(|category| category.code.as_str())),
                meetings.categories.keys().iter().map(CategoryCode::as_str),
            ),
            parties: Codes { number_of: members().map(|member| parties.number(party_of(member)?.as_str())).collect(), values: parties },
            moments: days.iter().map(|day| (*day, moment(day))).collect(),
            days: day_values,
            weeks,
            evidence: [HEADCOUNT, HEADCOUNT_AND_LIST, LIST, NO_EVIDENCE].into_iter().collect(),
        }
    }

    /// Values of a dimension.
    pub(super) fn values(&self, dimension: MeetingDimension) -> &Dictionary {
        match dimension {
            MeetingDimension::Meeting => &self.meetings,
            MeetingDimension::Unit => &self.units.values,
            MeetingDimension::Precinct => &self.precincts.values,
            MeetingDimension::Coalition => &self.coalitions.values,
            MeetingDimension::Format => &self.formats.values,
            MeetingDimension::Language => &self.languages.values,
            MeetingDimension::Day => &self.days,
            MeetingDimension::Week => &self.weeks,
            MeetingDimension::Evidence => &self.evidence,
            MeetingDimension::Party => &self.parties.values,
            MeetingDimension::Member => &self.members.values,
            MeetingDimension::Category => &self.categories.values,
        }
    }

    pub(super) fn moment(&self, day: Date) -> Moment {
        self.moments.get(&day).copied().unwrap_or_default()
    }

    /// Numbers of the values of a plan or report, in ascending order; none if it has no value. `audience` are the sums of a report.
    pub(super) fn numbers(
        &self,
        dimension: MeetingDimension,
        id: &MeetingId,
        plan: &InternedPlan,
        moment: Moment,
        audience: Option<&MeetingSums>,
    ) -> Vec<u32> {
        let of = |codes: &Codes, interned: &[u32]| {
            let mut numbers: Vec<u32> = interned.iter().filter_map(|code| codes.number(*code)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        match dimension {
            MeetingDimension::Meeting => Vec::from_iter(self.meetings.number(id.as_str())),
            MeetingDimension::Unit => of(&self.units, &[plan.unit]),
            MeetingDimension::Precinct => of(&self.precincts, plan.precinct.as_slice()),
            MeetingDimension::Coalition => of(&self.coalitions, &[plan.coalition]),
            MeetingDimension::Format => of(&self.formats, &[plan.format]),
            MeetingDimension::Language => of(&self.languages, &[plan.language]),
            MeetingDimension::Day => Vec::from_iter(moment.day),
            MeetingDimension::Week => Vec::from_iter(moment.week),
            MeetingDimension::Evidence => audience.and_then(|sums| self.evidence.number(evidence(sums))).into_iter().collect(),
            MeetingDimension::Party => of(&self.parties, &plan.members),
            MeetingDimension::Member => of(&self.members, &plan.members),
            MeetingDimension::Category => of(&self.categories, &plan.categories),
        }
    }
}

/// What is known of the attendees of a counted meeting.
fn evidence(sums: &MeetingSums) -> &'static str {
    match (sums.audience.headcount_meetings > 0, sums.audience.listed() > 0) {
        (true, false) => HEADCOUNT,
        (true, true) => HEADCOUNT_AND_LIST,
        (false, true) => LIST,
        (false, false) => NO_EVIDENCE,
    }
}

//! Validates the rules of a payload that types cannot express: ranges, lengths, order.
//!
//! Guarantees: each violation has a JSON pointer below the payload. Ingest checks whether units and meetings exist.

use std::borrow::Cow;

use crate::{
    decode::{DecodeError, Mismatch, Rule},
    event::{
        AttendanceRecorded, Count, Data, Plan, PrecinctEnrolled,
        attendance::HeadcountReportedV1,
        campaign::{CampaignConfigured, ROLL_MAX_VOTERS},
    },
    instant::time_zone,
};

/// A violated rule and where it was violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleViolation {
    /// JSON pointer below the payload.
    pub pointer: Cow<'static, str>,
    /// The rule that was violated.
    pub rule: Rule,
}

impl RuleViolation {
    pub(super) fn into_error(self, prefix: &str) -> DecodeError {
        DecodeError::Payload { pointer: format!("{prefix}{}", self.pointer), mismatch: Mismatch::Rule(self.rule) }
    }
}

/// Maximum number of people in one room, precinct or survey: more is a typing error.
const PEOPLE_MAX: u32 = 100_000;

/// Maximum number of events that one correction or retraction may refer to.
const SUPERSEDES_MAX: usize = 1000;

pub(super) fn check(data: &Data) -> Result<(), RuleViolation> {
    match data {
        Data::CampaignConfigured(campaign) => calendar(campaign),
        Data::PrecinctEnrolled(enrolled) => roll(enrolled),
        Data::PrecinctCounted(count) => ensure(count.voters <= PEOPLE_MAX, "/voters", Rule::PeopleMax),
        Data::MeetingPlanned(planned) => plan(&planned.plan, "/plan").and(limit_events(planned.supersedes.len())),
        Data::MeetingRescheduled(moved) => require_events(moved.supersedes.len()),
        Data::MeetingHeld(held) => plan(&held.report, "/report"),
        Data::MeetingCorrected(corrected) => {
            require_events(corrected.supersedes.len())?;
            corrected.report.as_ref().map_or(Ok(()), |report| plan(report, "/report"))
        }
        Data::AttendanceRecorded(attendance) => sheet(attendance),
        Data::AttendanceRetracted(retracted) => {
            ensure((1..=SUPERSEDES_MAX).contains(&retracted.retracts.len()), "/retracts", Rule::EventsRequired)
        }
        Data::HeadcountReported(heads) => {
            counts(&heads.counts, heads.eligible_minimum)?;
            nobody_eligible(heads.nobody_eligible, heads.eligible_minimum)
        }
        Data::HeadcountRecounted(heads) => {
            require_events(heads.supersedes.len()).and(counts(&heads.counts, heads.eligible_minimum))?;
            nobody_eligible(heads.nobody_eligible, heads.eligible_minimum)
        }
        Data::SurveyReported(survey) => {
            ensure(survey.asked <= PEOPLE_MAX, "/asked", Rule::PeopleMax)?;
            ensure(survey.reached <= survey.asked, "/reached", Rule::ReachedMax)
        }
        Data::QuestionRaised(question) => ensure((1..=PEOPLE_MAX).contains(&question.count), "/count", Rule::QuestionCount),
        Data::ConsentGiven(given) => limit_events(given.supersedes.len()),
        Data::UnitDefined(_)
        | Data::AccessReported(_)
        | Data::CoalitionFormed(_)
        | Data::MemberJoined(_)
        | Data::VenueDescribed(_)
        | Data::MeetingCancelled(_)
        | Data::ConsentWithdrawn(_)
        | Data::ImportAccepted(_)
        | Data::ImportReversed(_) => Ok(()),
    }
}

pub(super) fn headcount_reported_v1(heads: &HeadcountReportedV1) -> Result<(), RuleViolation> {
    ensure(heads.people <= PEOPLE_MAX, "/people", Rule::PeopleMax)
}

fn ensure(condition: bool, pointer: impl Into<Cow<'static, str>>, rule: Rule) -> Result<(), RuleViolation> {
    if condition { Ok(()) } else { Err(RuleViolation { pointer: pointer.into(), rule }) }
}

fn require_events(events: usize) -> Result<(), RuleViolation> {
    ensure((1..=SUPERSEDES_MAX).contains(&events), "/supersedes", Rule::EventsRequired)
}

fn limit_events(events: usize) -> Result<(), RuleViolation> {
    ensure(events <= SUPERSEDES_MAX, "/supersedes", Rule::EventsMax)
}

fn plan(plan: &Plan, at: &str) -> Result<(), RuleViolation> {
    ensure(plan.members.len() <= 20, format!("{at}/members"), Rule::MembersMax)?;
    ensure(plan.secondary.len() <= 10, format!("{at}/secondary"), Rule::CategoriesMax)
}

fn sheet(attendance: &AttendanceRecorded) -> Result<(), RuleViolation> {
    ensure(attendance.sheet.as_ref().is_none_or(|sheet| sheet.line > 0), "/sheet/line", Rule::SheetLineMin)
}

fn roll(enrolled: &PrecinctEnrolled) -> Result<(), RuleViolation> {
    ensure(enrolled.voters.len() <= ROLL_MAX_VOTERS, "/voters", Rule::RollMax)?;
    let year = |band: u16| band == 0 || ((1900..=2100).contains(&band) && band.is_multiple_of(5));
    match enrolled.voters.iter().position(|voter| !year(voter.1)) {
        Some(line) => ensure(false, format!("/voters/{line}/1"), Rule::BirthBand),
        None => Ok(()),
    }
}

fn counts(counts: &[Count], eligible_minimum: Option<u32>) -> Result<(), RuleViolation> {
    ensure((1..=2).contains(&counts.len()), "/counts", Rule::OneOrTwoCounts)?;
    for (index, count) in counts.iter().enumerate() {
        ensure(count.people <= PEOPLE_MAX, format!("/counts/{index}/people"), Rule::PeopleMax)?;
    }
    ensure(counts.len() < 2 || counts[0].counter != counts[1].counter, "/counts/1/counter", Rule::OtherCounter)?;
    let low = counts.iter().map(|count| count.people).min().unwrap_or(0);
    ensure(eligible_minimum.is_none_or(|minimum| minimum <= low), "/eligible_minimum", Rule::EligibleMax)
}

fn nobody_eligible(is_stated: bool, eligible_minimum: Option<u32>) -> Result<(), RuleViolation> {
    ensure(!is_stated || eligible_minimum.unwrap_or(0) == 0, "/eligible_minimum", Rule::NobodyEligible)
}

fn calendar(campaign: &CampaignConfigured) -> Result<(), RuleViolation> {
    ensure(campaign.opens <= campaign.closes, "/closes", Rule::ClosesBeforeOpens)?;
    ensure(campaign.closes < campaign.silence_day, "/silence_day", Rule::SilenceBeforeCloses)?;
    ensure(campaign.silence_day < campaign.vote_day, "/vote_day", Rule::VoteBeforeSilence)?;
    ensure(time_zone(&campaign.time_zone).is_ok(), "/time_zone", Rule::TimeZone)
}

//! What types cannot say about a payload: how many, and in which order.
//!
//! Guarantees: each flaw names its place as a JSON pointer below the payload. Whether a unit or a meeting exists is asked elsewhere.

use std::borrow::Cow;

use crate::{
    decode::{DecodeError, Mismatch, Rule},
    event::{
        AttendanceRecorded, Count, Data, Plan, PrecinctEnrolled,
        audience::HeadcountReportedV1,
        campaign::{CampaignConfigured, ROLL_MAX_VOTERS},
    },
    instant::time_zone,
};

/// A rule that a payload breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Place below the payload.
    pub pointer: Cow<'static, str>,
    /// What must hold.
    pub rule: Rule,
}

impl Flaw {
    pub(super) fn under(self, prefix: &str) -> DecodeError {
        DecodeError::Payload { pointer: format!("{prefix}{}", self.pointer), mismatch: Mismatch::Rule(self.rule) }
    }
}

/// Most people in one room, in one precinct or at one survey: more is a typing error.
const PEOPLE_MAX: u32 = 100_000;

/// Most events one correction or retraction may name.
const SUPERSEDES_MAX: usize = 1000;

pub(super) fn check(data: &Data) -> Result<(), Flaw> {
    match data {
        Data::CampaignConfigured(campaign) => calendar(campaign),
        Data::PrecinctEnrolled(enrolled) => roll(enrolled),
        Data::PrecinctCounted(count) => hold(count.voters <= PEOPLE_MAX, "/voters", Rule::PeopleMax),
        Data::MeetingPlanned(planned) => plan(&planned.plan, "/plan").and(few(planned.supersedes.len())),
        Data::MeetingRescheduled(moved) => some(moved.supersedes.len()),
        Data::MeetingHeld(held) => plan(&held.report, "/report"),
        Data::MeetingCorrected(corrected) => {
            some(corrected.supersedes.len())?;
            corrected.report.as_ref().map_or(Ok(()), |report| plan(report, "/report"))
        }
        Data::AttendanceRecorded(attendance) => sheet(attendance),
        Data::AttendanceRetracted(retracted) => {
            hold((1..=SUPERSEDES_MAX).contains(&retracted.retracts.len()), "/retracts", Rule::EventsRequired)
        }
        Data::HeadcountReported(heads) => counts(&heads.counts, heads.eligible_minimum),
        Data::HeadcountRecounted(heads) => some(heads.supersedes.len()).and(counts(&heads.counts, heads.eligible_minimum)),
        Data::SurveyReported(survey) => {
            hold(survey.asked <= PEOPLE_MAX, "/asked", Rule::PeopleMax)?;
            hold(survey.reached <= survey.asked, "/reached", Rule::ReachedMax)
        }
        Data::QuestionRaised(question) => hold((1..=PEOPLE_MAX).contains(&question.count), "/count", Rule::QuestionCount),
        Data::ConsentGiven(given) => few(given.supersedes.len()),
        Data::UnitDefined(_)
        | Data::CoalitionFormed(_)
        | Data::MemberJoined(_)
        | Data::VenueDescribed(_)
        | Data::MeetingCancelled(_)
        | Data::ConsentWithdrawn(_)
        | Data::ImportAccepted(_)
        | Data::ImportReversed(_) => Ok(()),
    }
}

pub(super) fn headcount_reported_v1(heads: &HeadcountReportedV1) -> Result<(), Flaw> {
    hold(heads.people <= PEOPLE_MAX, "/people", Rule::PeopleMax)
}

fn hold(holds: bool, pointer: impl Into<Cow<'static, str>>, rule: Rule) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(Flaw { pointer: pointer.into(), rule }) }
}

fn some(events: usize) -> Result<(), Flaw> {
    hold((1..=SUPERSEDES_MAX).contains(&events), "/supersedes", Rule::EventsRequired)
}

fn few(events: usize) -> Result<(), Flaw> {
    hold(events <= SUPERSEDES_MAX, "/supersedes", Rule::EventsMax)
}

fn plan(plan: &Plan, at: &str) -> Result<(), Flaw> {
    hold(plan.members.len() <= 20, format!("{at}/members"), Rule::MembersMax)?;
    hold(plan.secondary.len() <= 10, format!("{at}/secondary"), Rule::CategoriesMax)
}

fn sheet(attendance: &AttendanceRecorded) -> Result<(), Flaw> {
    hold(attendance.sheet.as_ref().is_none_or(|sheet| sheet.line > 0), "/sheet/line", Rule::SheetLineMin)
}

fn roll(enrolled: &PrecinctEnrolled) -> Result<(), Flaw> {
    hold(enrolled.voters.len() <= ROLL_MAX_VOTERS, "/voters", Rule::RollMax)?;
    let year = |band: u16| band == 0 || ((1900..=2100).contains(&band) && band.is_multiple_of(5));
    match enrolled.voters.iter().position(|voter| !year(voter.1)) {
        Some(line) => hold(false, format!("/voters/{line}/1"), Rule::BirthBand),
        None => Ok(()),
    }
}

fn counts(counts: &[Count], eligible_minimum: Option<u32>) -> Result<(), Flaw> {
    hold((1..=2).contains(&counts.len()), "/counts", Rule::OneOrTwoCounts)?;
    for (index, count) in counts.iter().enumerate() {
        hold(count.people <= PEOPLE_MAX, format!("/counts/{index}/people"), Rule::PeopleMax)?;
    }
    hold(counts.len() < 2 || counts[0].counter != counts[1].counter, "/counts/1/counter", Rule::OtherCounter)?;
    let low = counts.iter().map(|count| count.people).min().unwrap_or(0);
    hold(eligible_minimum.is_none_or(|minimum| minimum <= low), "/eligible_minimum", Rule::EligibleMax)
}

fn calendar(campaign: &CampaignConfigured) -> Result<(), Flaw> {
    hold(campaign.opens <= campaign.closes, "/closes", Rule::ClosesBeforeOpens)?;
    hold(campaign.closes < campaign.silence_day, "/silence_day", Rule::SilenceBeforeCloses)?;
    hold(campaign.silence_day < campaign.vote_day, "/vote_day", Rule::VoteBeforeSilence)?;
    hold(time_zone(&campaign.time_zone).is_ok(), "/time_zone", Rule::TimeZone)
}

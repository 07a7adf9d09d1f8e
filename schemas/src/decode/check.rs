//! What types cannot say about a payload: how many, and in which order.
//!
//! Guarantees: each flaw names its place as a JSON pointer below the payload. Whether a unit or a meeting exists is asked elsewhere.

use std::borrow::Cow;

use crate::{
    decode::DecodeError,
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
    pub rule: &'static str,
}

impl Flaw {
    pub(super) fn under(self, prefix: &str) -> DecodeError {
        DecodeError::Payload { pointer: format!("{prefix}{}", self.pointer), reason: self.rule.to_owned() }
    }
}

/// Most people in one room, in one precinct or at one survey: more is a typing error.
const PEOPLE_MAX: u32 = 100_000;
const PEOPLE_RULE: &str = "must be at most 100,000";

/// Most events one correction or retraction may name.
const SUPERSEDES_MAX: usize = 1000;

pub(super) fn check(data: &Data) -> Result<(), Flaw> {
    match data {
        Data::CampaignConfigured(campaign) => calendar(campaign),
        Data::PrecinctEnrolled(enrolled) => roll(enrolled),
        Data::PrecinctCounted(count) => hold(count.voters <= PEOPLE_MAX, "/voters", PEOPLE_RULE),
        Data::MeetingPlanned(planned) => plan(&planned.plan, "/plan").and(few(planned.supersedes.len())),
        Data::MeetingRescheduled(moved) => some(moved.supersedes.len()),
        Data::MeetingHeld(held) => plan(&held.report, "/report"),
        Data::MeetingCorrected(corrected) => {
            some(corrected.supersedes.len())?;
            corrected.report.as_ref().map_or(Ok(()), |report| plan(report, "/report"))
        }
        Data::AttendanceRecorded(attendance) => sheet(attendance),
        Data::AttendanceRetracted(retracted) => {
            hold((1..=SUPERSEDES_MAX).contains(&retracted.retracts.len()), "/retracts", "must name 1 to 1,000 events")
        }
        Data::HeadcountReported(heads) => counts(&heads.counts, heads.eligible_minimum),
        Data::HeadcountRecounted(heads) => some(heads.supersedes.len()).and(counts(&heads.counts, heads.eligible_minimum)),
        Data::SurveyReported(survey) => {
            hold(survey.asked <= PEOPLE_MAX, "/asked", PEOPLE_RULE)?;
            hold(survey.reached <= survey.asked, "/reached", "must be at most the number asked")
        }
        Data::QuestionRaised(question) => hold((1..=PEOPLE_MAX).contains(&question.count), "/count", "must be 1 to 100,000"),
        Data::ConsentGiven(given) => few(given.supersedes.len()),
        Data::UnitDefined(_)
        | Data::CoalitionFormed(_)
        | Data::MemberJoined(_)
        | Data::VenueDescribed(_)
        | Data::MeetingCancelled(_)
        | Data::ConsentWithdrawn(_)
        | Data::BatchAccepted(_)
        | Data::BatchReversed(_) => Ok(()),
    }
}

pub(super) fn headcount_reported_v1(heads: &HeadcountReportedV1) -> Result<(), Flaw> {
    hold(heads.people <= PEOPLE_MAX, "/people", PEOPLE_RULE)
}

fn hold(holds: bool, pointer: impl Into<Cow<'static, str>>, rule: &'static str) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(Flaw { pointer: pointer.into(), rule }) }
}

fn some(events: usize) -> Result<(), Flaw> {
    hold((1..=SUPERSEDES_MAX).contains(&events), "/supersedes", "must name 1 to 1,000 events")
}

fn few(events: usize) -> Result<(), Flaw> {
    hold(events <= SUPERSEDES_MAX, "/supersedes", "must name at most 1,000 events")
}

fn plan(plan: &Plan, at: &str) -> Result<(), Flaw> {
    hold(plan.members.len() <= 20, format!("{at}/members"), "must name at most 20 members")?;
    hold(plan.secondary.len() <= 10, format!("{at}/secondary"), "must name at most 10 categories")
}

fn sheet(attendance: &AttendanceRecorded) -> Result<(), Flaw> {
    hold(attendance.sheet.as_ref().is_none_or(|sheet| sheet.line > 0), "/sheet/line", "must be 1 or more")
}

fn roll(enrolled: &PrecinctEnrolled) -> Result<(), Flaw> {
    hold(enrolled.voters.len() <= ROLL_MAX_VOTERS, "/voters", "a precinct's roll has at most 10,000 voters")?;
    let year = |band: u16| band == 0 || ((1900..=2100).contains(&band) && band.is_multiple_of(5));
    match enrolled.voters.iter().position(|voter| !year(voter.1)) {
        Some(line) => hold(false, format!("/voters/{line}/1"), "must be 0 or the first year of a five-year band, such as 1985"),
        None => Ok(()),
    }
}

fn counts(counts: &[Count], eligible_minimum: Option<u32>) -> Result<(), Flaw> {
    hold((1..=2).contains(&counts.len()), "/counts", "must hold one count or two")?;
    for (index, count) in counts.iter().enumerate() {
        hold(count.people <= PEOPLE_MAX, format!("/counts/{index}/people"), PEOPLE_RULE)?;
    }
    hold(counts.len() < 2 || counts[0].counter != counts[1].counter, "/counts/1/counter", "must be another counter than the first")?;
    let low = counts.iter().map(|count| count.people).min().unwrap_or(0);
    hold(eligible_minimum.is_none_or(|minimum| minimum <= low), "/eligible_minimum", "must be at most the smaller count")
}

fn calendar(campaign: &CampaignConfigured) -> Result<(), Flaw> {
    hold(campaign.opens <= campaign.closes, "/closes", "must not be before opens")?;
    hold(campaign.closes < campaign.silence_day, "/silence_day", "must be after closes")?;
    hold(campaign.silence_day < campaign.vote_day, "/vote_day", "must be after silence_day")?;
    hold(time_zone(&campaign.time_zone).is_ok(), "/time_zone", "must be an IANA time zone such as Asia/Almaty")
}

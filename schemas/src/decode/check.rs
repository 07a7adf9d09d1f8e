//! What types cannot say about a payload: how many, and in which order.
//!
//! Guarantees: each flaw names its place as a JSON pointer below the payload. Whether a unit or a meeting exists is asked elsewhere.

use crate::{
    decode::DecodeError,
    event::{
        Data,
        audience::Count,
        campaign::{CampaignConfigured, ROLL_MAX_VOTERS},
        meeting::Plan,
    },
};

/// A rule that a payload breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Place below the payload.
    pub pointer: &'static str,
    /// What must hold.
    pub rule: &'static str,
}

impl Flaw {
    pub(super) fn under(self, prefix: &str) -> DecodeError {
        DecodeError::Payload { pointer: format!("{prefix}{}", self.pointer), reason: self.rule.to_owned() }
    }
}

/// Most people in one room or at one survey: more is a typing error.
const PEOPLE_MAX: u32 = 100_000;

/// Most events one correction or retraction may name.
const SUPERSEDES_MAX: usize = 1000;

pub(super) fn check(data: &Data) -> Result<(), Flaw> {
    match data {
        Data::CampaignConfigured(campaign) => calendar(campaign),
        Data::PrecinctEnrolled(roll) => {
            hold(roll.voters.len() <= ROLL_MAX_VOTERS, "/voters", "a precinct's roll has at most 10,000 voters")
        }
        Data::PrecinctCounted(count) => hold(count.voters <= PEOPLE_MAX, "/voters", "must be at most 100,000"),
        Data::MeetingPlanned(planned) => plan(&planned.plan, "/plan/members", "/plan/secondary").and(few(planned.supersedes.len())),
        Data::MeetingRescheduled(moved) => some(moved.supersedes.len()),
        Data::MeetingHeld(held) => plan(&held.report, "/report/members", "/report/secondary"),
        Data::MeetingCorrected(corrected) => {
            some(corrected.supersedes.len())?;
            corrected.report.as_ref().map_or(Ok(()), |report| plan(report, "/report/members", "/report/secondary"))
        }
        Data::AttendanceRetracted(retracted) => {
            hold((1..=SUPERSEDES_MAX).contains(&retracted.retracts.len()), "/retracts", "must name 1 to 1,000 events")
        }
        Data::HeadcountReported(heads) => counts(&heads.counts, heads.eligible_minimum),
        Data::HeadcountRecounted(heads) => some(heads.supersedes.len()).and(counts(&heads.counts, heads.eligible_minimum)),
        Data::SurveyReported(survey) => hold(survey.reached <= survey.asked, "/reached", "must be at most the number asked"),
        Data::QuestionRaised(question) => hold((1..=PEOPLE_MAX).contains(&question.count), "/count", "must be 1 to 100,000"),
        Data::ConsentGiven(given) => few(given.supersedes.len()),
        _ => Ok(()),
    }
}

fn hold(holds: bool, pointer: &'static str, rule: &'static str) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(Flaw { pointer, rule }) }
}

fn some(events: usize) -> Result<(), Flaw> {
    hold((1..=SUPERSEDES_MAX).contains(&events), "/supersedes", "must name 1 to 1,000 events")
}

fn few(events: usize) -> Result<(), Flaw> {
    hold(events <= SUPERSEDES_MAX, "/supersedes", "must name at most 1,000 events")
}

fn plan(plan: &Plan, members: &'static str, secondary: &'static str) -> Result<(), Flaw> {
    hold(plan.members.len() <= 20, members, "must name at most 20 members")?;
    hold(plan.secondary.len() <= 10, secondary, "must name at most 10 categories")
}

fn counts(counts: &[Count], eligible_minimum: Option<u32>) -> Result<(), Flaw> {
    hold((1..=2).contains(&counts.len()), "/counts", "must hold one count or two")?;
    hold(counts.iter().all(|count| count.people <= PEOPLE_MAX), "/counts", "must be at most 100,000 people")?;
    hold(counts.len() < 2 || counts[0].counter != counts[1].counter, "/counts/1/counter", "must be another counter than the first")?;
    let low = counts.iter().map(|count| count.people).min().unwrap_or(0);
    hold(eligible_minimum.is_none_or(|minimum| minimum <= low), "/eligible_minimum", "must be at most the smaller count")
}

fn calendar(campaign: &CampaignConfigured) -> Result<(), Flaw> {
    hold(campaign.opens <= campaign.closes, "/closes", "must not be before opens")?;
    hold(campaign.closes < campaign.silence_day, "/silence_day", "must be after closes")?;
    hold(campaign.silence_day < campaign.vote_day, "/vote_day", "must be after silence_day")?;
    hold(jiff::tz::TimeZone::get(&campaign.time_zone).is_ok(), "/time_zone", "must be an IANA time zone such as Asia/Almaty")
}

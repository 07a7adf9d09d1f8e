//! Refuses ids that look like another known id of the campaign.
//!
//! Guarantees: a meeting with a plan or a report, and everything that reference data defines, has one spelling; an event about a look-alike
//! is refused, and the refusal names the known id. A meeting without plan and report refuses no other spelling, so that a typing error on
//! a sheet does not block the plan. Two concurrent requests may still bring one spelling each.

use qamtu_schemas::{Kind, id::MeetingId};

use super::KnownState;
use crate::{
    register::look_alikes::{Subject, look_alike},
    rejection::{Detail, ProblemCode, Rejection},
    submission::{Submission, json::Json},
};

/// Checks the id as it was sent, before it is parsed: also ids that are no valid codes are compared.
pub(super) fn check(submission: &Submission<'_>, known: &KnownState<'_>) -> Result<(), Rejection> {
    if submission.kind.kind == Kind::CampaignConfigured {
        return campaign(submission, known);
    }
    let Some(subject) = Subject::of(submission.kind.kind) else { return Ok(()) };
    let Some(id) = submission.data.field(subject.field()).and_then(Json::text) else { return Ok(()) };
    let is_known = |id: &str| match (subject, id.parse::<MeetingId>()) {
        (Subject::Meeting, Ok(id)) => known.meeting(&submission.campaign, &id).any(|meeting| meeting.known),
        (Subject::Meeting, Err(_)) => false,
        _ => known.defines(&submission.campaign, subject, id),
    };
    if is_known(id) {
        return Ok(());
    }
    match known.look_alikes(&submission.campaign, subject, id).find(|other| is_known(other)) {
        Some(other) => Err(refusal(subject.field(), other)),
        None => Ok(()),
    }
}

/// Compares the id of a new campaign with those of the others.
fn campaign(submission: &Submission<'_>, known: &KnownState<'_>) -> Result<(), Rejection> {
    match known.campaigns().find(|other| look_alike(submission.campaign.as_str(), other.as_str())) {
        Some(other) if known.config(&submission.campaign).is_none() => Err(refusal("campaign", other.as_str())),
        _ => Ok(()),
    }
}

fn refusal(field: &str, other: &str) -> Rejection {
    Rejection::new(ProblemCode::LookAlikeId, Detail::LooksLike { other: other.to_owned() }).at(format!("/data/{field}"))
}

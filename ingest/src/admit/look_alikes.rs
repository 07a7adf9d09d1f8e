//! Does the id that an event is about look like another one of the campaign?
//!
//! Guarantees: a meeting whose plan or report is known, and everything that reference data defines, has one spelling: an event about a
//! look-alike is refused, and the refusal names the id that is known. A meeting of which neither is known blocks nobody, so that a
//! typing error on a sheet does not keep the right plan out. Two requests at the same time may still bring one spelling each.

use qamtu_schemas::{Kind, id::MeetingId};

use super::Scope;
use crate::{
    register::look_alikes::{Subject, look_alike},
    rejection::{Detail, Reason, Rejection},
    submission::{Submission, json::Json},
};

/// Checks the id that a submission is about, as it was sent: one that is no code is told apart here as well.
pub(super) fn check(submission: &Submission<'_>, scope: &Scope<'_>) -> Result<(), Rejection> {
    if submission.kind.kind == Kind::CampaignConfigured {
        return campaign(submission, scope);
    }
    let Some(subject) = Subject::of(submission.kind.kind) else { return Ok(()) };
    let Some(id) = submission.data.field(subject.field()).and_then(Json::text) else { return Ok(()) };
    let known = |id: &str| match (subject, id.parse::<MeetingId>()) {
        (Subject::Meeting, Ok(id)) => scope.meeting(&submission.campaign, &id).any(|meeting| meeting.known),
        (Subject::Meeting, Err(_)) => false,
        _ => scope.defines(&submission.campaign, subject, id),
    };
    if known(id) {
        return Ok(());
    }
    match scope.look_alikes(&submission.campaign, subject, id).find(|other| known(other)) {
        Some(other) => Err(refusal(subject.field(), other)),
        None => Ok(()),
    }
}

/// The id of a new campaign against those of the others.
fn campaign(submission: &Submission<'_>, scope: &Scope<'_>) -> Result<(), Rejection> {
    match scope.campaigns().find(|other| look_alike(submission.campaign.as_str(), other.as_str())) {
        Some(other) if scope.config(&submission.campaign).is_none() => Err(refusal("campaign", other.as_str())),
        _ => Ok(()),
    }
}

fn refusal(what: &str, other: &str) -> Rejection {
    Rejection::new(Reason::LookAlikeId, Detail::LooksLike { other: other.to_owned() }).at(format!("/data/{what}"))
}

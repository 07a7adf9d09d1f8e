//! Emits the plan of a meeting, its moves and its cancellation.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{MeetingCancelled, MeetingPlanned, MeetingRescheduled},
    id::EventId,
};

use super::{
    emitter::{EventEmitter, ExpectedOutcome, hours, text},
    meeting::{Anomaly, GeneratedDetails, GeneratedMeeting},
};

/// Emits the plan and its moves; `reported` is the arrival of the report.
pub(super) fn plan(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting, reported: Timestamp) {
    let Some(plan) = &meeting.plan else { return };
    let world = emitter.world;
    // No plan arrives before the first morning.
    let earliest = world.clock.at(world.scenario.first_meeting, 8) + SignedDuration::from_secs(emitter.rng.between(0, 3 * 3_600));
    let usual = plan.starts - SignedDuration::from_mins(emitter.rng.between(2 * 24 * 60, 10 * 24 * 60));
    let mut received = usual.max(earliest);
    if meeting.anomaly == Anomaly::LatePlan {
        received = reported + hours(emitter.rng.between(4, 20));
    }
    let metadata = emitter.metadata("plan-form", received - SignedDuration::from_mins(20), received);
    let planned =
        |details: &GeneratedDetails, supersedes| MeetingPlanned { meeting: meeting.id.clone(), supersedes, plan: details.payload(world) };
    let other = || {
        let unit = (plan.unit + 1) % world.campaign.units.len();
        GeneratedDetails { unit, precinct: None, venue: None, starts: plan.starts - hours(2), ..plan.clone() }
    };
    let mut last = match meeting.anomaly {
        Anomaly::Replanned { early } => {
            let replaced = emitter.id(metadata.recorded);
            let replaced_metadata = if early { metadata.shifted_by(hours(5)) } else { metadata.clone() };
            emitter.send_as(replaced, replaced_metadata, planned(&other(), Vec::new()).into(), ExpectedOutcome::Accepted);
            let metadata = if early { metadata.clone() } else { metadata.shifted_by(hours(5)) };
            emitter.send(metadata, planned(plan, vec![replaced]))
        }
        Anomaly::TwoPlans => {
            // The plan in force has the later id and arrives first.
            let rival = emitter.id(metadata.recorded);
            emitter.send_as(rival, metadata.shifted_by(hours(2)), planned(&other(), Vec::new()).into(), ExpectedOutcome::Accepted);
            emitter.send(metadata.shifted_by(SignedDuration::from_secs(60)), planned(plan, Vec::new()))
        }
        _ => emitter.send(metadata.clone(), planned(plan, Vec::new())),
    };
    for (step, starts) in meeting.moves.iter().enumerate() {
        let moved = MeetingRescheduled { meeting: meeting.id.clone(), supersedes: vec![last], starts: *starts, reason: None };
        let late = emitter.rng.chance(0.1);
        // Some moves are reported only after the meeting.
        let reported_at =
            if late { meeting.report.ends() + hours(3) } else { received + hours(6) + SignedDuration::from_mins(40 * step as i64) };
        last = emitter.send(emitter.metadata("plan-form", reported_at, reported_at + SignedDuration::from_mins(step as i64)), moved);
    }
}

/// Emits a cancellation; returns its id.
pub(super) fn cancel(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting) -> EventId {
    let starts = meeting.planned_start().unwrap_or(meeting.report.starts);
    let reported_at = starts + hours(emitter.rng.between(-20, 20));
    let cancelled = MeetingCancelled { meeting: meeting.id.clone(), reason: Some(text("SYNTHETIC")) };
    let metadata = emitter.metadata("plan-form", reported_at, reported_at + SignedDuration::from_mins(5));
    emitter.send(metadata, cancelled)
}

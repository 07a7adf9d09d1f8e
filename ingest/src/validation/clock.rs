//! Compares the times of a submission with the server's clock.
//!
//! Guarantees: no event gets a `receivedtime` that readers of the log refuse or that is older than this program; while the clock is that
//! wrong, nothing is accepted. An event, or a meeting reported as held, lies at most a day after its receipt.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    Data, Kind,
    instant::{check_range, micros},
};

use crate::{
    rejection::{Detail, ProblemCode, Rejection},
    submission::Submission,
};

/// Largest accepted difference between the clocks of devices and of this server.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(24);

/// A clock that shows an earlier time was never set.
const EARLIEST: &str = "2026-01-01T00:00:00Z";

/// Refuses (503) if the server's clock is implausible. Checked before each chunk, because every event is stamped with this clock.
pub fn plausible(now: Timestamp) -> Result<(), Rejection> {
    let earliest: Result<Timestamp, _> = EARLIEST.parse();
    if check_range(now).is_ok() && earliest.is_ok_and(|earliest| now >= earliest) {
        return Ok(());
    }
    Err(Rejection::new(ProblemCode::ServerClock, Detail::ServerClock))
}

/// Checks `time` and `recordedtime`, and returns `receivedtime` in microseconds precision.
pub(super) fn received(submission: &Submission<'_>, synthetic: bool, now: Timestamp) -> Result<Timestamp, Rejection> {
    if submission.receivedtime.is_some() && !synthetic {
        return Err(Rejection::new(ProblemCode::SimulatedClock, Detail::ServerStamps).at("/receivedtime"));
    }
    let received = micros(submission.receivedtime.unwrap_or(now));
    if submission.receivedtime.is_none() {
        plausible(received)?;
    }
    // Reference data may be sent before it takes effect.
    let happened = Some(submission.time).filter(|_| !may_lie_ahead(submission.kind.kind));
    for (name, time) in [("/time", happened), ("/recordedtime", submission.recordedtime)] {
        if time.is_some_and(|time| is_too_late(time, received)) {
            return Err(Rejection::new(ProblemCode::FutureTime, Detail::Future).at(name));
        }
    }
    if submission.recordedtime.is_some_and(|recorded| is_too_late(submission.time, recorded)) {
        return Err(Rejection::new(ProblemCode::WrongOrder, Detail::RecordedEarly).at("/recordedtime"));
    }
    Ok(received)
}

/// Refuses the report of a meeting that has not begun. Plans and rescheduled plans may lie in the future.
pub(super) fn reported(data: &Data, received: Timestamp) -> Result<(), Rejection> {
    let report = match data {
        Data::MeetingHeld(data) => Some(&data.report),
        Data::MeetingCorrected(data) => data.report.as_ref(),
        _ => None,
    };
    if report.is_some_and(|report| is_too_late(report.starts, received)) {
        return Err(Rejection::new(ProblemCode::FutureTime, Detail::HeldInFuture).at("/data/report/starts"));
    }
    Ok(())
}

fn is_too_late(time: Timestamp, limit: Timestamp) -> bool {
    time.duration_since(limit) > CLOCKS_APART
}

/// Types whose `time` says when they take effect, not when something happened.
fn may_lie_ahead(kind: Kind) -> bool {
    matches!(kind, Kind::CampaignConfigured | Kind::UnitDefined | Kind::CoalitionFormed | Kind::MemberJoined | Kind::VenueDescribed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_outside_the_contract_or_before_this_program_is_implausible() {
        let code = |now: &str| plausible(now.parse().unwrap()).map_err(|rejection| rejection.code);
        for wrong in
            ["1970-01-01T00:00:07Z", "2000-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "9999-01-01T00:00:00Z"]
        {
            assert_eq!(code(wrong), Err(ProblemCode::ServerClock), "{wrong}");
        }
        assert_eq!(code("2026-01-01T00:00:00Z"), Ok(()));
        assert_eq!(code("2100-12-31T23:59:59.999999Z"), Ok(()));
        assert_eq!(ProblemCode::ServerClock.status(), 503);
    }
}

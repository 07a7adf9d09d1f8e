//! The times of a submission against the clock of the server.
//!
//! Guarantees: nothing is stamped with a time that readers of the log refuse, or that lies before this program existed: with such a
//! clock nothing is accepted. What happened (an event, a meeting that is reported as held) lies at most a day after its receipt.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    Data, Kind,
    instant::{in_contract, micros},
};

use crate::{
    rejection::{Detail, Reason, Rejection},
    submission::Submission,
};

/// How far the clocks of devices and of this server may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(24);

/// The contract was written after this: a clock that shows an earlier time was never set.
const EARLIEST: &str = "2026-01-01T00:00:00Z";

/// Is the server's own clock plausible? Asked before anything of a request is looked at, since every event is stamped with it.
pub fn plausible(now: Timestamp) -> Result<(), Rejection> {
    let earliest: Result<Timestamp, _> = EARLIEST.parse();
    if in_contract(now).is_ok() && earliest.is_ok_and(|earliest| now >= earliest) {
        return Ok(());
    }
    Err(Rejection::new(Reason::ServerClock, Detail::ServerClock))
}

/// Checks the three times and stamps the third, in microseconds.
pub(super) fn received(submission: &Submission<'_>, synthetic: bool, now: Timestamp) -> Result<Timestamp, Rejection> {
    if submission.receivedtime.is_some() && !synthetic {
        return Err(Rejection::new(Reason::SimulatedClock, Detail::ServerStamps).at("/receivedtime"));
    }
    let received = micros(submission.receivedtime.unwrap_or(now));
    if submission.receivedtime.is_none() {
        plausible(received)?;
    }
    // What a campaign is made of may be made known before it is in force.
    let happened = Some(submission.time).filter(|_| !is_foreseen(submission.kind.kind));
    for (name, time) in [("/time", happened), ("/recordedtime", submission.recordedtime)] {
        if time.is_some_and(|time| late(time, received)) {
            return Err(Rejection::new(Reason::FutureTime, Detail::Future).at(name));
        }
    }
    if submission.recordedtime.is_some_and(|recorded| late(submission.time, recorded)) {
        return Err(Rejection::new(Reason::WrongOrder, Detail::RecordedEarly).at("/recordedtime"));
    }
    Ok(received)
}

/// Refuses the report of a meeting that has not begun. A plan, and a move of a plan, may lie in the future.
pub(super) fn reported(data: &Data, received: Timestamp) -> Result<(), Rejection> {
    let report = match data {
        Data::MeetingHeld(data) => Some(&data.report),
        Data::MeetingCorrected(data) => data.report.as_ref(),
        _ => None,
    };
    if report.is_some_and(|report| late(report.starts, received)) {
        return Err(Rejection::new(Reason::FutureTime, Detail::HeldInFuture).at("/data/report/starts"));
    }
    Ok(())
}

fn late(time: Timestamp, than: Timestamp) -> bool {
    time.duration_since(than) > CLOCKS_APART
}

/// Kinds whose time says from when on they hold, not when something happened.
fn is_foreseen(kind: Kind) -> bool {
    matches!(kind, Kind::CampaignConfigured | Kind::UnitDefined | Kind::CoalitionFormed | Kind::MemberJoined | Kind::VenueDescribed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_outside_the_contract_or_before_this_program_is_implausible() {
        let reason = |now: &str| plausible(now.parse().unwrap()).map_err(|rejection| rejection.reason);
        for wrong in
            ["1970-01-01T00:00:07Z", "2000-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "9999-01-01T00:00:00Z"]
        {
            assert_eq!(reason(wrong), Err(Reason::ServerClock), "{wrong}");
        }
        assert_eq!(reason("2026-01-01T00:00:00Z"), Ok(()));
        assert_eq!(reason("2100-12-31T23:59:59.999999Z"), Ok(()));
        assert_eq!(Reason::ServerClock.status(), 503);
    }
}

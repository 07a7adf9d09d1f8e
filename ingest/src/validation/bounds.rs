//! Plausibility limits beyond the contract: when a meeting begins, where a tile of the map lies.
//!
//! Guarantees: a meeting begins at most 400 days before its campaign opens and not after the day of the vote; the map has at most 32 by 32
//! tiles. Otherwise tables and pages would get thousands of empty weeks or rows. The contract has no such limits, so that records already
//! in a log stay readable.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use qamtu_schemas::{Data, id::CampaignId, instant::time_zone};

use super::KnownState;
use crate::rejection::{Detail, ProblemCode, Rejection};

/// Longest time before the opening of its campaign at which a meeting may begin.
const EARLY_MAX: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Largest index of a row or column of the map.
const TILE_MAX: u8 = 31;

/// Checks the begin of a meeting and the position of a tile.
pub(super) fn check(data: &Data, campaign: &CampaignId, known: &KnownState<'_>) -> Result<(), Rejection> {
    let begins = |pointer: &str, starts: Timestamp| begins(pointer, starts, campaign, known);
    match data {
        Data::UnitDefined(data) => tile("/data/tile/row", data.tile.row).and_then(|()| tile("/data/tile/column", data.tile.column)),
        Data::MeetingPlanned(data) => begins("/data/plan/starts", data.plan.starts),
        Data::MeetingRescheduled(data) => begins("/data/starts", data.starts),
        Data::MeetingHeld(data) => begins("/data/report/starts", data.report.starts),
        Data::MeetingCorrected(data) => data.report.as_ref().map_or(Ok(()), |report| begins("/data/report/starts", report.starts)),
        _ => Ok(()),
    }
}

fn tile(pointer: &str, index: u8) -> Result<(), Rejection> {
    if index <= TILE_MAX {
        return Ok(());
    }
    Err(Rejection::new(ProblemCode::InvalidPayload, Detail::TileMax { most: TILE_MAX }).at(pointer))
}

fn begins(pointer: &str, starts: Timestamp, campaign: &CampaignId, known: &KnownState<'_>) -> Result<(), Rejection> {
    let Some(config) = known.config(campaign) else { return Ok(()) };
    // The time zone was validated when the campaign was configured.
    let day = starts.to_zoned(time_zone(&config.time_zone).unwrap_or(TimeZone::UTC)).date();
    if day <= config.vote_day && day.duration_until(config.opens) <= EARLY_MAX {
        return Ok(());
    }
    let detail = Detail::OutsideCampaign { opens: config.opens, vote: config.vote_day };
    Err(Rejection::new(ProblemCode::OutsideCampaign, detail).at(pointer))
}

//! Values that their types allow and no campaign has: a meeting in another century, a tile far off the map.
//!
//! Guarantees: a meeting begins at most 400 days before its campaign opens and not after the day of the vote, and the map has at most
//! 32 by 32 tiles; otherwise every table and page behind the log would grow by thousands of empty weeks or rows. The contract does
//! not say so: what stands in a log goes on being read.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use qamtu_schemas::{Data, id::CampaignId, instant::time_zone};

use super::Scope;
use crate::rejection::{Detail, Reason, Rejection};

/// How long before its campaign opens a meeting may begin.
const EARLY_MAX: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The last row and the last column of the map.
const TILE_MAX: u8 = 31;

/// Checks when a meeting begins and where a tile lies.
pub(super) fn check(data: &Data, campaign: &CampaignId, scope: &Scope<'_>) -> Result<(), Rejection> {
    let begins = |pointer: &str, starts: Timestamp| begins(pointer, starts, (campaign, scope));
    match data {
        Data::UnitDefined(data) => tile("/data/tile/row", data.tile.row).and_then(|()| tile("/data/tile/column", data.tile.column)),
        Data::MeetingPlanned(data) => begins("/data/plan/starts", data.plan.starts),
        Data::MeetingRescheduled(data) => begins("/data/starts", data.starts),
        Data::MeetingHeld(data) => begins("/data/report/starts", data.report.starts),
        Data::MeetingCorrected(data) => data.report.as_ref().map_or(Ok(()), |report| begins("/data/report/starts", report.starts)),
        _ => Ok(()),
    }
}

fn tile(pointer: &str, place: u8) -> Result<(), Rejection> {
    if place <= TILE_MAX {
        return Ok(());
    }
    Err(Rejection::new(Reason::InvalidPayload, Detail::TileMax { most: TILE_MAX }).at(pointer))
}

fn begins(pointer: &str, starts: Timestamp, (campaign, scope): (&CampaignId, &Scope<'_>)) -> Result<(), Rejection> {
    let Some(config) = scope.config(campaign) else { return Ok(()) };
    // The name was checked when the campaign was configured.
    let day = starts.to_zoned(time_zone(&config.time_zone).unwrap_or(TimeZone::UTC)).date();
    if day <= config.vote_day && day.duration_until(config.opens) <= EARLY_MAX {
        return Ok(());
    }
    let detail = Detail::OutsideCampaign { opens: config.opens, vote: config.vote_day };
    Err(Rejection::new(Reason::OutsideCampaign, detail).at(pointer))
}

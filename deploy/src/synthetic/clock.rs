//! The simulated clock: local days and hours of the campaign, and start and end of the stream. Never reads the real clock.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::campaign::{Campaign, Scenario};

#[derive(Debug, Clone)]
pub(super) struct Clock {
    zone: TimeZone,
    /// Arrival of the first submission, which is reference data.
    pub begins: Timestamp,
    /// Arrival of the last submission: five days after the vote, at noon.
    pub ends: Timestamp,
}

impl Clock {
    pub fn new(campaign: &Campaign, scenario: &Scenario) -> Self {
        let zone = campaign.zone();
        let begins = local(&zone, scenario.first_meeting, 6);
        let ends = local(&zone, campaign.calendar.vote, 12) + SignedDuration::from_hours(5 * 24);
        Self { zone, begins, ends }
    }

    /// An hour of a local day.
    pub fn at(&self, day: Date, hour: i8) -> Timestamp {
        local(&self.zone, day, hour)
    }

    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The ISO week of an instant's local day, such as `2026-W07`.
    pub fn week(&self, at: Timestamp) -> String {
        let week = self.day(at).iso_week_date();
        format!("{}-W{:02}", week.year(), week.week())
    }
}

fn local(zone: &TimeZone, day: Date, hour: i8) -> Timestamp {
    // `compatible` resolves every local time, so the fallback is never used.
    zone.to_ambiguous_zoned(day.at(hour, 0, 0, 0)).compatible().map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

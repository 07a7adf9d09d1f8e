//! Local days of a campaign: which are lawful, which is the as-of day, and their ISO weeks.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, ISOWeekDate, Weekday},
    tz::TimeZone,
};
use qamtu_schemas::{event::CampaignConfigured, instant::time_zone};

use crate::error::AnalyticsError;

/// Lawful days of the campaign and the as-of day, in its time zone.
#[derive(Debug, Clone)]
pub(crate) struct LocalCalendar {
    zone: TimeZone,
    opens: Date,
    closes: Date,
    /// The local day of the as-of instant.
    pub(crate) today: Date,
}

impl LocalCalendar {
    pub(super) fn of(campaign: &CampaignConfigured, as_of: Timestamp) -> Result<Self, AnalyticsError> {
        let zone = time_zone(&campaign.time_zone).map_err(|source| AnalyticsError::TimeZone {
            campaign: campaign.campaign.clone(),
            time_zone: campaign.time_zone.to_string(),
            source,
        })?;
        let today = as_of.to_zoned(zone.clone()).date();
        Ok(Self { zone, opens: campaign.opens, closes: campaign.closes, today })
    }

    /// The local day of an instant.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The local date and time of an instant.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// The last day on which meetings may be held.
    pub(crate) fn last_lawful_day(&self) -> Date {
        self.closes
    }

    /// Whether the last lawful day has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.today > self.closes
    }

    /// Whether meetings are lawful on this day.
    pub(crate) fn is_lawful(&self, day: Date) -> bool {
        (self.opens..=self.closes).contains(&day)
    }
}

/// Monday of a day's ISO week; the day itself where that is before the first date of the calendar.
pub(super) fn monday(day: Date) -> Date {
    day.checked_sub(day.weekday().since(Weekday::Monday).days()).unwrap_or(day)
}

/// ISO week of a Monday, such as `2026-W07`.
pub(super) fn week_name(monday: Date) -> String {
    let week = monday.iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// The Monday of a week with such a name.
pub(crate) fn week_monday(name: &str) -> Option<Date> {
    let (year, week) = name.split_once("-W")?;
    ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok().map(ISOWeekDate::date)
}

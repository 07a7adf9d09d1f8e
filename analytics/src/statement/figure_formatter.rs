//! Formats single figures: counts, shares, dates, and the text in place of a missing number.
//!
//! Guarantees: unknown, not applicable, withheld and zero are four states with different texts. A number of voters is known if a precinct
//! count gave it, even if it is zero. Names are composed (NFC), so that a letter is one code point where possible.

use fluent_bundle::FluentValue;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use qamtu_schemas::text::Names;
use serde::Serialize;

use crate::{
    cell::Cell,
    coverage::Denominator,
    locale::Locale,
    published::{Published, PublishedAudience, PublishedUnit},
    reach_status::ReachStatus,
    translations::{Args, Translations},
};

/// State of a figure: whether and why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FigureState {
    /// The text is the figure.
    Shown,
    /// Withheld to protect people.
    Withheld,
    /// Unknown, since the data it follows from is missing.
    Unknown,
    /// Not applicable, such as people at meetings where none was held.
    None,
    /// Invalid: a share above 100 %.
    Error,
}

/// A figure as text, with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Formatted number, or the words in its place.
    pub text: String,
    /// Whether and why there is no number.
    pub state: FigureState,
}

/// Formats figures of a published snapshot in one language.
pub(super) struct FigureFormatter<'a> {
    pub(super) published: &'a Published,
    translations: &'static Translations,
    pub(super) locale: &'static Locale,
}

impl<'a> FigureFormatter<'a> {
    pub(super) fn new(published: &'a Published, translations: &'static Translations) -> Self {
        Self { published, translations, locale: translations.locale() }
    }

    pub(super) fn message(&self, key: &'static str) -> String {
        self.translations.message(key)
    }

    pub(super) fn message_with(&self, key: &'static str, args: Args<'_>) -> String {
        self.translations.message_with(key, args)
    }

    pub(super) fn count(&self, count: u64) -> String {
        self.locale.number(count)
    }

    pub(super) fn shown(&self, text: impl Into<String>) -> Figure {
        Figure { text: text.into(), state: FigureState::Shown }
    }

    pub(super) fn number(&self, count: u64) -> Figure {
        self.shown(self.count(count))
    }

    pub(super) fn unknown(&self) -> Figure {
        Figure { text: self.message("no-data"), state: FigureState::Unknown }
    }

    /// A figure that does not apply, with the reason as its text.
    pub(super) fn not_applicable(&self, reason: String) -> Figure {
        Figure { text: reason, state: FigureState::None }
    }

    fn withheld(&self) -> Figure {
        Figure { text: self.message("withheld"), state: FigureState::Withheld }
    }

    pub(super) fn cell(&self, cell: Cell) -> Figure {
        cell.shown().map_or_else(|| self.withheld(), |count| self.number(count))
    }

    /// A percentage with its sign; none if the whole is 0.
    pub(super) fn percent(&self, part: u64, whole: u64) -> Option<String> {
        let value = self.locale.percent(part, whole)?;
        Some(self.message_with("percent", &[("value", value.into())]))
    }

    /// A part as a percentage of a known whole.
    pub(super) fn ratio(&self, part: Cell, whole: u64) -> Figure {
        match part.shown() {
            None => self.withheld(),
            Some(part) => self.percent(part, whole).map_or_else(|| self.unknown(), |text| self.shown(text)),
        }
    }

    /// Number of registered voters.
    pub(super) fn voters(&self, denominator: &Denominator) -> Figure {
        denominator.known().map_or_else(|| self.unknown(), |voters| self.number(voters))
    }

    /// A share of the registered voters; above 100 % it is an error.
    pub(super) fn coverage(&self, reached: Cell, denominator: &Denominator) -> Figure {
        let Some(part) = reached.shown() else { return self.withheld() };
        let Some(voters) = denominator.known() else { return self.unknown() };
        let state = if part > voters { FigureState::Error } else { FigureState::Shown };
        match self.percent(part, voters) {
            Some(text) => Figure { text, state },
            None if part > 0 => Figure { text: self.message("no-voters"), state: FigureState::Error },
            None => self.not_applicable(self.message("no-voters")),
        }
    }

    /// Different voters identified at meetings with this status.
    pub(super) fn reached(&self, status: ReachStatus, reached: Cell) -> Figure {
        match status {
            ReachStatus::NoMeetings => self.not_applicable(self.message("no-meetings")),
            ReachStatus::Uncounted | ReachStatus::Unrecognised => self.unknown(),
            ReachStatus::CountedOnly => Figure { text: self.message("counted-only"), state: FigureState::Unknown },
            ReachStatus::Identified => self.cell(reached),
        }
    }

    /// Different voters identified in the reader's scope.
    pub(super) fn reached_in_all(&self) -> Figure {
        let total = &self.published.total;
        self.reached(total.status(), total.audience.reached)
    }

    /// Different voters who live in a unit. Zero is shown only if anybody could have been identified.
    pub(super) fn residents(&self, reached: Cell) -> Figure {
        let all = self.reached_in_all();
        let in_doubt = reached.shown() == Some(0) && matches!(all.state, FigureState::Unknown | FigureState::None);
        if in_doubt { all } else { self.cell(reached) }
    }

    /// Residents reached as a share of a unit's voters.
    pub(super) fn residents_share(&self, reached: Cell, denominator: &Denominator) -> Figure {
        let residents = self.residents(reached);
        if residents.state == FigureState::Shown { self.coverage(reached, denominator) } else { residents }
    }

    /// Bounds of the different voters at meetings with this status.
    pub(super) fn reached_bounds(&self, status: ReachStatus, audience: &PublishedAudience) -> Figure {
        match status {
            ReachStatus::NoMeetings => self.not_applicable(self.message("no-meetings")),
            ReachStatus::Uncounted => self.unknown(),
            ReachStatus::CountedOnly | ReachStatus::Unrecognised | ReachStatus::Identified => self.bounds(audience),
        }
    }

    /// Gross attendance of meetings with this status.
    pub(super) fn gross(&self, status: ReachStatus, gross: Cell) -> Figure {
        if status == ReachStatus::Uncounted { self.unknown() } else { self.cell(gross) }
    }

    /// A count, with its share of the registered voters if their number is known.
    pub(super) fn count_and_share(&self, count: u64, denominator: &Denominator) -> String {
        match denominator.known().and_then(|voters| self.percent(count, voters)) {
            Some(share) => self.message_with("count-share", &[("count", self.count(count).into()), ("share", share.into())]),
            None => self.count(count),
        }
    }

    /// The bounds of a reach as counts; one number if they are equal.
    pub(super) fn bounds(&self, audience: &PublishedAudience) -> Figure {
        match (audience.lower.shown(), audience.upper.shown()) {
            (Some(lower), Some(upper)) if lower == upper => self.number(lower),
            (Some(0), Some(upper)) => self.shown(self.message_with("at-most", &[("most", self.count(upper).into())])),
            (Some(lower), Some(upper)) => {
                self.shown(self.message_with("range", &[("from", self.count(lower).into()), ("to", self.count(upper).into())]))
            }
            _ => self.withheld(),
        }
    }

    /// The bounds of a reach as shares of the registered voters; one share if both have the same text. None if a bound is withheld or the
    /// number of voters is unknown.
    pub(super) fn bounds_share(&self, audience: &PublishedAudience, denominator: &Denominator) -> Option<String> {
        let (lower, upper) = (audience.lower.shown()?, audience.upper.shown()?);
        let whole = denominator.known()?;
        let (from, to) = (self.locale.percent(lower, whole)?, self.locale.percent(upper, whole)?);
        if from == to {
            return self.percent(lower, whole);
        }
        if lower == 0 {
            return Some(self.message_with("at-most", &[("most", self.percent(upper, whole)?.into())]));
        }
        Some(self.percent_range(&from, &to))
    }

    /// A range of percentages with one sign.
    pub(super) fn percent_range(&self, from: &str, to: &str) -> String {
        self.message_with("percent-range", &[("from", from.into()), ("to", to.into())])
    }

    /// Message arguments: the largest withheld count, as text and as number.
    pub(super) fn withheld_counts(&self) -> [(&'static str, FluentValue<'static>); 2] {
        let last = self.published.threshold.people().saturating_sub(1);
        [("last", self.count(last).into()), ("n", last.into())]
    }

    pub(super) fn date(&self, date: Date) -> String {
        self.locale.date(date)
    }

    /// The local date of the snapshot.
    pub(super) fn today(&self) -> Date {
        self.local(self.published.identity.as_of).date()
    }

    /// An instant in the campaign's time zone.
    pub(super) fn local(&self, at: Timestamp) -> jiff::Zoned {
        // The zone is valid, since a snapshot with an unknown zone cannot be computed.
        let zone = qamtu_schemas::instant::time_zone(&self.published.campaign.time_zone).unwrap_or(TimeZone::UTC);
        at.to_zoned(zone)
    }

    pub(super) fn as_of(&self) -> String {
        let local = self.local(self.published.identity.as_of);
        let args = [
            ("date", self.date(local.date()).into()),
            ("time", self.locale.at_time(&local).into()),
            ("zone", crate::locale::utc_offset(&local).into()),
        ];
        self.message_with("as-of", &args)
    }

    /// Name of the whole area of the campaign.
    pub(super) fn area(&self) -> String {
        let area = self.published.campaign.area.as_ref();
        area.map_or_else(|| self.message("units-total"), |names| self.locale.language().name(names))
    }

    pub(super) fn unit_name(&self, unit: &PublishedUnit) -> String {
        self.name(unit.names.as_ref(), &unit.unit)
    }

    /// A name in the statement's language; the code if there is no name.
    pub(super) fn name(&self, names: Option<&Names>, code: &impl ToString) -> String {
        names.map_or_else(|| code.to_string(), |names| self.locale.language().name(names))
    }

    /// Units sorted by name.
    pub(super) fn units_by_name(&self) -> Vec<(String, &'a PublishedUnit)> {
        let mut units: Vec<(String, &PublishedUnit)> = self.published.units.iter().map(|unit| (self.unit_name(unit), unit)).collect();
        units.sort_by(|a, b| self.locale.order(&a.0, &b.0));
        units
    }

    pub(super) fn units_in_scope(&self) -> String {
        self.units_by_name().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }
}

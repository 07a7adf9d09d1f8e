//! Writes single figures: counts, shares, dates, and what stands in their place when they are withheld or missing.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    cell::Cell,
    locale::Locale,
    published::{Published, Unit},
    words::Words,
};

/// How a figure is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it stands.
    Shown,
    /// Withheld to protect people.
    Withheld,
    /// There is none.
    None,
    /// It cannot be true: above 100 %.
    Error,
}

/// A figure, written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The text.
    pub text: String,
    /// How to take it.
    pub state: State,
}

/// Everything needed to write a figure of a published snapshot.
pub(super) struct Pen<'a> {
    pub(super) published: &'a Published,
    pub(super) words: &'static Words,
    pub(super) locale: &'static Locale,
}

impl<'a> Pen<'a> {
    pub(super) fn new(published: &'a Published, words: &'static Words) -> Self {
        Self { published, words, locale: words.locale() }
    }

    pub(super) fn count(&self, count: u64) -> String {
        self.locale.number(count)
    }

    pub(super) fn shown(&self, text: impl Into<String>) -> Figure {
        Figure { text: text.into(), state: State::Shown }
    }

    pub(super) fn number(&self, count: u64) -> Figure {
        self.shown(self.count(count))
    }

    pub(super) fn none(&self) -> Figure {
        Figure { text: self.words.say("no-data"), state: State::None }
    }

    fn withheld(&self) -> Figure {
        Figure { text: self.words.say("withheld"), state: State::Withheld }
    }

    pub(super) fn cell(&self, cell: Cell) -> Figure {
        cell.shown().map_or_else(|| self.withheld(), |count| self.number(count))
    }

    /// A percentage with its sign; none if there is no whole.
    pub(super) fn percent(&self, part: u64, whole: u64) -> Option<String> {
        let value = self.locale.percent(part, whole)?;
        Some(self.words.say_with("percent", &[("value", value.into())]))
    }

    /// A share that can be no more than all.
    pub(super) fn share(&self, part: Cell, whole: u64) -> Figure {
        match part.shown() {
            None => self.withheld(),
            Some(part) => match self.percent(part, whole) {
                None => self.none(),
                Some(text) => Figure { text, state: if part > whole { State::Error } else { State::Shown } },
            },
        }
    }

    /// Two bounds, as counts.
    pub(super) fn bounds(&self, lower: Cell, upper: Cell) -> Figure {
        match (lower.shown(), upper.shown()) {
            (Some(lower), Some(upper)) if lower == upper => self.number(lower),
            (Some(lower), Some(upper)) => {
                self.shown(self.words.say_with("range", &[("from", self.count(lower).into()), ("to", self.count(upper).into())]))
            }
            _ => self.withheld(),
        }
    }

    /// Two bounds, as shares of a whole; one share where both are written alike.
    pub(super) fn bounds_share(&self, bounds: (Cell, Cell), whole: u64) -> Option<String> {
        let (lower, upper) = (bounds.0.shown()?, bounds.1.shown()?);
        let (from, to) = (self.percent(lower, whole)?, self.percent(upper, whole)?);
        if from == to {
            return Some(from);
        }
        Some(self.words.say_with("range", &[("from", from.into()), ("to", to.into())]))
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
        // A snapshot of an unknown zone cannot be computed, so this is never UTC in disguise.
        let zone = qamtu_schemas::instant::time_zone(&self.published.campaign.time_zone).unwrap_or(TimeZone::UTC);
        at.to_zoned(zone)
    }

    pub(super) fn as_of(&self) -> String {
        let local = self.local(self.published.identity.as_of);
        let args = [("date", self.date(local.date()).into()), ("time", self.locale.time(&local).into())];
        self.words.say_with("as-of", &args)
    }

    pub(super) fn unit_name(&self, unit: &Unit) -> String {
        let name = unit.names.as_ref().map(|names| self.words.language().name(names).to_owned());
        name.unwrap_or_else(|| unit.unit.to_string())
    }

    /// Units in the order of their names.
    pub(super) fn units_by_name(&self) -> Vec<(String, &'a Unit)> {
        let mut units: Vec<(String, &Unit)> = self.published.units.iter().map(|unit| (self.unit_name(unit), unit)).collect();
        units.sort_by(|a, b| self.locale.order(&a.0, &b.0));
        units
    }

    pub(super) fn units_in_scope(&self) -> String {
        self.units_by_name().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }
}

//! A slice query, and how it is written: `unit=SAI,TUR`, `day>=2026-02-20`, and the dimensions to group by.

use std::{fmt, str::FromStr};

use jiff::civil::{Date, ISOWeekDate, Weekday};

use crate::dimension::{Dimension, MeetingDimension, PersonDimension};

/// Which meetings and people count, and what they are grouped by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SliceQuery {
    /// Every filter must hold.
    pub filters: Vec<Filter>,
    /// At most two different dimensions.
    pub by: Vec<Dimension>,
    /// Whether to count how many people attended once, twice and so on, which takes longer than to count people.
    pub with_frequencies: bool,
    /// Whether there are totals over the values of each dimension.
    pub with_totals: bool,
}

/// A condition on one dimension. A meeting with several values passes if one of them does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The dimension whose values are compared.
    pub dimension: Dimension,
    /// How they are compared.
    pub comparison: Comparison,
    /// Values to compare with; exactly one unless the comparison is [`Comparison::Equal`].
    pub values: Vec<String>,
}

/// A comparison of values. Only days, weeks and birth bands have an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal to one of the values.
    Equal,
    /// Equal or greater.
    AtLeast,
    /// Equal or smaller.
    AtMost,
}

/// Why a slice query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlice {
    /// There is no such dimension.
    #[error("unknown dimension {0:?}: choose one of {names}", names = dimension_names())]
    Dimension(String),
    /// A dimension has no such value.
    #[error("dimension {dimension} has no value {value:?}: choose {}", listed(known))]
    Value {
        /// The dimension of the filter.
        dimension: Dimension,
        /// The value that it does not have.
        value: String,
        /// The values that it has.
        known: Vec<String>,
    },
    /// A value has another format than those of its dimension.
    #[error("{value:?} is no value of dimension {dimension}: write one such as {example}")]
    Format {
        /// The dimension of the filter.
        dimension: Dimension,
        /// The value.
        value: String,
        /// A value in the right format.
        example: &'static str,
    },
    /// The text is no filter.
    #[error("{0:?} is no filter: write it as unit=CODE, unit=CODE,CODE or day>=2026-02-20, with =, >= or <=")]
    Filter(String),
    /// Values of the dimension have no order.
    #[error("dimension {0} has no order: use = instead of >= and <=")]
    Unordered(Dimension),
    /// The dimension is known from a roll only.
    #[error(
        "dimension {0} is known from a roll only, and not every precinct has one: send the rolls of all precincts, or use another dimension"
    )]
    NoRoll(Dimension),
    /// Too many dimensions, or one twice.
    #[error("a slice is grouped by at most two dimensions, each once: leave out one of {}", by.iter().map(|by| by.name()).collect::<Vec<_>>().join(", "))]
    Grouping {
        /// Dimensions of the query.
        by: Vec<Dimension>,
    },
    /// A dimension, measure or parameter is named twice.
    #[error("{0} is named twice: leave out one of them")]
    Repeated(String),
    /// Readers do not see the measure.
    #[error("measure {measure} is not shown to readers: choose one of {known}")]
    ReaderMeasure {
        /// Its name.
        measure: &'static str,
        /// The names of those that they see, separated by commas.
        known: String,
    },
    /// Readers see no figures of people by the dimension.
    #[error("figures of people are not shown by {dimension}: choose one of {names}, or figures of meetings alone", names = reader_dimensions())]
    ReaderDimension {
        /// The dimension.
        dimension: Dimension,
    },
    /// Readers see no figures of people by so many dimensions.
    #[error(
        "figures of people are shown by at most {most} dimensions, filters included: leave out some, or ask for figures of meetings alone"
    )]
    ReaderDimensions {
        /// How many there may be.
        most: usize,
    },
    /// Readers see figures of people for single values.
    #[error("{filter} is not possible with figures of people: write = and one value, or group by the dimension")]
    ReaderFilter {
        /// The filter.
        filter: String,
    },
    /// A reader of several units must choose one or group by them.
    #[error("figures of people are shown for each unit: group by unit, or choose one of {}", units.join(", "))]
    ReaderUnits {
        /// The units of the reader.
        units: Vec<String>,
    },
    /// More rows than a reader gets at once.
    #[error("the slice has {rows} rows, at most {most} are possible: group by one dimension, or by one with fewer values")]
    TooManyRows {
        /// How many it has.
        rows: usize,
        /// How many there may be.
        most: usize,
    },
    /// The campaign has no unit of the reader's scope.
    #[error("the campaign has none of the reader's units: {}", .0.join(", "))]
    UnknownScope(Vec<String>),
    /// There is no such measure.
    #[error("unknown measure {word:?}: choose one of {known}")]
    Measure {
        /// The unknown name.
        word: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The measure belongs to meetings, and the slice has figures of people.
    #[error(
        "measure {measure} is a figure of meetings, and with dimension {dimension} a slice has figures of people: leave out one of them"
    )]
    NotOfPeople {
        /// Name of the measure.
        measure: &'static str,
        /// The dimension of people that the slice filters or groups by.
        dimension: Dimension,
    },
}

/// The names of all dimensions, separated by commas.
fn dimension_names() -> String {
    Dimension::all().map(Dimension::name).collect::<Vec<_>>().join(", ")
}

/// The dimensions that readers see figures of people by, separated by commas.
pub(crate) fn reader_dimensions() -> String {
    Dimension::all().filter(|dimension| dimension.is_for_readers()).map(Dimension::name).collect::<Vec<_>>().join(", ")
}

/// The first values, and how many there are besides.
fn listed(known: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = known.len().saturating_sub(SHOWN);
    let values = known.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (known.len(), more) {
        (0, _) => "another dimension, since this one has no values".to_owned(),
        (_, 0) => format!("one of {values}"),
        _ => format!("one of {values} and {more} others (--by with the dimension lists all)"),
    }
}

/// The dimension with this name.
fn dimension(name: &str) -> Result<Dimension, InvalidSlice> {
    Dimension::named(name.trim()).ok_or_else(|| InvalidSlice::Dimension(name.trim().to_owned()))
}

impl SliceQuery {
    /// Parses dimensions separated by commas, and filters.
    pub fn parse(by: &str, filters: &[String]) -> Result<Self, InvalidSlice> {
        let by = by.split(',').filter(|name| !name.trim().is_empty()).map(dimension).collect::<Result<_, _>>()?;
        let filters = filters.iter().map(|filter| filter.parse()).collect::<Result<_, _>>()?;
        let query = Self { filters, by, with_frequencies: false, with_totals: true };
        query.check_grouping().map(|()| query)
    }

    /// Whether there are at most two different dimensions to group by.
    pub fn check_grouping(&self) -> Result<(), InvalidSlice> {
        match self.by[..] {
            [] | [_] => Ok(()),
            [one, other] if one != other => Ok(()),
            _ => Err(InvalidSlice::Grouping { by: self.by.clone() }),
        }
    }

    /// A query without filters and totals.
    pub fn by(by: impl IntoIterator<Item = Dimension>) -> Self {
        Self { by: by.into_iter().collect(), ..Self::default() }
    }

    /// A dimension of people that the query filters or groups by; then its figures are those of people.
    pub fn person_dimension(&self) -> Option<Dimension> {
        let filtered = self.filters.iter().map(|filter| filter.dimension);
        self.by.iter().copied().chain(filtered).find(|dimension| matches!(dimension, Dimension::Person(_)))
    }
}

impl FromStr for Filter {
    type Err = InvalidSlice;

    fn from_str(text: &str) -> Result<Self, InvalidSlice> {
        let (name, comparison, values) = [(">=", Comparison::AtLeast), ("<=", Comparison::AtMost), ("=", Comparison::Equal)]
            .into_iter()
            .find_map(|(sign, comparison)| text.split_once(sign).map(|(name, values)| (name, comparison, values)))
            .ok_or_else(|| InvalidSlice::Filter(text.to_owned()))?;
        let dimension = dimension(name)?;
        let values: Vec<String> = match comparison {
            Comparison::Equal => values.split(',').map(|value| value.trim().to_owned()).collect(),
            _ => vec![values.trim().to_owned()],
        };
        if values.iter().any(String::is_empty) {
            return Err(InvalidSlice::Filter(text.to_owned()));
        }
        let filter = Self { dimension, comparison, values };
        filter.check_format()?;
        Ok(filter)
    }
}

impl Filter {
    /// Whether its values may be absent from a campaign: days without a meeting, or bounds.
    pub fn may_name_absent_values(&self) -> bool {
        self.comparison != Comparison::Equal || matches!(self.dimension, Dimension::Meeting(MeetingDimension::Day | MeetingDimension::Week))
    }

    /// Meetings with one of these ids.
    pub(crate) fn of_meetings<I: ToString>(ids: impl IntoIterator<Item = I>) -> Self {
        let values = ids.into_iter().map(|id| id.to_string()).collect();
        Self { dimension: Dimension::Meeting(MeetingDimension::Meeting), comparison: Comparison::Equal, values }
    }

    /// Whether the values of the dimension, which are sorted, have those of the filter, as far as they must.
    pub(crate) fn check_values(&self, known: &[String]) -> Result<(), InvalidSlice> {
        match self.values.iter().find(|value| known.binary_search(value).is_err()).filter(|_| !self.may_name_absent_values()) {
            None => Ok(()),
            Some(value) => Err(InvalidSlice::Value { dimension: self.dimension, value: value.clone(), known: known.to_vec() }),
        }
    }

    fn check_format(&self) -> Result<(), InvalidSlice> {
        let Some(example) = example(self.dimension) else {
            return if self.comparison == Comparison::Equal { Ok(()) } else { Err(InvalidSlice::Unordered(self.dimension)) };
        };
        let is_valid = |value: &str| match self.dimension {
            Dimension::Meeting(MeetingDimension::Day) => value.parse::<Date>().is_ok_and(|day| day.to_string() == value),
            Dimension::Meeting(MeetingDimension::Week) => has_shape(value, example) && is_week(value),
            _ => has_shape(value, example),
        };
        match self.values.iter().find(|value| !is_valid(value)) {
            None => Ok(()),
            Some(value) => Err(InvalidSlice::Format { dimension: self.dimension, value: value.clone(), example }),
        }
    }
}

/// A value of a dimension with an order.
fn example(dimension: Dimension) -> Option<&'static str> {
    match dimension {
        Dimension::Meeting(MeetingDimension::Day) => Some("2026-02-20"),
        Dimension::Meeting(MeetingDimension::Week) => Some("2026-W08"),
        Dimension::Person(PersonDimension::Birth) => Some("1985-1989"),
        _ => None,
    }
}

/// Whether the year has the week.
fn is_week(value: &str) -> bool {
    let week = value.split_once("-W").and_then(|(year, week)| Some((year.parse().ok()?, week.parse().ok()?)));
    week.is_some_and(|(year, week)| ISOWeekDate::new(year, week, Weekday::Monday).is_ok())
}

/// Whether digits are where the example has digits, and everything else is equal.
fn has_shape(value: &str, example: &str) -> bool {
    let letters = value.bytes().zip(example.bytes());
    value.len() == example.len()
        && letters.into_iter().all(|(one, other)| if other.is_ascii_digit() { one.is_ascii_digit() } else { one == other })
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.comparison {
            Comparison::Equal => "=",
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
        };
        write!(f, "{}{sign}{}", self.dimension, self.values.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_as_they_are_written() {
        for text in ["unit=A,B", "day>=2026-02-20", "week<=2026-W08", "birth=1985-1989", "residence=A-1", "evidence=headcount+list"] {
            assert_eq!(text.parse::<Filter>().map(|filter| filter.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_named() {
        let refused = |text: &str| text.parse::<Filter>().expect_err("no filter").to_string();
        assert!(refused("person=1").starts_with("unknown dimension \"person\": choose one of meeting, unit, precinct"));
        assert!(refused("unit").contains("write it as unit=CODE"));
        assert!(refused("unit=").contains("is no filter"));
        assert!(refused("unit=A,,B").contains("is no filter"));
        assert!(refused("unit>=A").contains("dimension unit has no order"));
        assert!(refused("day>=2026-02-30").contains("write one such as 2026-02-20"));
        assert!(refused("day=20.02.2026").contains("write one such as 2026-02-20"));
        assert!(refused("week>=8").contains("write one such as 2026-W08"));
        assert!(refused("week=2026-W54").contains("write one such as 2026-W08"));
        assert!(refused("birth=1985").contains("write one such as 1985-1989"));
        assert!(refused("unit!=A").contains("unknown dimension \"unit!\""));
        let too_many: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
        assert!(listed(&too_many).contains("18, 19 and 10 others"));
    }
}

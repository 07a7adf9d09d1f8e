//! A slice as it is asked for in words, on the command line or over HTTP: a query and the measures to show.

use crate::{
    slice::Measure,
    slice_query::{InvalidSlice, SliceQuery},
};

/// A query, and the columns of its rows.
#[derive(Debug, Clone)]
pub struct SliceRequest {
    /// Which meetings and people count. Has frequencies if a measure needs them, and totals.
    pub query: SliceQuery,
    /// At least one; all of people if the query names a dimension of people.
    pub measures: Vec<Measure>,
}

impl SliceRequest {
    /// Parses dimensions separated by commas, filters such as `unit=SAI`, and measures separated by commas; without measures, the default
    /// ones.
    pub fn parse(by: &str, filters: &[String], measures: &str) -> Result<Self, InvalidSlice> {
        Self::with_defaults(by, filters, measures, |_| true)
    }

    /// The same; without measures, those of the default ones that readers see.
    pub fn parse_for_reader(by: &str, filters: &[String], measures: &str) -> Result<Self, InvalidSlice> {
        Self::with_defaults(by, filters, measures, Measure::is_for_readers)
    }

    fn with_defaults(by: &str, filters: &[String], measures: &str, is_default: fn(Measure) -> bool) -> Result<Self, InvalidSlice> {
        let mut query = SliceQuery::parse(by, filters)?;
        let person = query.person_dimension();
        let chosen = Measure::parse(measures)?;
        if let Some(dimension) = person
            && let Some(measure) = chosen.iter().find(|measure| !measure.is_of_people())
        {
            return Err(InvalidSlice::NotOfPeople { measure: measure.name(), dimension });
        }
        let defaults = || Measure::defaults(person.is_some()).into_iter().filter(|measure| is_default(*measure)).collect();
        let measures = if chosen.is_empty() { defaults() } else { chosen };
        query.with_frequencies = measures.iter().any(|measure| measure.needs_frequencies());
        Ok(Self { query, measures })
    }
}

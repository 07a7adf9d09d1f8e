//! The values of every dimension and the voters of every place: what the words of a slice query are looked up in, and what rows are compared to.
//!
//! It has no people and no attendances, so it stays small, and a server that counts for us needs no more to name its results.

use serde::{Deserialize, Serialize};

use super::{dictionary::Dictionary, voters::Voters};
use crate::dimension::Dimension;

/// What is known of dimensions and places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalog {
    /// In the order of [`Dimension::all`]; none for what is known from a roll only, without a roll.
    values: Vec<Option<Dictionary>>,
    pub(crate) voters: Voters,
}

impl Catalog {
    pub(super) fn new(values: impl Fn(Dimension) -> Option<Dictionary>, voters: Voters) -> Self {
        Self { values: Dimension::all().map(values).collect(), voters }
    }

    /// The values of a dimension; none if it is known from a roll only, and there is no roll.
    pub(crate) fn values(&self, dimension: Dimension) -> Option<&Dictionary> {
        let at = Dimension::all().position(|other| other == dimension)?;
        self.values.get(at)?.as_ref()
    }
}

//! The values of a dimension, sorted, so that their numbers are in the same order.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Sorted values without repetition; a value's number is its index. A clone shares the values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub(crate) struct Dictionary {
    values: Arc<Vec<String>>,
}

impl<S: Into<String>> FromIterator<S> for Dictionary {
    fn from_iter<I: IntoIterator<Item = S>>(values: I) -> Self {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        values.sort_unstable();
        values.dedup();
        Self { values: Arc::new(values) }
    }
}

impl From<Vec<String>> for Dictionary {
    fn from(values: Vec<String>) -> Self {
        values.into_iter().collect()
    }
}

impl From<Dictionary> for Vec<String> {
    fn from(dictionary: Dictionary) -> Self {
        Arc::unwrap_or_clone(dictionary.values)
    }
}

impl Dictionary {
    /// The number of a value.
    pub(crate) fn number(&self, value: &str) -> Option<u32> {
        self.values.binary_search_by(|known| known.as_str().cmp(value)).ok().map(|number| number as u32)
    }

    /// All values in order.
    pub(crate) fn values(&self) -> &[String] {
        &self.values
    }
}

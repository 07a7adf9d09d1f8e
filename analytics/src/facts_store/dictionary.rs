//! The values of a dimension, sorted, so that their numbers are in the same order.

/// Sorted values without repetition; a value's number is its index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dictionary {
    values: Vec<String>,
}

impl<S: Into<String>> FromIterator<S> for Dictionary {
    fn from_iter<I: IntoIterator<Item = S>>(values: I) -> Self {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        values.sort_unstable();
        values.dedup();
        Self { values }
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

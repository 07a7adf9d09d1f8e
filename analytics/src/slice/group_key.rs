//! Keys of groups and rows as numbers, so that they sort in the order of their values.

/// The value of a group in one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GroupKey {
    /// Number of the value.
    Value(u32),
    /// Meetings or people without a value.
    Without,
    /// All of them.
    Total,
}

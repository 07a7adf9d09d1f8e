//! The values of chosen measures in each row of a table.

use super::{
    measure::{Measure, MeasureValue},
    table::{RowKey, SliceRows, SliceTable},
};

/// A row with one value for each chosen measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowValues<'a> {
    /// In the order of [`SliceTable::by`].
    pub keys: &'a [RowKey],
    /// In the order of the measures.
    pub values: Vec<MeasureValue>,
}

impl SliceTable {
    /// The values of some measures, row by row.
    pub fn values(&self, measures: &[Measure]) -> Vec<RowValues<'_>> {
        let values = |of: &dyn Fn(Measure) -> MeasureValue| measures.iter().map(|measure| of(*measure)).collect();
        match &self.rows {
            SliceRows::Meetings(rows) => {
                rows.iter().map(|row| RowValues { keys: &row.keys, values: values(&|measure| measure.of_meetings(&row.figures)) }).collect()
            }
            SliceRows::People(rows) => {
                rows.iter().map(|row| RowValues { keys: &row.keys, values: values(&|measure| measure.of_people(&row.figures)) }).collect()
            }
        }
    }
}

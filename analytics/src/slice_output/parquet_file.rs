//! A slice as a Parquet file, for data frames and notebooks.
//!
//! Keys are texts: `*` for a total, null for meetings or people without a value. Counts are 64-bit integers, shares are doubles in percent; both are
//! null where there is no number, and the columns `unknown` and `withheld` say why. The metadata of the file say what it was computed from.

use std::sync::Arc;

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use super::{SliceLine, SliceOutput, key_text};
use crate::{
    csv::field::Field,
    slice::{Counted, Measure, RowKey},
};

impl SliceOutput<'_> {
    /// The bytes of the file.
    pub(super) fn parquet_file(&self) -> Result<Vec<u8>, ParquetError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(self.origin().into_iter().map(|(name, value)| KeyValue::new(name.to_owned(), value)).collect()))
            .build();
        let schema = Arc::new(parse_message_type(&self.schema())?);
        let mut bytes = Vec::new();
        let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
        let mut rows = file.next_row_group()?;
        self.write_columns(&mut rows)?;
        rows.close()?;
        file.close()?;
        Ok(bytes)
    }

    fn schema(&self) -> String {
        let text = |name: &str| format!("optional binary {name} (STRING); ");
        let number = |measure: &Measure| match is_share(*measure) {
            true => format!("optional double {}; ", measure.name()),
            false => format!("optional int64 {}; ", measure.name()),
        };
        let keys: String = self.by.iter().map(|dimension| text(dimension.name())).collect();
        let numbers: String = self.measures.iter().map(number).collect();
        format!("message slice {{ {keys}{numbers}{}{}}}", text("unknown"), text("withheld"))
    }

    fn write_columns(&self, rows: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>) -> Result<(), ParquetError> {
        let lines: Vec<&SliceLine> = self.lines().collect();
        let bytes = |text: String| ByteArray::from(text.into_bytes());
        for at in 0..self.by.len() {
            let key = |line: &&SliceLine| (line.keys[at] != RowKey::Without).then(|| bytes(key_text(&line.keys[at])));
            write_column::<ByteArrayType>(rows, lines.iter().map(key))?;
        }
        for (at, measure) in self.measures.iter().enumerate() {
            match is_share(*measure) {
                true => write_column::<DoubleType>(rows, lines.iter().map(|line| percent(&line.values[at])))?,
                false => write_column::<Int64Type>(rows, lines.iter().map(|line| count(&line.values[at])))?,
            }
        }
        for state in [Field::Unknown, Field::Withheld] {
            let named = |line: &&SliceLine| Some(self.named(line, &state).join(" ")).filter(|names| !names.is_empty()).map(bytes);
            write_column::<ByteArrayType>(rows, lines.iter().map(named))?;
        }
        Ok(())
    }
}

fn is_share(measure: Measure) -> bool {
    matches!(measure.counted(), Counted::Share { .. })
}

fn percent(field: &Field) -> Option<f64> {
    match field {
        Field::Percent(hundredths) => Some(*hundredths as f64 / 100.0),
        _ => None,
    }
}

fn count(field: &Field) -> Option<i64> {
    match field {
        Field::Count(count) => i64::try_from(*count).ok(),
        _ => None,
    }
}

fn write_column<T: DataType>(
    rows: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = values.collect();
    let is_there: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<T::T> = values.into_iter().flatten().collect();
    let Some(mut column) = rows.next_column()? else { return Err(ParquetError::General("a column too many".to_owned())) };
    column.typed::<T>().write_batch(&present, Some(&is_there), None)?;
    column.close()
}

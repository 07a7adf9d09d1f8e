//! Reads the next batch of one partition from `records.sqlite`.
//!
//! Guarantees: the offsets of a batch follow each other and every checksum was verified; otherwise the file is [`LogError::Corrupt`].

use bytes::Bytes;
use rusqlite::Row;

use super::row;
use super::store::LogFile;
use crate::entry::Record;
use crate::error::LogError;
use crate::partition::Partition;

/// Query for the next batch of one partition.
pub(super) struct BatchQuery<'a> {
    pub(super) partition: &'a Partition,
    pub(super) id: i64,
    pub(super) from: u64,
    pub(super) max_records: usize,
    pub(super) max_bytes: usize,
}

impl BatchQuery<'_> {
    pub(super) fn read(&self, records: &LogFile) -> Result<Vec<Record>, LogError> {
        let query = format!(
            "SELECT \"offset\", appended_ms, key, headers, value, crc FROM p{} WHERE \"offset\" >= ?1 ORDER BY \"offset\" LIMIT ?2",
            self.id
        );
        let mut statement = records.check(records.sql.prepare_cached(&query))?;
        let limit = i64::try_from(self.max_records).unwrap_or(i64::MAX);
        let mut rows = records.check(statement.query([self.from.cast_signed(), limit]))?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(row) = records.check(rows.next())? {
            let expected = self.from + batch.len() as u64;
            let record = records.check(self.record(row, expected))?;
            let record =
                record.ok_or_else(|| records.corrupt(format!("{} has a gap or a wrong checksum at offset {expected}", self.partition)))?;
            bytes += record.size();
            if bytes > self.max_bytes && !batch.is_empty() {
                break;
            }
            batch.push(record);
        }
        Ok(batch)
    }

    /// Decodes the record of a row; none when its offset or its checksum is wrong.
    fn record(&self, row: &Row<'_>, expected: u64) -> rusqlite::Result<Option<Record>> {
        let offset = row.get::<_, i64>(0)?.unsigned_abs();
        let appended_ms = row.get(1)?;
        let blob = |column| -> rusqlite::Result<Bytes> { Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?)) };
        let (key, headers, value) = (blob(2)?, blob(3)?, blob(4)?);
        let fields = row::RowFields { offset, appended_ms, key: &key, headers: &headers, value: &value };
        let whole = row.get::<_, i64>(5)? == i64::from(fields.checksum());
        let headers = row::decode_headers(headers).filter(|_| whole && offset == expected);
        let partition = self.partition.clone();
        Ok(headers.map(|headers| Record { partition, offset, skipped: 0, appended_ms, key: Some(key), headers, value: Some(value) }))
    }
}

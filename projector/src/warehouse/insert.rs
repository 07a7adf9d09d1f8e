//! Inserts: writes a batch to the warehouse, and kills inserts that an earlier owner of a partition has left running.
//!
//! A batch is written when its last insert, the log copy, is acknowledged; the facts are acknowledged before that insert is sent. A
//! failed insert, or one without a response, is retried with the same bytes and the same token until it is acknowledged.

use qamtu_log::Partition;
use uuid::Uuid;

use super::{ClickhouseError, END_TIMEOUT, SEND_TIMEOUT, WarehouseConnection, retrying, run_query};
use crate::{
    batch::{Batch, Insert},
    failpoints,
    health::ProblemKind,
    metrics,
    rows::Table,
};

/// Settings of every insert and every retry. The server recognises a token only if the insert is split into the same blocks; with these
/// limits every insert is one block.
pub(crate) const INSERT_SETTINGS: [(&str, &str); 10] = [
    ("async_insert", "0"),
    ("insert_deduplicate", "1"),
    ("wait_end_of_query", "1"),
    ("max_insert_block_size", "1048576"),
    ("min_insert_block_size_rows", "1048576"),
    ("min_insert_block_size_bytes", "268435456"),
    ("max_insert_threads", "1"),
    ("input_format_parallel_parsing", "0"),
    ("max_partitions_per_insert_block", "1"),
    ("throw_on_max_partitions_per_insert_block", "1"),
];

impl WarehouseConnection {
    /// Writes a batch, the fact tables first and the log copy last; retries transient errors forever.
    pub async fn write(&self, batch: &Batch) -> Result<(), ClickhouseError> {
        self.write_reporting(batch, ProblemKind::Write(batch.partition.clone())).await
    }

    /// As [`Self::write`], for the missing facts of a partition, which may be written while a batch of it is.
    pub async fn repair(&self, batch: &Batch) -> Result<(), ClickhouseError> {
        self.write_reporting(batch, ProblemKind::Repair(batch.partition.clone())).await
    }

    async fn write_reporting(&self, batch: &Batch, kind: ProblemKind) -> Result<(), ClickhouseError> {
        let guard = self.health.guard(kind);
        for insert in &batch.inserts {
            failpoints::hit(if insert.table == Table::Log { "before-log-copy" } else { "before-facts" });
            let attempt = || async { self.insert(batch, insert).await };
            retrying(&guard, attempt).await?;
            metrics::inserted(insert);
        }
        failpoints::hit("after-log-copy");
        Ok(())
    }

    async fn insert(&self, batch: &Batch, insert: &Insert) -> Result<(), ClickhouseError> {
        let table = insert.table.name();
        let table_uuid = self.table_uuids.get(&insert.table).copied().unwrap_or_default();
        let columns: Vec<_> = insert.table.columns().into_iter().map(|column| format!("`{}`", column.name)).collect();
        let mut client = self.client.clone();
        for (name, value) in INSERT_SETTINGS {
            client.set_setting(name, value);
        }
        let attempt = Uuid::new_v4().simple();
        let mut request = client
            .insert_formatted_with(format!("INSERT INTO {table} ({}) FORMAT RowBinary", columns.join(", ")))
            .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT))
            .with_setting("insert_deduplication_token", format!("{table_uuid}:{}:{}", self.token_epoch, insert.token))
            .with_setting(
                "query_id",
                format!("{}{table}-{}-{}-{attempt}", self.query_id_prefix(&batch.partition), batch.first_offset, batch.end_offset),
            );
        let done = async {
            request.send(insert.bytes.clone()).await?;
            request.end().await
        };
        done.await.map_err(|source| ClickhouseError::of("writing a batch", source))
    }

    /// Common prefix of the query ids of a partition's inserts.
    fn query_id_prefix(&self, partition: &Partition) -> String {
        format!("qamtu-{}-{}-{}-", self.group, partition.topic, partition.number)
    }

    /// Kills inserts that an earlier owner of these partitions has left running, and waits until they have ended.
    ///
    /// Correctness does not depend on it: rows of a late insert collapse by key. It avoids those rows.
    pub async fn kill_leftover_inserts(&self, partitions: &[Partition]) -> Result<(), ClickhouseError> {
        for partition in partitions {
            let end = || async {
                let query = self.client.query("KILL QUERY WHERE user = currentUser() AND startsWith(query_id, ?) SYNC");
                run_query("killing inserts of an earlier owner", query.bind(self.query_id_prefix(partition)).execute()).await
            };
            retrying(&self.health.guard(ProblemKind::Assignment), end).await?;
        }
        Ok(())
    }
}

//! Writes in flight: each in a task of its own, at most one per partition and `writers` in total.
//!
//! An abandoned write may still be applied by the server: then it stores the same rows that the next owner writes.

use std::{collections::BTreeMap, time::Duration};

use qamtu_log::Partition;
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout_at},
};

use crate::{
    batch::Batch,
    error::ProjectorError,
    warehouse::{ClickhouseError, WarehouseConnection},
};

/// Write tasks, by partition.
pub struct InFlightWrites {
    warehouse: WarehouseConnection,
    limit: usize,
    tasks: JoinSet<Result<Batch, ClickhouseError>>,
    running: BTreeMap<Partition, AbortHandle>,
}

impl InFlightWrites {
    /// No writes; at most `limit` will run concurrently.
    pub fn new(warehouse: WarehouseConnection, limit: usize) -> Self {
        Self { warehouse, limit, tasks: JoinSet::new(), running: BTreeMap::new() }
    }

    /// Sets the warehouse of writes that start from now on.
    pub fn set_warehouse(&mut self, warehouse: WarehouseConnection) {
        self.warehouse = warehouse;
    }

    /// Whether another write may be started.
    pub fn has_capacity(&self) -> bool {
        self.running.len() < self.limit
    }

    /// Starts to write a batch. The previous write of its partition must have ended.
    pub fn start(&mut self, batch: Batch) {
        let warehouse = self.warehouse.clone();
        let partition = batch.partition.clone();
        let task = self.tasks.spawn(async move { warehouse.write(&batch).await.map(|()| batch) });
        self.running.insert(partition, task);
    }

    /// Waits for the next written batch; never returns if nothing is in flight. Cancel-safe.
    pub async fn next(&mut self) -> Result<Batch, ProjectorError> {
        loop {
            let (id, written) = match self.tasks.join_next_with_id().await {
                None => std::future::pending().await,
                Some(Ok((id, written))) => (id, written.map_err(ProjectorError::from)),
                Some(Err(error)) => (error.id(), Err(error.into())),
            };
            // An abandoned write may have ended before it was aborted: its result no longer counts.
            let partition = self.running.iter().find(|(_, task)| task.id() == id).map(|(partition, _)| partition.clone());
            if let Some(partition) = partition {
                self.running.remove(&partition);
                return written;
            }
        }
    }

    /// Waits for the writes of these partitions, and abandons those that exceed `timeout`.
    pub async fn drain(&mut self, partitions: &[Partition], timeout: Duration) -> Result<Vec<Batch>, ProjectorError> {
        let deadline = Instant::now() + timeout;
        let mut written = Vec::new();
        while partitions.iter().any(|partition| self.running.contains_key(partition)) {
            match timeout_at(deadline, self.next()).await {
                Ok(batch) => written.push(batch?),
                Err(_) => self.abandon(partitions),
            }
        }
        Ok(written)
    }

    /// Aborts the writes of these partitions.
    pub fn abandon(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            if let Some(task) = self.running.remove(partition) {
                tracing::info!(%partition, "a write was abandoned; whoever reads the range next repeats it");
                task.abort();
            }
        }
    }

    /// Partitions with a write in flight.
    pub fn partitions(&self) -> Vec<Partition> {
        self.running.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use clickhouse::Client;

    use super::*;
    use crate::warehouse::TableUuids;

    fn batch(first_offset: u64) -> Batch {
        let partition = Partition::new("events", 0);
        Batch { partition, first_offset, end_offset: first_offset + 1, inserts: Vec::new(), appended_ms: 0 }
    }

    #[tokio::test]
    async fn the_result_of_an_abandoned_write_is_dropped_although_the_write_has_ended() {
        let warehouse = WarehouseConnection::new(Client::default(), "group", TableUuids::default());
        let mut writes = InFlightWrites::new(warehouse, 2);
        // A batch without inserts is written at once.
        writes.start(batch(0));
        while !writes.running.values().all(AbortHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        writes.abandon(&[batch(0).partition]);
        writes.start(batch(7));
        assert_eq!(writes.next().await.unwrap().first_offset, 7);
        assert!(timeout_at(Instant::now(), writes.next()).await.is_err(), "nothing else was written");
    }
}

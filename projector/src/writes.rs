//! InFlightWrites: the batches that are being written, each in a task of its own, of one partition one at a time.
//!
//! Bounded by `writers`. A write that is abandoned may still land: then its rows are the same rows that the next owner writes.

use std::{collections::BTreeMap, time::Duration};

use qamtu_log::Partition;
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout_at},
};

use crate::{
    batch::Batch,
    error::ProjectorError,
    warehouse::{Warehouse, WarehouseError},
};

/// InFlightWrites under way.
pub struct InFlightWrites {
    warehouse: Warehouse,
    limit: usize,
    tasks: JoinSet<Result<Batch, WarehouseError>>,
    running: BTreeMap<Partition, AbortHandle>,
}

impl InFlightWrites {
    /// None yet; at most `limit` at once.
    pub fn new(warehouse: Warehouse, limit: usize) -> Self {
        Self { warehouse, limit, tasks: JoinSet::new(), running: BTreeMap::new() }
    }

    /// InFlightWrites that start from now on go here.
    pub fn set_warehouse(&mut self, warehouse: Warehouse) {
        self.warehouse = warehouse;
    }

    /// Whether another one may be started.
    pub fn has_capacity(&self) -> bool {
        self.running.len() < self.limit
    }

    /// Starts to write a batch; the earlier one of its partition is done.
    pub fn start(&mut self, batch: Batch) {
        let warehouse = self.warehouse.clone();
        let partition = batch.partition.clone();
        let task = self.tasks.spawn(async move { warehouse.write(&batch).await.map(|()| batch) });
        self.running.insert(partition, task);
    }

    /// The next batch that is written; waits for ever while there is none. Cancel-safe.
    pub async fn next(&mut self) -> Result<Batch, ProjectorError> {
        loop {
            match self.tasks.join_next().await {
                None => std::future::pending().await,
                Some(Err(error)) if error.is_cancelled() => {}
                Some(done) => {
                    let batch = done??;
                    self.running.remove(&batch.partition);
                    return Ok(batch);
                }
            }
        }
    }

    /// Waits for the writes of these partitions, but no longer than `wait`; what is not done then is abandoned.
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

    /// Stops repeating the writes of these partitions.
    pub fn abandon(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            if let Some(task) = self.running.remove(partition) {
                tracing::info!(%partition, "a write was abandoned; the next owner repeats it");
                task.abort();
            }
        }
    }

    /// Partitions with a write under way.
    pub fn partitions(&self) -> Vec<Partition> {
        self.running.keys().cloned().collect()
    }
}

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

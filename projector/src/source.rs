//! Source: the log as the projector reads it. Where to start is decided by the log copy alone.
//!
//! The committed offset is only a hint: what the log copy lacks is read, wherever the commit stands. A log that no longer has it, or
//! that is shorter than the copy, is an error that names the partition.

use qamtu_log::{Bounds, Delivery, LogConfig, LogError, LogReader, NextOffset, Partition};

use crate::{
    ends::Ends,
    error::ProjectorError,
    identity::{self, Witnesses},
};

/// The log's reader.
pub struct Source {
    reader: Box<dyn LogReader>,
    topics: Vec<String>,
    log: LogConfig,
}

impl Source {
    /// Takes a reader of these topics of a log.
    pub fn new(reader: Box<dyn LogReader>, topics: Vec<String>, log: LogConfig) -> Self {
        Self { reader, topics, log }
    }

    /// How far the log goes, from now on.
    pub fn ends(&self) -> Ends {
        Ends::follow(self.log.clone(), self.topics.clone())
    }

    /// Fails unless the log is the one that the log copy was made from.
    pub async fn prove(&self, copy: Vec<Witnesses>) -> Result<(), ProjectorError> {
        identity::prove(&self.log, copy).await
    }

    /// The next delivery; cancel-safe.
    pub async fn next(&mut self) -> Result<Delivery, ProjectorError> {
        Ok(self.reader.next().await?)
    }

    /// Starts the assigned partitions where the log copy ends.
    pub async fn start_at(&mut self, hints: &[(Partition, Option<u64>)], receipts: &[NextOffset]) -> Result<(), ProjectorError> {
        let bounds = self.bounds().await?;
        for needed in receipts {
            check(needed, &bounds)?;
            let hint = hints.iter().find(|(partition, _)| *partition == needed.partition).and_then(|(_, hint)| *hint);
            if hint.is_some_and(|hint| hint > needed.offset) {
                let partition = needed.partition.to_string();
                tracing::warn!(
                    partition,
                    committed = hint,
                    whole_below = needed.offset,
                    "the log copy lacks committed records: reading them again"
                );
            }
        }
        Ok(self.reader.start_at(receipts).await?)
    }

    /// Commits; a partition that was taken away meanwhile is no error, and neither is a commit that fails in passing: it is a hint.
    pub async fn commit(&mut self, offsets: &[NextOffset]) -> Result<bool, ProjectorError> {
        if offsets.is_empty() {
            return Ok(false);
        }
        match self.reader.commit(offsets).await {
            Ok(()) => Ok(true),
            Err(error @ LogError::NotOwned { .. }) => {
                tracing::info!(%error, "not committed");
                Ok(false)
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "not committed; the next commit will say the same");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Lets revoked partitions go.
    pub async fn release(&mut self, partitions: &[Partition]) -> Result<(), ProjectorError> {
        Ok(self.reader.release(partitions).await?)
    }

    async fn bounds(&self) -> Result<Vec<Bounds>, ProjectorError> {
        let mut bounds = Vec::new();
        for topic in &self.topics {
            bounds.extend(self.reader.bounds(topic).await?);
        }
        Ok(bounds)
    }
}

fn check(needed: &NextOffset, bounds: &[Bounds]) -> Result<(), ProjectorError> {
    let NextOffset { partition, offset } = needed.clone();
    match bounds.iter().find(|bounds| bounds.partition == partition) {
        None => Err(ProjectorError::NoPartition { partition }),
        Some(bounds) if bounds.start > offset => Err(ProjectorError::Forgotten { partition, start: bounds.start, needed: offset }),
        Some(bounds) if bounds.end < offset => Err(ProjectorError::OtherLog { partition, end: bounds.end, needed: offset }),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_cannot_continue_the_copy_is_refused() {
        let partition = Partition::new("events", 3);
        let bounds = [Bounds { partition: partition.clone(), start: 10, end: 20 }];
        assert!(check(&partition.next_offset(10), &bounds).is_ok());
        assert!(check(&partition.next_offset(20), &bounds).is_ok());
        assert!(matches!(check(&partition.next_offset(9), &bounds), Err(ProjectorError::Forgotten { needed: 9, start: 10, .. })));
        assert!(matches!(check(&partition.next_offset(21), &bounds), Err(ProjectorError::OtherLog { needed: 21, end: 20, .. })));
        assert!(matches!(check(&Partition::new("events", 4).next_offset(0), &bounds), Err(ProjectorError::NoPartition { .. })));
    }
}

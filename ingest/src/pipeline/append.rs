//! Appends the accepted events of a validated chunk.
//!
//! Guarantees: when it succeeds, the events are durable and the register shows them to every request. The claimed ids stay reserved until the
//! append succeeds or fails, also after this call has timed out: a queued entry may still be written.

use super::{Pipeline, ValidatedChunk};
use crate::{
    log_append::{self, AppendResults},
    outcomes::PlacedOutcome,
    rejection::{Detail, ProblemCode, Rejection},
};

impl Pipeline {
    /// Appends the accepted events and waits until they are durable; returns the outcomes of the chunk, which are then final.
    pub async fn append(&self, chunk: ValidatedChunk) -> Result<Vec<PlacedOutcome>, Rejection> {
        let limits = &self.limits;
        if chunk.has_duplicates() {
            log_append::verify(&*self.writer).await?;
        }
        if tokio::time::timeout(limits.append, self.register.wait_for_capacity(limits.unwritten_events)).await.is_err() {
            return Err(Rejection::new(ProblemCode::RegisterBehind, Detail::RegisterBehind));
        }
        let permit = tokio::time::timeout(limits.append, self.append_permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(log_append::unacknowledged()) };
        let ValidatedChunk { outcomes, entries, other_bodies, register_events, claims, .. } = chunk;
        self.conflicts.append(&self.writer, other_bodies);
        let settle = move |results: &AppendResults| {
            claims.settle(results, &register_events);
            drop(permit);
        };
        log_append::append(self.writer.clone(), entries, limits.append, settle).await?;
        Ok(outcomes)
    }
}

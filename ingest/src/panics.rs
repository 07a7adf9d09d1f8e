//! Panics in the tasks of requests: counted, logged, and returned as an internal error without the panic message.

use tokio::task::JoinError;

use crate::{
    metrics,
    rejection::{Detail, ProblemCode, Rejection},
};

/// The refusal (500) of a request whose task panicked.
pub fn task_panicked(error: &JoinError) -> Rejection {
    metrics::panicked();
    tracing::error!(%error, "the task of a request panicked");
    Rejection::new(ProblemCode::Internal, Detail::Internal)
}

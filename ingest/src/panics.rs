//! Tasks of requests that panicked: counted, logged and answered as an internal error. The text of the panic goes to the log by the
//! panic itself, never to the client.

use tokio::task::JoinError;

use crate::{
    metrics,
    rejection::{Detail, Reason, Rejection},
};

/// The answer to a request whose task panicked.
pub fn task_panicked(ended: &JoinError) -> Rejection {
    metrics::panicked();
    tracing::error!(%ended, "a request ended in a panic");
    Rejection::new(Reason::Internal, Detail::Internal)
}

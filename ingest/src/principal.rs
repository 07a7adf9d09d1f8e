//! The sender of a request, as far as its submissions are treated by it.
//!
//! Nothing here is authenticated: a principal tells clients apart by their address, and carries what the route allows.

use qamtu_schemas::Kind;
use qamtu_service::client::ClientAddress;

/// On whose behalf submissions are processed, and which of them its route accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The client that shares connections and permits with others.
    pub client: ClientAddress,
    /// If set, events of any other type are refused.
    pub only: Option<Kind>,
}

//! The open connections of a listener, shared fairly among client addresses.
//!
//! Guarantees: at most `limit` connections are open, and a new one is accepted at once, however many are open. Over the limit one is closed:
//! of the client with the most connections, the longest idle one, or the longest busy one if the new client has at least two fewer.
//! Closing a connection does not interrupt the work of its request; the client sends the request again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use metrics::counter;
use tokio_util::sync::CancellationToken;

use crate::client::ClientAddress;

crate::metrics! {
    /// Connections closed over the limit of their listener, for those of other clients.
    describe_counter CLOSED = "qamtu_http_connections_closed_total";
}

/// The connections of one listener; clones share them.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: HashMap<u64, OpenConnection>,
}

#[derive(Debug)]
struct OpenConnection {
    client: ClientAddress,
    /// Number of requests in progress; a request ends when the body of its response does.
    running: usize,
    /// When the connection was accepted, or last became idle or busy.
    since: Instant,
    closing: CancellationToken,
}

/// An open connection; removed from the list when dropped.
#[derive(Debug)]
pub struct Connection {
    connections: Connections,
    id: u64,
    closing: CancellationToken,
}

/// A request in progress; its connection is busy until this is dropped.
#[derive(Debug)]
pub struct RunningRequest {
    connections: Connections,
    id: u64,
}

impl Connections {
    /// No connections yet, and at most `limit` of them.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, closing another one if necessary; `None` if the new one has to be closed.
    pub fn open(&self, client: ClientAddress) -> Option<Connection> {
        let mut state = self.state();
        if state.open.len() >= self.0.limit {
            counter!(CLOSED).increment(1);
            let id = state.connection_to_close(client)?;
            state.open.remove(&id)?.closing.cancel();
        }
        let (id, closing) = (state.next, CancellationToken::new());
        state.next += 1;
        state.open.insert(id, OpenConnection { client, running: 0, since: Instant::now(), closing: closing.clone() });
        Some(Connection { connections: self.clone(), id, closing })
    }

    fn update_running(&self, id: u64, change: impl FnOnce(usize) -> usize) {
        if let Some(open) = self.state().open.get_mut(&id) {
            open.running = change(open.running);
            open.since = Instant::now();
        }
    }
}

impl State {
    /// The connection to close for a new one of `client`.
    fn connection_to_close(&self, client: ClientAddress) -> Option<u64> {
        let mut counts: HashMap<ClientAddress, usize> = HashMap::new();
        self.open.values().for_each(|open| *counts.entry(open.client).or_default() += 1);
        let (largest, most) = counts.iter().max_by_key(|(_, count)| **count).map(|(client, count)| (*client, *count))?;
        let of_heaviest = || self.open.iter().filter(|(_, open)| open.client == largest);
        let oldest_idle = of_heaviest().filter(|(_, open)| open.running == 0).min_by_key(|(_, open)| open.since);
        let has_fewer = most >= counts.get(&client).copied().unwrap_or_default() + 2;
        let oldest = || of_heaviest().filter(|_| has_fewer).min_by_key(|(_, open)| open.since);
        let any_idle = || self.open.iter().filter(|(_, open)| open.running == 0).min_by_key(|(_, open)| open.since);
        oldest_idle.or_else(oldest).or_else(any_idle).map(|(id, _)| *id)
    }
}

impl Connection {
    /// Marks the connection as busy with a request.
    pub fn request(&self) -> RunningRequest {
        self.connections.update_running(self.id, |running| running + 1);
        RunningRequest { connections: self.connections.clone(), id: self.id }
    }

    /// Waits until the connection must be closed for another one.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.connections.update_running(self.id, |running| running.saturating_sub(1));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.state().open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures::FutureExt;

    use super::*;

    fn client(number: u8) -> ClientAddress {
        IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    fn open(connections: &Connections, number: u8) -> Connection {
        connections.open(client(number)).unwrap()
    }

    fn is_closing(connection: &Connection) -> bool {
        connection.closing().now_or_never().is_some()
    }

    #[test]
    fn the_client_with_most_connections_loses_its_longest_idle_one() {
        let connections = Connections::new(4);
        let alone = open(&connections, 2);
        let crowd = [open(&connections, 1), open(&connections, 1), open(&connections, 1)];
        let running = crowd[0].request();
        let next = open(&connections, 1);
        assert_eq!(crowd.iter().map(is_closing).collect::<Vec<_>>(), [false, true, false]);
        drop((running, next));
        let _another = open(&connections, 3);
        assert!(!is_closing(&alone) && !crowd.iter().any(|open| is_closing(open) && open.id != 2));
    }

    #[test]
    fn a_client_of_busy_connections_does_not_block_others_and_gets_no_more() {
        let connections = Connections::new(3);
        let crowd = [open(&connections, 1), open(&connections, 1), open(&connections, 1)];
        let _running: Vec<_> = crowd.iter().map(Connection::request).collect();
        assert!(connections.open(client(1)).is_none());
        let _honest = open(&connections, 2);
        assert_eq!(crowd.iter().map(is_closing).collect::<Vec<_>>(), [true, false, false]);
        let equal = connections.open(client(2));
        assert!(equal.is_some(), "the second idle connection takes the place of the first one");
    }
}

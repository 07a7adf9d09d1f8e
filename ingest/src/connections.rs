//! The open connections of a listener, shared fairly among client addresses.
//!
//! Guarantees: at most `limit` connections are kept, and a new one is looked at at once, however many are open. When there are too
//! many, one makes room: of the client that has most of them, the one that has been idle longest, or that has been busy longest if
//! the new client has at least two fewer. A closed connection stops no event: what its request began is finished, and the client
//! sends it again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio_util::sync::CancellationToken;

use crate::{client::Client, metrics};

/// Files besides connections that the process may need at once: log, register, keys, clients of Kafka, health.
const OTHER_FILES: usize = 256;

/// Raises the process's limit of open files, and says how many connections it allows. Without files neither log nor health answer.
pub fn affordable(wanted: usize) -> usize {
    let files = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => usize::try_from(files).unwrap_or(usize::MAX),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            return wanted;
        }
    };
    let affordable = files.saturating_sub(OTHER_FILES).max(1);
    if affordable < wanted {
        tracing::warn!(
            files,
            wanted,
            affordable,
            "the limit of open files (ulimit -n, LimitNOFILE) allows fewer connections than configured"
        );
    }
    wanted.min(affordable)
}

/// The connections of one listener.
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
    open: HashMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    client: Client,
    /// Requests that are being answered.
    running: usize,
    /// When it was accepted, or became idle or busy.
    since: Instant,
    closing: CancellationToken,
}

/// An open connection; forgotten when dropped.
#[derive(Debug)]
pub struct Connection {
    connections: Connections,
    id: u64,
    closing: CancellationToken,
}

/// A request that is being answered; its connection is busy until this is dropped.
#[derive(Debug)]
pub struct Running {
    connections: Connections,
    id: u64,
}

impl Connections {
    /// No connections, and room for so many.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new connection; none if there is no room for it.
    pub fn open(&self, client: Client) -> Option<Connection> {
        let mut state = self.state();
        if state.open.len() >= self.0.limit {
            metrics::connection_closed();
            let id = state.expendable(client)?;
            state.open.remove(&id)?.closing.cancel();
        }
        let (id, closing) = (state.next, CancellationToken::new());
        state.next += 1;
        state.open.insert(id, Open { client, running: 0, since: Instant::now(), closing: closing.clone() });
        Some(Connection { connections: self.clone(), id, closing })
    }

    fn run(&self, id: u64, change: impl FnOnce(usize) -> usize) {
        if let Some(open) = self.state().open.get_mut(&id) {
            open.running = change(open.running);
            open.since = Instant::now();
        }
    }
}

impl State {
    /// The connection that makes room for one more of a client.
    fn expendable(&self, client: Client) -> Option<u64> {
        let mut counts: HashMap<Client, usize> = HashMap::new();
        self.open.values().for_each(|open| *counts.entry(open.client).or_default() += 1);
        let (heaviest, most) = counts.iter().max_by_key(|(_, count)| **count).map(|(client, count)| (*client, *count))?;
        let of_heaviest = || self.open.iter().filter(|(_, open)| open.client == heaviest);
        let oldest_idle = of_heaviest().filter(|(_, open)| open.running == 0).min_by_key(|(_, open)| open.since);
        let has_fewer = most >= counts.get(&client).copied().unwrap_or_default() + 2;
        let oldest = || of_heaviest().filter(|_| has_fewer).min_by_key(|(_, open)| open.since);
        let anyone = || self.open.iter().filter(|(_, open)| open.running == 0).min_by_key(|(_, open)| open.since);
        oldest_idle.or_else(oldest).or_else(anyone).map(|(id, _)| *id)
    }
}

impl Connection {
    /// A request has come over it.
    pub fn request(&self) -> Running {
        self.connections.run(self.id, |running| running + 1);
        Running { connections: self.connections.clone(), id: self.id }
    }

    /// Waits until it has to make room for another one.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.connections.run(self.id, |running| running.saturating_sub(1));
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

    fn client(number: u8) -> Client {
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
    fn a_client_of_busy_connections_keeps_others_from_nothing_but_is_refused_more() {
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

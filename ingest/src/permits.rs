//! Permits for requests that may run at once, shared fairly among client addresses.
//!
//! Guarantees: at most `limit` permits exist. While they last anybody gets one; when they do not, the next one goes to the waiting
//! client that holds the fewest, and a client that holds at least two more than another loses one of those whose body it is still
//! sending. So nobody can keep others out by sending slowly, and nobody's complete request is ever interrupted. One that has sent its
//! body too slowly for a while, or nothing new, loses its permit when others wait, whosever it is ([`Yield`]).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{client::Client, metrics};

/// Which requests give their permits up when others wait, besides those of clients that hold too many.
#[derive(Debug, Clone, Copy)]
pub enum Yield {
    /// One whose body comes too slowly.
    Slow {
        /// Time before it is looked at.
        grace: Duration,
        /// Fewest bytes per second since it began.
        bytes_per_second: u64,
    },
    /// One whose events were all known or refused for so long. Nothing is lost with it: it is told where to go on. A rate would not do:
    /// what is slow enough for an honest client that sends a file again over a slow line is cheap for one that repeats an event for
    /// ever, and cheaper when it is compressed. As long as nobody waits, events may be repeated at will.
    NothingNew(Duration),
}

/// The permits.
#[derive(Debug, Clone)]
pub struct Permits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    /// Most requests that wait.
    queue: usize,
    yields: Yield,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    holders: Vec<Arc<Holder>>,
    /// In the order in which they came.
    waiters: Vec<Waiter>,
}

#[derive(Debug)]
struct Holder {
    client: Client,
    begun: Instant,
    received: AtomicU64,
    /// The body is complete: the permit stays until the request ends.
    complete: AtomicBool,
    /// Since when its events are known or refused; none while new ones come, or nothing does.
    repeating: Mutex<Option<Instant>>,
    revoked: CancellationToken,
}

#[derive(Debug)]
struct Waiter {
    client: Client,
    grant: oneshot::Sender<Permit>,
}

/// The right to run; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Permits,
    holder: Arc<Holder>,
}

impl Permits {
    /// So many permits and waiting requests.
    pub fn new(limit: usize, queue: usize, yields: Yield) -> Self {
        Self(Arc::new(Shared { limit, queue, yields, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit for a client, within a time.
    pub async fn acquire(&self, client: Client, wait: Duration) -> Option<Permit> {
        let granted = {
            let mut state = self.state();
            if state.holders.len() < self.0.limit {
                return Some(self.grant(&mut state, client));
            }
            if let Some(holder) = state.expendable(client, self.0.yields) {
                metrics::permit_revoked();
                holder.revoked.cancel();
            }
            state.wait(client, self.0.queue)?
        };
        tokio::time::timeout(wait, granted).await.ok()?.ok()
    }

    fn grant(&self, state: &mut State, client: Client) -> Permit {
        let holder = Arc::new(Holder {
            client,
            begun: Instant::now(),
            received: AtomicU64::new(0),
            complete: AtomicBool::new(false),
            repeating: Mutex::default(),
            revoked: CancellationToken::new(),
        });
        state.holders.push(holder.clone());
        Permit { permits: self.clone(), holder }
    }

    /// Takes a permit back and gives it to the next one.
    fn release(&self, holder: &Arc<Holder>) {
        let (waiter, permit) = {
            let mut state = self.state();
            state.holders.retain(|held| !Arc::ptr_eq(held, holder));
            let Some(waiter) = (state.holders.len() < self.0.limit).then(|| state.next()).flatten() else { return };
            let permit = self.grant(&mut state, waiter.client);
            (waiter, permit)
        };
        // If it has stopped waiting at this very moment, the permit is dropped here and goes to the next one.
        drop(waiter.grant.send(permit));
    }
}

impl State {
    /// Permits that a client holds and keeps.
    fn held(&self, client: Client) -> usize {
        self.holders.iter().filter(|holder| holder.client == client && !holder.revoked.is_cancelled()).count()
    }

    fn waiting(&self, client: Client) -> usize {
        self.waiters.iter().filter(|waiter| waiter.client == client).count()
    }

    /// A holder that has to make room for one more request of a client.
    fn expendable(&self, client: Client, yields: Yield) -> Option<&Arc<Holder>> {
        let sending = || self.holders.iter().filter(|holder| holder.is_sending());
        let wanted = self.held(client) + self.waiting(client);
        let heaviest =
            sending().map(|holder| (self.held(holder.client), holder)).max_by_key(|(held, holder)| (*held, holder.begun.elapsed()));
        match heaviest {
            Some((held, holder)) if held >= wanted + 2 => Some(holder),
            _ => sending().filter(|holder| holder.yields(yields)).min_by_key(|holder| holder.begun),
        }
    }

    /// Queues a request; none if too many wait, and none of another client's has to make room.
    fn wait(&mut self, client: Client, queue: usize) -> Option<oneshot::Receiver<Permit>> {
        self.waiters.retain(|waiter| !waiter.grant.is_closed());
        if self.waiters.len() >= queue {
            let mut waiting: HashMap<Client, usize> = HashMap::new();
            self.waiters.iter().for_each(|waiter| *waiting.entry(waiter.client).or_default() += 1);
            let (heaviest, most) = waiting.iter().max_by_key(|(_, requests)| **requests).map(|(client, requests)| (*client, *requests))?;
            if most < waiting.get(&client).copied().unwrap_or_default() + 2 {
                return None;
            }
            let newest = self.waiters.iter().rposition(|waiter| waiter.client == heaviest)?;
            self.waiters.remove(newest);
        }
        let (grant, granted) = oneshot::channel();
        self.waiters.push(Waiter { client, grant });
        Some(granted)
    }

    /// Whose turn it is: the first of those whose client holds the fewest permits, and then waits for the fewest.
    fn next(&mut self) -> Option<Waiter> {
        self.waiters.retain(|waiter| !waiter.grant.is_closed());
        let mut shares: HashMap<Client, (usize, usize)> = HashMap::new();
        self.waiters.iter().for_each(|waiter| shares.entry(waiter.client).or_insert((self.held(waiter.client), 0)).1 += 1);
        let (place, _) = self.waiters.iter().enumerate().min_by_key(|(_, waiter)| shares.get(&waiter.client))?;
        Some(self.waiters.remove(place))
    }
}

impl Holder {
    fn is_sending(&self) -> bool {
        !self.complete.load(Ordering::Relaxed) && !self.revoked.is_cancelled()
    }

    fn yields(&self, yields: Yield) -> bool {
        match yields {
            Yield::Slow { grace, bytes_per_second } => {
                let time = self.begun.elapsed();
                let wanted = u128::from(bytes_per_second) * time.as_nanos() / 1_000_000_000;
                time >= grace && u128::from(self.received.load(Ordering::Relaxed)) < wanted
            }
            Yield::NothingNew(time) => self.repeating().is_some_and(|since| since.elapsed() >= time),
        }
    }

    fn repeating(&self) -> MutexGuard<'_, Option<Instant>> {
        self.repeating.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// So many bytes of the body have come.
    pub fn received(&self, bytes: usize) {
        self.holder.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Events of a stream were judged: was any of them new?
    pub fn judged(&self, new: bool) {
        let mut repeating = self.holder.repeating();
        *repeating = if new { None } else { Some(repeating.unwrap_or_else(Instant::now)) };
    }

    /// The body is complete: from now on the permit is not taken back.
    pub fn complete(&self) {
        self.holder.complete.store(true, Ordering::Relaxed);
    }

    /// Waits until the permit is wanted for another client: the request ends now.
    pub async fn revoked(&self) {
        self.holder.revoked.cancelled().await;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.release(&self.holder);
    }
}

#[cfg(test)]
mod tests;

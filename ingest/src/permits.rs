//! Permits for concurrent requests, shared fairly among client addresses.
//!
//! Guarantees: at most `limit` permits exist. When all are taken, the next free one goes to the waiting client with the fewest permits. A
//! client with at least two more than a waiting one has a permit revoked, of a request whose body is incomplete. So slow senders cannot
//! block others, and a request with a complete body is never interrupted. While others wait, a request whose body is too slow, or whose
//! stream brings no new events, also has its permit revoked ([`RevokePolicy`]).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use qamtu_service::client::ClientAddress;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::metrics;

/// Which requests have their permits revoked while others wait, besides those of clients with too many.
#[derive(Debug, Clone, Copy)]
pub enum RevokePolicy {
    /// Requests whose body arrives too slowly.
    SlowBody {
        /// Time from the start of a request before its rate is checked.
        grace: Duration,
        /// Lowest average rate since the start of the request.
        bytes_per_second: u64,
    },
    /// Streams whose events were all known or refused for this long. The client loses nothing: the response says from which line to
    /// continue. A rate limit would not help: a rate that an honest client reaches on a slow connection costs an attacker, who repeats
    /// one event in a compressed stream, next to nothing.
    NoNewEvents(Duration),
}

/// A pool of permits; clones share it.
#[derive(Debug, Clone)]
pub struct Permits(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    limit: usize,
    /// Largest number of waiting requests.
    queue: usize,
    policy: RevokePolicy,
    state: Mutex<PoolState>,
}

#[derive(Debug, Default)]
struct PoolState {
    holders: Vec<Arc<Holder>>,
    /// In order of arrival.
    waiters: Vec<Waiter>,
}

#[derive(Debug)]
struct Holder {
    client: ClientAddress,
    begun: Instant,
    received: AtomicU64,
    /// Whether the body is complete; the permit then cannot be revoked.
    complete: AtomicBool,
    /// Since when all events were known or refused; `None` after a new event, or before the first one.
    no_new_since: Mutex<Option<Instant>>,
    revoked: CancellationToken,
}

#[derive(Debug)]
struct Waiter {
    client: ClientAddress,
    grant: oneshot::Sender<Permit>,
}

/// What a client has of a pool; ordered by permits, then by waiting requests.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Share {
    permits: usize,
    waiting: usize,
}

/// Permission to run one request; returned to the pool when dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Permits,
    holder: Arc<Holder>,
}

impl Permits {
    /// A pool of `limit` permits and a queue of at most `queue` waiting requests.
    pub fn new(limit: usize, queue: usize, policy: RevokePolicy) -> Self {
        Self(Arc::new(Pool { limit, queue, policy, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at most `wait` for a permit.
    pub async fn acquire(&self, client: ClientAddress, wait: Duration) -> Option<Permit> {
        let granted = {
            let mut state = self.state();
            if state.holders.len() < self.0.limit {
                return Some(self.grant(&mut state, client));
            }
            if let Some(holder) = state.holder_to_revoke(client, self.0.policy) {
                metrics::permit_revoked();
                holder.revoked.cancel();
            }
            state.enqueue(client, self.0.queue)?
        };
        tokio::time::timeout(wait, granted).await.ok()?.ok()
    }

    fn grant(&self, state: &mut PoolState, client: ClientAddress) -> Permit {
        let holder = Arc::new(Holder {
            client,
            begun: Instant::now(),
            received: AtomicU64::new(0),
            complete: AtomicBool::new(false),
            no_new_since: Mutex::default(),
            revoked: CancellationToken::new(),
        });
        state.holders.push(holder.clone());
        Permit { permits: self.clone(), holder }
    }

    /// Returns a permit to the pool and grants it to the next waiter.
    fn release(&self, holder: &Arc<Holder>) {
        let (waiter, permit) = {
            let mut state = self.state();
            state.holders.retain(|other| !Arc::ptr_eq(other, holder));
            let Some(waiter) = (state.holders.len() < self.0.limit).then(|| state.next_waiter()).flatten() else { return };
            let permit = self.grant(&mut state, waiter.client);
            (waiter, permit)
        };
        // If the waiter has just timed out, the permit is dropped here and granted to the next one.
        drop(waiter.grant.send(permit));
    }
}

impl PoolState {
    /// Number of permits of a client that are not revoked.
    fn permits_of(&self, client: ClientAddress) -> usize {
        self.holders.iter().filter(|holder| holder.client == client && !holder.revoked.is_cancelled()).count()
    }

    fn waiting_of(&self, client: ClientAddress) -> usize {
        self.waiters.iter().filter(|waiter| waiter.client == client).count()
    }

    /// The holder whose permit is revoked for a new request of `client`.
    fn holder_to_revoke(&self, client: ClientAddress, policy: RevokePolicy) -> Option<&Arc<Holder>> {
        let sending = || self.holders.iter().filter(|holder| holder.is_sending());
        let wanted = self.permits_of(client) + self.waiting_of(client);
        let largest =
            sending().map(|holder| (self.permits_of(holder.client), holder)).max_by_key(|(count, holder)| (*count, holder.begun.elapsed()));
        match largest {
            Some((count, holder)) if count >= wanted + 2 => Some(holder),
            _ => sending().filter(|holder| holder.is_revocable(policy)).min_by_key(|holder| holder.begun),
        }
    }

    /// Queues a request. If the queue is full, removes the newest request of the client with the most, or returns `None`.
    fn enqueue(&mut self, client: ClientAddress, queue: usize) -> Option<oneshot::Receiver<Permit>> {
        self.waiters.retain(|waiter| !waiter.grant.is_closed());
        if self.waiters.len() >= queue {
            let mut waiting: HashMap<ClientAddress, usize> = HashMap::new();
            self.waiters.iter().for_each(|waiter| *waiting.entry(waiter.client).or_default() += 1);
            let (largest, most) = waiting.iter().max_by_key(|(_, requests)| **requests).map(|(client, requests)| (*client, *requests))?;
            if most < waiting.get(&client).copied().unwrap_or_default() + 2 {
                return None;
            }
            let newest = self.waiters.iter().rposition(|waiter| waiter.client == largest)?;
            self.waiters.remove(newest);
        }
        let (grant, granted) = oneshot::channel();
        self.waiters.push(Waiter { client, grant });
        Some(granted)
    }

    /// The next waiter: that of the client with the fewest permits, then the fewest waiting requests, then the longest wait.
    fn next_waiter(&mut self) -> Option<Waiter> {
        self.waiters.retain(|waiter| !waiter.grant.is_closed());
        let mut shares: HashMap<ClientAddress, Share> = HashMap::new();
        for waiter in &self.waiters {
            let share = shares.entry(waiter.client).or_insert_with(|| Share { permits: self.permits_of(waiter.client), waiting: 0 });
            share.waiting += 1;
        }
        let (index, _) = self.waiters.iter().enumerate().min_by_key(|(_, waiter)| shares.get(&waiter.client))?;
        Some(self.waiters.remove(index))
    }
}

impl Holder {
    fn is_sending(&self) -> bool {
        !self.complete.load(Ordering::Relaxed) && !self.revoked.is_cancelled()
    }

    fn is_revocable(&self, policy: RevokePolicy) -> bool {
        match policy {
            RevokePolicy::SlowBody { grace, bytes_per_second } => {
                let time = self.begun.elapsed();
                let wanted = u128::from(bytes_per_second) * time.as_nanos() / 1_000_000_000;
                time >= grace && u128::from(self.received.load(Ordering::Relaxed)) < wanted
            }
            RevokePolicy::NoNewEvents(time) => self.no_new_since().is_some_and(|since| since.elapsed() >= time),
        }
    }

    fn no_new_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.no_new_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Records that `bytes` of the body have arrived.
    pub fn received(&self, bytes: usize) {
        self.holder.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Records that a chunk of a stream was stored; `new` if any of its events was new.
    pub fn record_progress(&self, new: bool) {
        let mut no_new_since = self.holder.no_new_since();
        *no_new_since = if new { None } else { Some(no_new_since.unwrap_or_else(Instant::now)) };
    }

    /// Marks the body as complete: from now on the permit cannot be revoked.
    pub fn complete(&self) {
        self.holder.complete.store(true, Ordering::Relaxed);
    }

    /// Waits until the permit is revoked; the request must then end.
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

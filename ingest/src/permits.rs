//! Permits for requests that may run at once, shared fairly among client addresses.
//!
//! Guarantees: at most `limit` permits exist. While they last anybody gets one; when they do not, the next one goes to the waiting
//! client that holds the fewest, and a client that holds at least two more than another loses one of those whose body it is still
//! sending. So nobody can keep others out by sending slowly, and nobody's complete request is ever interrupted. Of one client's
//! requests, one that has sent its body too slowly for a while loses its permit when others wait.

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

/// The slowest body that keeps its permit when others wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time before it is looked at.
    pub grace: Duration,
    /// Fewest bytes per second since it began.
    pub bytes_per_second: u64,
}

/// The permits.
#[derive(Debug, Clone)]
pub struct Permits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    /// Most requests that wait.
    queue: usize,
    pace: Option<Pace>,
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
    /// So many permits and waiting requests; without a pace only shares count.
    pub fn new(limit: usize, queue: usize, pace: Option<Pace>) -> Self {
        Self(Arc::new(Shared { limit, queue, pace, state: Mutex::default() }))
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
            if let Some(holder) = state.expendable(client, self.0.pace) {
                metrics::permit_revoked();
                holder.revoked.cancel();
            }
            state.wait(client, self.0.queue)?
        };
        tokio::time::timeout(wait, granted).await.ok()?.ok()
    }

    fn grant(&self, state: &mut State, client: Client) -> Permit {
        let (begun, revoked) = (Instant::now(), CancellationToken::new());
        let holder = Arc::new(Holder { client, begun, received: AtomicU64::new(0), complete: AtomicBool::new(false), revoked });
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
    fn expendable(&self, client: Client, pace: Option<Pace>) -> Option<&Arc<Holder>> {
        let sending = || self.holders.iter().filter(|holder| holder.is_sending());
        let wanted = self.held(client) + self.waiting(client);
        let heaviest =
            sending().map(|holder| (self.held(holder.client), holder)).max_by_key(|(held, holder)| (*held, holder.begun.elapsed()));
        match heaviest {
            Some((held, holder)) if held >= wanted + 2 => Some(holder),
            _ => sending().filter(|holder| pace.is_some_and(|pace| holder.is_slow(pace))).min_by_key(|holder| holder.begun),
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

    /// Whose turn it is: the first of those whose client holds the fewest permits.
    fn next(&mut self) -> Option<Waiter> {
        self.waiters.retain(|waiter| !waiter.grant.is_closed());
        let (place, _) = self.waiters.iter().enumerate().min_by_key(|(_, waiter)| self.held(waiter.client))?;
        Some(self.waiters.remove(place))
    }
}

impl Holder {
    fn is_sending(&self) -> bool {
        !self.complete.load(Ordering::Relaxed) && !self.revoked.is_cancelled()
    }

    fn is_slow(&self, pace: Pace) -> bool {
        let time = self.begun.elapsed();
        let wanted = u128::from(pace.bytes_per_second) * time.as_millis() / 1000;
        time >= pace.grace && u128::from(self.received.load(Ordering::Relaxed)) < wanted
    }
}

impl Permit {
    /// So many bytes of the body have come.
    pub fn received(&self, bytes: usize) {
        self.holder.received.fetch_add(bytes as u64, Ordering::Relaxed);
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
mod tests {
    use std::{future::Future, net::Ipv4Addr};

    use futures::FutureExt;

    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    fn client(number: u8) -> Client {
        std::net::IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    fn is_ready(future: impl Future) -> bool {
        future.now_or_never().is_some()
    }

    #[tokio::test]
    async fn a_client_that_holds_all_permits_gives_up_half_of_them_to_another_and_not_more() {
        let permits = Permits::new(8, 100, None);
        let mut slow = Vec::new();
        for _ in 0..8 {
            slow.push(permits.acquire(client(1), NO_WAIT).await.unwrap());
        }
        let mut honest = Vec::new();
        for _ in 0..4 {
            let mut next = Box::pin(permits.acquire(client(2), LONG));
            assert!(next.as_mut().now_or_never().is_none());
            let before = slow.len();
            slow.retain(|permit| !is_ready(permit.revoked()));
            assert_eq!(slow.len(), before - 1, "the oldest one is revoked, and it alone");
            honest.push(next.await.unwrap());
        }
        assert!(permits.acquire(client(2), NO_WAIT).await.is_none());
        assert!(slow.iter().chain(&honest).all(|permit| !is_ready(permit.revoked())));
    }

    #[tokio::test]
    async fn a_request_whose_body_is_complete_keeps_its_permit() {
        let permits = Permits::new(2, 100, None);
        let (first, second) = (permits.acquire(client(1), NO_WAIT).await.unwrap(), permits.acquire(client(1), NO_WAIT).await.unwrap());
        first.complete();
        second.complete();
        assert!(permits.acquire(client(2), NO_WAIT).await.is_none());
        assert!(!is_ready(first.revoked()) && !is_ready(second.revoked()));
    }

    #[tokio::test]
    async fn a_slow_body_gives_way_to_another_one_of_the_same_client() {
        let pace = Pace { grace: Duration::ZERO, bytes_per_second: 1_000_000_000_000 };
        let permits = Permits::new(1, 100, Some(pace));
        let slow = permits.acquire(client(1), NO_WAIT).await.unwrap();
        let mut next = Box::pin(permits.acquire(client(1), LONG));
        assert!(next.as_mut().now_or_never().is_none() && is_ready(slow.revoked()));
        drop(slow);
        let fast = next.await.unwrap();
        fast.received(usize::MAX);
        assert!(permits.acquire(client(1), NO_WAIT).await.is_none() && !is_ready(fast.revoked()));
    }

    #[tokio::test]
    async fn the_next_permit_goes_to_who_holds_the_fewest_and_a_long_queue_keeps_nobody_out() {
        let permits = Permits::new(1, 3, None);
        let held = permits.acquire(client(1), NO_WAIT).await.unwrap();
        held.complete();
        let mut crowd: Vec<_> = (0..3).map(|_| Box::pin(permits.acquire(client(1), LONG))).collect();
        crowd.iter_mut().for_each(|waiting| assert!(waiting.as_mut().now_or_never().is_none()));
        assert!(permits.acquire(client(1), LONG).now_or_never().is_some_and(|refused| refused.is_none()), "the queue is full");
        let mut honest = Box::pin(permits.acquire(client(2), LONG));
        assert!(honest.as_mut().now_or_never().is_none());
        assert!(crowd.pop().unwrap().await.is_none(), "the newest of the crowd makes room");
        drop(held);
        assert!(honest.await.is_some());
        // One that has stopped waiting takes nothing with it.
        drop(crowd.remove(0));
        assert!(crowd.remove(0).await.is_some());
        assert!(permits.acquire(client(3), NO_WAIT).await.is_some());
    }
}

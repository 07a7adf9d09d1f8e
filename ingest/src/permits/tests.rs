//! Who gets a permit, and whose permit is revoked.

use std::{future::Future, net::Ipv4Addr};

use futures::FutureExt;

use super::*;

const NO_WAIT: Duration = Duration::ZERO;
const NEVER: RevokePolicy = RevokePolicy::NoNewEvents(Duration::MAX);
const LONG: Duration = Duration::from_secs(60);

fn client(number: u8) -> ClientAddress {
    std::net::IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
}

fn is_ready(future: impl Future) -> bool {
    future.now_or_never().is_some()
}

#[tokio::test]
async fn a_client_with_all_permits_loses_half_of_them_to_another_and_not_more() {
    let permits = Permits::new(8, 100, NEVER);
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
    let permits = Permits::new(2, 100, NEVER);
    let (first, second) = (permits.acquire(client(1), NO_WAIT).await.unwrap(), permits.acquire(client(1), NO_WAIT).await.unwrap());
    first.complete();
    second.complete();
    assert!(permits.acquire(client(2), NO_WAIT).await.is_none());
    assert!(!is_ready(first.revoked()) && !is_ready(second.revoked()));
}

#[tokio::test]
async fn a_slow_body_loses_its_permit_to_another_request_of_the_same_client() {
    let policy = RevokePolicy::SlowBody { grace: Duration::ZERO, bytes_per_second: 1_000_000_000_000 };
    let permits = Permits::new(1, 100, policy);
    let slow = permits.acquire(client(1), NO_WAIT).await.unwrap();
    let mut next = Box::pin(permits.acquire(client(1), LONG));
    assert!(next.as_mut().now_or_never().is_none() && is_ready(slow.revoked()));
    drop(slow);
    let fast = next.await.unwrap();
    fast.received(usize::MAX);
    assert!(permits.acquire(client(1), NO_WAIT).await.is_none() && !is_ready(fast.revoked()));
}

#[tokio::test]
async fn a_stream_without_new_events_loses_its_permit_and_one_with_new_events_keeps_it() {
    let permits = Permits::new(1, 100, RevokePolicy::NoNewEvents(Duration::ZERO));
    let permit = permits.acquire(client(1), NO_WAIT).await.unwrap();
    let refused = async || permits.acquire(client(2), NO_WAIT).await.is_none();
    assert!(refused().await && !is_ready(permit.revoked()), "nothing was stored yet");
    permit.record_progress(true);
    assert!(refused().await && !is_ready(permit.revoked()), "its events are new");
    permit.record_progress(false);
    permit.record_progress(true);
    assert!(refused().await && !is_ready(permit.revoked()), "its events are new again");
    permit.record_progress(false);
    assert!(!is_ready(permit.revoked()), "nobody waits");
    assert!(refused().await && is_ready(permit.revoked()));

    let patient = Permits::new(1, 100, NEVER);
    let permit = patient.acquire(client(1), NO_WAIT).await.unwrap();
    permit.record_progress(false);
    assert!(patient.acquire(client(2), NO_WAIT).await.is_none() && !is_ready(permit.revoked()), "not for long enough");
}

#[tokio::test]
async fn the_next_permit_goes_to_the_client_with_the_fewest_and_a_long_queue_blocks_nobody() {
    let permits = Permits::new(1, 3, NEVER);
    let permit = permits.acquire(client(1), NO_WAIT).await.unwrap();
    permit.complete();
    let mut crowd: Vec<_> = (0..3).map(|_| Box::pin(permits.acquire(client(1), LONG))).collect();
    crowd.iter_mut().for_each(|waiting| assert!(waiting.as_mut().now_or_never().is_none()));
    assert!(permits.acquire(client(1), LONG).now_or_never().is_some_and(|refused| refused.is_none()), "the queue is full");
    let mut honest = Box::pin(permits.acquire(client(2), LONG));
    assert!(honest.as_mut().now_or_never().is_none());
    assert!(crowd.pop().unwrap().await.is_none(), "the newest request of the crowd is removed");
    drop(permit);
    assert!(honest.await.is_some());
    // A request that has stopped waiting uses no permit.
    drop(crowd.remove(0));
    assert!(crowd.remove(0).await.is_some());
    assert!(permits.acquire(client(3), NO_WAIT).await.is_some());
}

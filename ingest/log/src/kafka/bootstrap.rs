//! Adds the configured brokers to a client that has forgotten them.
//!
//! librdkafka forgets every broker, the configured ones included, when a fenced broker responds with an empty list of brokers, and
//! never connects again (librdkafka 5301). rdkafka does not offer the call that adds brokers, so librdkafka is called directly.

#![allow(unsafe_code, reason = "brokers are added in the C interface only")]

use std::ffi::CString;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};

/// Adds the brokers of a comma-separated list to those that a client knows; changes nothing if it knows them. librdkafka keeps each list
/// for as long as the client lives, so call this only for clients that get no response.
pub(super) fn add_brokers<C: ClientContext>(client: &Client<C>, brokers: &str) {
    // A list with a NUL has never led to a broker.
    let Ok(brokers) = CString::new(brokers) else { return };
    // SAFETY: the client outlives this call, which copies the list.
    unsafe { c::rd_kafka_brokers_add(client.native_ptr(), brokers.as_ptr()) };
}

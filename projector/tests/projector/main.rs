//! Tests of the projector: pure ones, and ones on a real ClickHouse with both event logs.
//!
//! One ClickHouse and one Kafka broker serve the whole binary; every test has a database, a folder and topics of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::single_range_in_vec_init,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

mod backlog;
mod conflicts;
mod crashes;
mod events;
mod foreign;
mod gaps;
mod golden;
mod health;
mod identity;
mod losses;
mod model;
mod partitions;
mod poison;
mod properties;
mod proxy;
mod quality;
mod rig;
mod schema;
mod server;
mod starts;
mod views;
mod writing;

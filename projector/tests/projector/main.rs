//! Tests of the projector: pure ones, and ones on a real ClickHouse with both event logs.
//!
//! One ClickHouse and one Kafka broker serve the whole test binary; every test has its own database, directory and topics.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::single_range_in_vec_init,
    reason = "a helper fails with its test, and tables of cases are plain"
)]

mod backlog;
mod clickhouse_server;
mod conflicts;
mod contiguous_offsets;
mod crashes;
mod data_quality;
mod events;
mod fixture;
mod foreign_producer;
mod gaps;
mod golden;
mod health;
mod inserts;
mod invalid_records;
mod log_identity;
mod lost_rows;
mod model;
mod partitions;
mod properties;
mod proxy;
mod schema;
mod startup;
mod views;

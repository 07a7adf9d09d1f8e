//! The launcher's warehouse against the real engine: what of a ClickHouse server works in this mode and what does not.
//! Every test has a warehouse of its own in a folder of its own; the engine is fetched once into the usual cache.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

mod behaviour;
mod clients;
mod fetch;
mod lifecycle;
mod limits;
mod rights;
mod sources;
mod support;

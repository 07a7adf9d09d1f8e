//! Tests of the launcher's warehouse with the real engine: which features of a ClickHouse server work and which do not.
//! Every test has its own warehouse and folder; the engine is downloaded once into the usual cache.

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

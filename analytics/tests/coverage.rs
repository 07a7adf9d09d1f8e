//! Coverage compared with arithmetic by hand, with an independent naive count, and with a real warehouse.

#![allow(clippy::panic, reason = "what helps a test fails with it")]

#[path = "coverage/audience.rs"]
mod audience;
#[path = "coverage/fulfilment.rs"]
mod fulfilment;
#[path = "coverage/program.rs"]
mod program;
#[path = "coverage/properties.rs"]
mod properties;
#[path = "coverage/slices.rs"]
mod slices;
#[path = "coverage/snapshots.rs"]
mod snapshots;
#[path = "coverage/warehouse.rs"]
mod warehouse;
#[path = "coverage/world.rs"]
mod world;

//! The service from outside: the built program on port 0, the real embedded log in a folder of its own, and what must hold.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "service/bad_bodies.rs"]
mod bad_bodies;
#[path = "service/bad_input.rs"]
mod bad_input;
#[path = "service/crowd.rs"]
mod crowd;
#[path = "service/durable.rs"]
mod durable;
#[path = "service/gaps.rs"]
mod gaps;
#[path = "service/harness.rs"]
mod harness;
#[path = "service/interface.rs"]
mod interface;
#[path = "service/memory.rs"]
mod memory;
#[path = "service/privacy.rs"]
mod privacy;
#[path = "service/register.rs"]
mod register;
#[path = "service/repetition.rs"]
mod repetition;
#[path = "service/replaced.rs"]
mod replaced;
#[path = "service/sample.rs"]
mod sample;

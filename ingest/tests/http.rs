//! The service from outside: the built program on port 0, the real embedded log in a folder of its own, and what must hold.

#[path = "http/bad_bodies.rs"]
mod bad_bodies;
#[path = "http/bad_input.rs"]
mod bad_input;
#[path = "http/durable.rs"]
mod durable;
#[path = "http/harness.rs"]
mod harness;
#[path = "http/interface.rs"]
mod interface;
#[path = "http/memory.rs"]
mod memory;
#[path = "http/privacy.rs"]
mod privacy;
#[path = "http/register.rs"]
mod register;
#[path = "http/repetition.rs"]
mod repetition;
#[path = "http/sample.rs"]
mod sample;

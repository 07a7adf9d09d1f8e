//! The service from outside: the built program on port 0, the real embedded log in a folder of its own, and what must hold.

#[path = "service/bad_bodies.rs"]
mod bad_bodies;
#[path = "service/bad_input.rs"]
mod bad_input;
#[path = "service/durable.rs"]
mod durable;
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
#[path = "service/sample.rs"]
mod sample;

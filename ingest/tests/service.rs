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
#[path = "service/clock.rs"]
mod clock;
#[path = "service/cloudevents.rs"]
mod cloudevents;
#[path = "service/compressed.rs"]
mod compressed;
#[path = "service/conflicts.rs"]
mod conflicts;
#[path = "service/crowd.rs"]
mod crowd;
#[path = "service/durable.rs"]
mod durable;
#[path = "service/gaps.rs"]
mod gaps;
#[path = "service/harness.rs"]
mod harness;
#[path = "service/hosts.rs"]
mod hosts;
#[path = "service/interface.rs"]
mod interface;
#[path = "service/memory.rs"]
mod memory;
#[path = "service/openapi.rs"]
mod openapi;
#[path = "service/privacy.rs"]
mod privacy;
#[path = "service/private_files.rs"]
mod private_files;
#[path = "service/references.rs"]
mod references;
#[path = "service/register.rs"]
mod register;
#[path = "service/repeats.rs"]
mod repeats;
#[path = "service/repetition.rs"]
mod repetition;
#[path = "service/replaced.rs"]
mod replaced;
#[path = "service/sample.rs"]
mod sample;
#[path = "service/slow_clients.rs"]
mod slow_clients;
#[path = "service/stream_cut.rs"]
mod stream_cut;
#[path = "service/wording.rs"]
mod wording;

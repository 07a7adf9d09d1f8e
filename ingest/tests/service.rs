//! Tests of the built program on port 0 with a real embedded log in a temporary folder.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "service/aborted_streams.rs"]
mod aborted_streams;
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
#[path = "service/duplicates.rs"]
mod duplicates;
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
#[path = "service/invalid_events.rs"]
mod invalid_events;
#[path = "service/memory.rs"]
mod memory;
#[path = "service/messages.rs"]
mod messages;
#[path = "service/openapi.rs"]
mod openapi;
#[path = "service/overload.rs"]
mod overload;
#[path = "service/privacy.rs"]
mod privacy;
#[path = "service/private_files.rs"]
mod private_files;
#[path = "service/references.rs"]
mod references;
#[path = "service/register.rs"]
mod register;
#[path = "service/repeating_streams.rs"]
mod repeating_streams;
#[path = "service/replaced.rs"]
mod replaced;
#[path = "service/sample.rs"]
mod sample;
#[path = "service/slow_clients.rs"]
mod slow_clients;

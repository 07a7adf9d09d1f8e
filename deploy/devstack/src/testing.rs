//! What the tests of all crates share: waiting for a state ([`wait`]), processes of the product ([`Program`]), the ClickHouse and the
//! broker of a test binary, and the content of a log. Servers end with the test binary;
//! a [`Program`] is killed when it is dropped.

#![allow(clippy::panic, reason = "what helps a test fails with it")]

mod log;
mod processes;
mod program;
mod servers;
pub mod wait;

pub use log::read_log;
pub use processes::{child_of, runs, send_signal, status_kb};
pub use program::{Program, binary};
pub use servers::{WarehouseLogin, WarehouseProgram, broker_or_skip, scratch_dir, shared_broker, shared_warehouse, start_broker};

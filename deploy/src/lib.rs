//! The `qamtu` launcher: what a bare machine needs to run the whole path with one command.
//! It guarantees that whatever it starts ends with it; it leaves the work itself to the services it starts.

pub mod campaign;
pub mod cli;
pub mod demo;
pub mod submission;
pub mod synthetic;
pub mod warehouse;

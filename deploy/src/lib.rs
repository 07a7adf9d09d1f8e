//! The `qamtu` launcher: runs the whole pipeline on a bare machine with one command.
//! Every process that it starts ends with it. The services do the work itself.

pub mod campaign;
pub mod cli;
pub mod demo;
pub mod submission;
pub mod synthetic;

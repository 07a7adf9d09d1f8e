//! `qamtu-projector`: see `cli.rs`.

use std::process::ExitCode;

use clap::Parser;
use qamtu_projector::cli::{Arguments, execute};

#[tokio::main]
async fn main() -> ExitCode {
    execute(Arguments::parse()).await
}

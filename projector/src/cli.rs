//! The command line: `run` (the default) and `migrate`.
//!
//! Prints one line of JSON to standard output when it is running or has migrated; everything else goes to standard error. Exit status: 64
//! for invalid settings, 1 for a failure, 0 after a requested stop.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use qamtu_service::{
    process::{EXIT_USAGE, fail, stop_signal},
    telemetry::install_logger,
};

use crate::{
    config::Config,
    error::ProjectorError,
    health::{Health, ProblemKind},
    migrate, monitor,
    run::{error_chain, run},
    warehouse,
};

const PROGRAM: &str = "qamtu-projector";

/// Fills the tables of ClickHouse from the event log.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version)]
pub struct Arguments {
    /// Settings file; `projector.example.toml` lists every setting with its default.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Applies migrations, then fills the tables until SIGTERM or SIGINT (default).
    Run,
    /// Applies migrations and exits.
    Migrate,
}

/// Runs the subcommand and returns the exit status of the process.
pub async fn execute(arguments: Arguments) -> ExitCode {
    let config = match Config::load(arguments.config.as_deref()).and_then(|config| install_logger(&config.telemetry).map(|()| config)) {
        Ok(config) => config,
        Err(error) => return fail(PROGRAM, EXIT_USAGE, &error.to_string()),
    };
    let done = match arguments.command {
        None | Some(Command::Run) => run_projector(&config).await,
        Some(Command::Migrate) => run_migrations(&config).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(PROGRAM, 1, &error_chain(&error)),
    }
}

fn print_json(line: &serde_json::Value) {
    // The reader of standard output may have exited; the projector continues.
    drop(writeln!(std::io::stdout(), "{line}"));
}

async fn run_projector(config: &Config) -> Result<(), ProjectorError> {
    let listening = |source| ProjectorError::Listen { address: config.metrics.listen, source };
    let stopped = stop_signal().map_err(listening)?;
    let health = Health::starting();
    let address = monitor::start(&config.metrics, health.clone()).await.map_err(listening)?;
    let announced = std::sync::Once::new();
    let started = || {
        announced.call_once(|| print_json(&serde_json::json!({"running": true, "metrics": format!("http://{address}")})));
    };
    let stop = async {
        stopped.await;
        health.report(ProblemKind::Stop, "asked to stop".to_owned());
    };
    run(config, &health, started, stop).await
}

async fn run_migrations(config: &Config) -> Result<(), ProjectorError> {
    let done = migrate::migrate(&warehouse::client(&config.clickhouse)).await?;
    print_json(&serde_json::json!({"migrations": done.migrations, "views": done.views}));
    Ok(())
}

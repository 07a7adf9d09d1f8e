//! The command line: `run` (the default) and `migrate`.
//!
//! Prints one line of JSON to standard output when it is running or has migrated; everything else goes to standard error. Exit status: 64
//! for invalid settings, 1 for a failure, 0 after a requested stop.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::Config,
    error::ProjectorError,
    health::{Health, ProblemKind},
    migrate,
    monitor::Monitor,
    run::{error_chain, run},
    telemetry, warehouse,
};

/// Fills the tables of ClickHouse from the event log.
#[derive(Debug, Parser)]
#[command(name = "qamtu-projector", version)]
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
    let config =
        match Config::load(arguments.config.as_deref()).and_then(|config| telemetry::init_logging(&config.telemetry).map(|()| config)) {
            Ok(config) => config,
            Err(error) => return fail(64, &error.into()),
        };
    let done = match arguments.command {
        None | Some(Command::Run) => run_projector(&config).await,
        Some(Command::Migrate) => run_migrations(&config).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error),
    }
}

fn fail(status: u8, error: &ProjectorError) -> ExitCode {
    // If standard error is closed, there is no other channel for the message.
    drop(writeln!(std::io::stderr(), "qamtu-projector: {}", error_chain(error)));
    ExitCode::from(status)
}

fn print_json(line: &serde_json::Value) {
    // The reader of standard output may have exited; the projector continues.
    drop(writeln!(std::io::stdout(), "{line}"));
}

async fn run_projector(config: &Config) -> Result<(), ProjectorError> {
    let listening = |source| ProjectorError::Listen { address: config.metrics.listen, source };
    let mut terminated = signal(SignalKind::terminate()).map_err(listening)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(listening)?;
    let health = Health::starting();
    let monitor = Monitor::start(&config.metrics, health.clone()).await?;
    let announced = std::sync::Once::new();
    let started = || {
        announced.call_once(|| print_json(&serde_json::json!({"running": true, "metrics": format!("http://{}", monitor.address())})));
    };
    let stop = async {
        tokio::select! { _ = terminated.recv() => {}, _ = interrupted.recv() => {} }
        health.report(ProblemKind::Stop, "asked to stop".to_owned());
    };
    run(config, &health, started, stop).await
}

async fn run_migrations(config: &Config) -> Result<(), ProjectorError> {
    let done = migrate::migrate(&warehouse::client(&config.clickhouse)).await?;
    print_json(&serde_json::json!({"migrations": done.tables, "views": done.views}));
    Ok(())
}

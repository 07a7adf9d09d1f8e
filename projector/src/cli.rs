//! The command line: `run` (the default) and `migrate`.
//!
//! Says on standard output, in one line of JSON, what was done or that it is running; everything else goes to standard error. Ends
//! with 64 when the settings cannot be used, with 1 when something failed, and with 0 when it was asked to stop.

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
    /// Settings file; `projector.example.toml` holds every setting with its default.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fills the tables until it is asked to stop (default); applies migrations first.
    Run,
    /// Applies migrations and ends.
    Migrate,
}

/// Does what the command line asks for.
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
    // Where nobody reads standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "qamtu-projector: {}", error_chain(error)));
    ExitCode::from(status)
}

fn print_json(line: &serde_json::Value) {
    // The parent may have gone; the projector goes on without it.
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

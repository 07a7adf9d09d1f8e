//! `qamtu-ingest`: loads the settings, prints its addresses as one line of JSON, and serves until SIGTERM or SIGINT.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use qamtu_ingest::{Config, Listeners, run, telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Accepts events over HTTP and appends them to the event log.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Settings file; `ingest.example.toml` lists every setting with its default.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let file = Arguments::parse().config;
    let config = Config::load(file.as_deref()).and_then(|config| telemetry::logs(&config.telemetry).map(|()| config));
    let (status, error) = match config {
        Err(error) => (64, error.into()),
        Ok(config) => match serve(config).await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (1, error),
        },
    };
    drop(writeln!(std::io::stderr(), "qamtu-ingest: {error:#}"));
    ExitCode::from(status)
}

async fn serve(config: Config) -> Result<()> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let events = TcpListener::bind(config.listen).await.with_context(|| format!("listen: {} cannot be taken", config.listen))?;
    let at = config.http.health_listen;
    let health = TcpListener::bind(at).await.with_context(|| format!("http.health_listen: {at} cannot be taken"))?;
    writeln!(std::io::stdout(), r#"{{"listening":"http://{}","health":"http://{}"}}"#, events.local_addr()?, health.local_addr()?)?;
    let stop = async move {
        tokio::select! { _ = terminated.recv() => {}, _ = interrupted.recv() => {} }
    };
    Ok(run(config, Listeners { events, health }, stop).await?)
}

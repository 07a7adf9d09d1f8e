//! `qamtu-ingest`: loads the settings, prints its addresses as one line of JSON, and serves until SIGTERM or SIGINT.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use qamtu_ingest::{Config, Listeners, run};
use qamtu_service::{
    process::{EXIT_USAGE, fail, stop_signal},
    telemetry::{error_chain, install_logger},
};
use tokio::net::TcpListener;

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
    match Config::load(file.as_deref()).and_then(|config| install_logger(&config.telemetry).map(|()| config)) {
        Err(error) => fail("qamtu-ingest", EXIT_USAGE, &error.to_string()),
        Ok(config) => match serve(config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail("qamtu-ingest", 1, &error_chain(&*error)),
        },
    }
}

async fn serve(config: Config) -> Result<()> {
    let stop = stop_signal()?;
    let events = TcpListener::bind(config.listen).await.with_context(|| format!("listen: {} cannot be taken", config.listen))?;
    let at = config.http.health_listen;
    let health = TcpListener::bind(at).await.with_context(|| format!("http.health_listen: {at} cannot be taken"))?;
    writeln!(std::io::stdout(), r#"{{"listening":"http://{}","health":"http://{}"}}"#, events.local_addr()?, health.local_addr()?)?;
    Ok(run(config, Listeners { events, health }, stop).await?)
}

//! Starts the analytics service: arguments, configuration, telemetry, then the library.

use std::process::ExitCode;

use clap::Parser;
use qamtu_analytics::{AnalyticsError, cli::Cli, config::Config, error::EXIT_USAGE, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let wrong = usage.use_stderr();
            return if usage.print().is_ok() && !wrong { ExitCode::SUCCESS } else { ExitCode::from(EXIT_USAGE) };
        }
    };
    telemetry::start();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            tracing::error!("{:#}", anyhow::Error::from(error));
            ExitCode::from(code)
        }
    }
}

async fn run(cli: Cli) -> Result<(), AnalyticsError> {
    let config = Config::load(cli.config.as_deref())?;
    cli.command.run(&config, &mut std::io::stdout()).await
}

//! Starts the analytics service: arguments, configuration, logs, then the library.

use std::process::ExitCode;

use clap::Parser;
use qamtu_analytics::{cli::Cli, config::Config};
use qamtu_service::{
    process::{EXIT_USAGE, fail},
    telemetry::{error_chain, install_logger},
};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let wrong = usage.use_stderr();
            return if usage.print().is_ok() && !wrong { ExitCode::SUCCESS } else { ExitCode::from(EXIT_USAGE) };
        }
    };
    match Config::load(cli.config.as_deref()).and_then(|config| install_logger(&config.telemetry).map(|()| config)) {
        Err(error) => fail("qamtu-analytics", EXIT_USAGE, &error.to_string()),
        Ok(config) => match cli.command.run(&config, &mut std::io::stdout()).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail("qamtu-analytics", error.exit_code(), &error_chain(&error)),
        },
    }
}

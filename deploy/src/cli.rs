//! The command line of `qamtu`: one variant of [`Command`] and one file in `cli/` per subcommand.
//! Every failure prints one line on standard error; a mistake in arguments, environment or files exits with code 64.

mod demo;
mod engine;
mod send;
mod users;
mod warehouse;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::campaign::CampaignError;
use crate::demo::DemoError;
use qamtu_devstack::DevstackError;

/// Exit code for a mistake in arguments, environment or files that the user can fix (`EX_USAGE` of sysexits).
const EXIT_USAGE: u8 = 64;

/// Starts and runs everything Qamtu needs on one machine.
#[derive(Debug, Parser)]
#[command(name = "qamtu", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands of the launcher.
#[derive(Debug, Subcommand)]
enum Command {
    /// Show Qamtu at full size on an invented campaign, through the real services.
    Demo(demo::Arguments),
    /// Send the reference events of a campaign file to ingest.
    Send(send::Arguments),
    /// Run a ClickHouse warehouse in the foreground and print how to reach it as one line of JSON.
    Warehouse(warehouse::Arguments),
    /// Make passwords and the users file for a ClickHouse server of your own.
    Users(users::Arguments),
    /// The child process behind `warehouse`: serves one data folder until standard input closes.
    #[command(hide = true)]
    Engine(engine::Arguments),
}

/// Reads the command line, runs the subcommand and turns its result into an exit code.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match Cli::parse_from_arguments() {
        Ok(cli) => match cli.command {
            Command::Demo(arguments) => demo::run(arguments),
            Command::Send(arguments) => send::run(&arguments),
            Command::Warehouse(arguments) => warehouse::run(arguments),
            Command::Users(arguments) => users::run(&arguments),
            Command::Engine(arguments) => engine::run(&arguments),
        },
        Err(code) => return code,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed, the exit code still reports the failure.
            let _ = writeln!(std::io::stderr(), "qamtu: {error:#}");
            exit_code(&error)
        }
    }
}

impl Cli {
    /// Parses the arguments; clap prints a mistake, which exits with [`EXIT_USAGE`].
    fn parse_from_arguments() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            let code = if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
            let _ = error.print();
            code
        })
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let warehouse = matches!(error.downcast_ref(), Some(DevstackError::Configuration { .. }));
    let demo = error.downcast_ref().is_some_and(DemoError::is_usage);
    let campaign = matches!(error.downcast_ref(), Some(CampaignError::Invalid { .. }));
    if warehouse || demo || campaign { ExitCode::from(EXIT_USAGE) } else { ExitCode::FAILURE }
}

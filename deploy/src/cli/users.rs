//! `qamtu users`: creates the users that Qamtu needs on a ClickHouse server of your own, the same as in the launcher's warehouse.

use std::path::PathBuf;

use qamtu_devstack::warehouse;

/// Command-line arguments of `qamtu users`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder for the files `admin`, `projector` and `analytics`, one password each; existing files are not changed.
    #[arg(long, value_name = "DIR")]
    passwords: PathBuf,
    /// The file for the server's folder users.d; it holds hashes of the passwords only.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// A database whose contract views the user qamtu_analytics may read; may be given several times.
    #[arg(long = "database", default_value = "qamtu")]
    databases: Vec<String>,
}

/// Writes the password files and the users file.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    warehouse::write_users(&arguments.passwords, &arguments.file, &arguments.databases)?;
    Ok(())
}

//! `qamtu engine`: runs the ClickHouse engine in a process of its own, so that its memory and crashes do not affect the launcher.
//! [`qamtu_devstack::warehouse`] starts it; it ends when its standard input closes.

use std::path::PathBuf;

use qamtu_devstack::warehouse::child::{self, ServeOptions};

/// Command-line arguments: exactly one of `library` and `server`, and what to serve.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The ClickHouse engine library to load.
    #[arg(long, conflicts_with = "server", required_unless_present = "server")]
    library: Option<PathBuf>,
    /// A `clickhouse` program to run as a server instead.
    #[arg(long)]
    server: Option<PathBuf>,
    /// The warehouse folder, with its configuration written.
    #[arg(long)]
    folder: PathBuf,
    /// The HTTP port that its configuration names.
    #[arg(long)]
    port: u16,
    /// Whether ClickHouse may open connections.
    #[arg(long)]
    connects: bool,
}

/// Serves until standard input closes. Returns only if the engine cannot start or ends by itself.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let options = ServeOptions { folder: arguments.folder.clone(), port: arguments.port, may_connect: arguments.connects };
    let reason = match (&arguments.library, &arguments.server) {
        (Some(library), _) => child::serve_library(library, &options)?,
        (None, Some(server)) => child::serve_binary(server, &options)?,
        (None, None) => "give --library or --server".to_owned(),
    };
    anyhow::bail!(reason)
}

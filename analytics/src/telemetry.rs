//! Logs: to standard error, plain on a terminal and JSON elsewhere; `RUST_LOG` chooses what is written, `info` without it.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Installs the log subscriber; later calls have no effect.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = fmt().with_env_filter(filter).with_writer(stderr);
    // A second start is refused by the library; the first one stays.
    let _ = if stderr().is_terminal() { logs.try_init() } else { logs.json().try_init() };
}

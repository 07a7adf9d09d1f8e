//! `qamtu warehouse`: a warehouse in the foreground, for tests and for people who want to look around.
//! Prints one JSON line when it is ready and lives until its standard input closes or it is told to stop.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::warehouse::{FetchProgress, FetchStep, Login, Role, Warehouse, WarehouseOptions};

/// Where the warehouse lives and how much it may take.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder for the tables; made when missing, kept afterwards.
    #[arg(long)]
    dir: PathBuf,
    /// The HTTP port on 127.0.0.1; a free one by default.
    #[arg(long)]
    port: Option<u16>,
    /// Memory the ClickHouse process may take, in MB.
    #[arg(long)]
    memory_max_mb: Option<u64>,
    /// Where the engine library is kept between runs (default: $QAMTU_CACHE, else ~/.cache/qamtu).
    #[arg(long)]
    cache_dir: Option<PathBuf>,
}

/// The line printed when the warehouse is ready.
#[derive(Serialize)]
struct Ready<'a> {
    url: &'a str,
    user: &'a str,
    password: &'a str,
    logins: Logins<'a>,
    kind: String,
    pid: Option<u32>,
}

#[derive(Serialize)]
struct Logins<'a> {
    admin: LoginLine<'a>,
    projector: LoginLine<'a>,
    analytics: LoginLine<'a>,
}

#[derive(Serialize)]
struct LoginLine<'a> {
    user: &'a str,
    password: &'a str,
}

impl<'a> From<&'a Login> for LoginLine<'a> {
    fn from(login: &'a Login) -> Self {
        Self { user: &login.user, password: login.password.expose_secret() }
    }
}

/// Starts a warehouse, prints how to reach it, waits for the end of standard input or a signal, and stops it.
pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut options = WarehouseOptions::new(arguments.dir)?;
    options.http_port = arguments.port;
    options.memory_max_mb = arguments.memory_max_mb.unwrap_or(options.memory_max_mb);
    options.cache_dir = arguments.cache_dir.unwrap_or(options.cache_dir);
    options.progress = Some(fetch_bar());

    tokio::runtime::Runtime::new()?.block_on(async {
        let end = end_of_input();
        let warehouse = Warehouse::start(options).await?;
        announce(&warehouse)?;
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = end => {}
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        warehouse.stop().await;
        Ok(())
    })
}

/// Prints the [`Ready`] line.
fn announce(warehouse: &Warehouse) -> anyhow::Result<()> {
    let login = |role| LoginLine::from(warehouse.login(role));
    let ready = Ready {
        url: warehouse.url(),
        user: warehouse.user(),
        password: warehouse.password().expose_secret(),
        logins: Logins { admin: login(Role::Admin), projector: login(Role::Projector), analytics: login(Role::Analytics) },
        kind: warehouse.kind().to_string(),
        pid: warehouse.pid(),
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &ready)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

/// Resolves when standard input is closed. A thread of its own: a blocking read must not hold up the runtime's end.
fn end_of_input() -> tokio::sync::oneshot::Receiver<()> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0_u8; 256];
        while matches!(input.read(&mut buffer), Ok(read) if read > 0) {}
        let _ = sender.send(());
    });
    receiver
}

/// A bar on standard error for the one-time download of the engine (hidden when that is no terminal).
fn fetch_bar() -> FetchProgress {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg:24} {wide_bar} {bytes}/{total_bytes}") {
        bar.set_style(style);
    }
    Arc::new(move |step| {
        let (message, done, total) = match step {
            FetchStep::Downloading { total } => ("Downloading ClickHouse", 0, total),
            FetchStep::Verifying { done, total } => ("Verifying", done, total),
            FetchStep::Unpacking { done, total } => ("Unpacking", done, total),
            FetchStep::Ready => return bar.finish_and_clear(),
        };
        bar.set_message(message);
        bar.set_length(total);
        bar.set_position(done);
    })
}

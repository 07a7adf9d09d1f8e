//! `qamtu warehouse`: runs a warehouse in the foreground, interactively or as a service.
//! Prints one JSON line when it is ready and runs until SIGTERM or SIGINT; without `--service` also until its standard input closes.
//! With `--service` it prints the paths of the password files, but no password, since its output goes to a log.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret;
use serde::Serialize;

use qamtu_devstack::{
    DevstackError,
    warehouse::{FetchProgress, FetchStep, Login, Role, Warehouse, WarehouseOptions, WarehouseSource},
};

/// Command-line arguments of `qamtu warehouse`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder for the tables; created if missing, never removed.
    #[arg(long)]
    dir: PathBuf,
    /// The HTTP port on 127.0.0.1; a free one by default.
    #[arg(long)]
    port: Option<u16>,
    /// Memory the ClickHouse process may take, in MB.
    #[arg(long)]
    memory_max_mb: Option<u64>,
    /// Folder of the downloaded engine library (default: $QAMTU_CACHE, else ~/.cache/qamtu).
    #[arg(long)]
    cache_dir: Option<PathBuf>,
    /// Run until SIGTERM or SIGINT, independent of standard input; notify systemd when ready, and print no passwords.
    #[arg(long)]
    service: bool,
    /// A database whose contract views the user qamtu_analytics may read; may be given several times.
    #[arg(long = "database", default_value = "qamtu")]
    databases: Vec<String>,
    /// Let the administrator use ClickHouse's own Kafka engine, and ClickHouse open connections.
    #[arg(long, hide = true)]
    kafka_engine: bool,
}

/// The line printed when the warehouse is ready. With `--service` it holds no passwords.
#[derive(Serialize)]
struct Ready<'a> {
    url: &'a str,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    logins: BTreeMap<&'static str, LoginLine<'a>>,
    kind: String,
    pid: Option<u32>,
}

#[derive(Serialize)]
struct LoginLine<'a> {
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    password_file: Option<PathBuf>,
}

/// Starts a warehouse, prints how to reach it, restarts ClickHouse when it ends by itself, and stops it on a signal.
pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut options = WarehouseOptions::new(arguments.dir)?;
    if let WarehouseSource::External { url, .. } = &options.source {
        let reason = format!("is set to {url}, so the services use that server and this command has nothing to start; unset it here");
        return Err(DevstackError::Configuration { name: "QAMTU__CLICKHOUSE__URL", reason }.into());
    }
    options.http_port = arguments.port;
    options.memory_max_mb = arguments.memory_max_mb.unwrap_or(options.memory_max_mb);
    options.cache_dir = arguments.cache_dir.unwrap_or(options.cache_dir);
    options.progress = Some(progress());
    options.databases = arguments.databases;
    options.kafka_engine = arguments.kafka_engine;

    tokio::runtime::Runtime::new()?.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let stop_signal = async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        tokio::pin!(stop_signal);
        // A start may take minutes, so the signals must interrupt it too.
        let mut warehouse = tokio::select! {
            started = Warehouse::start(options.clone()) => started?,
            () = &mut stop_signal => return Ok(()),
        };
        for gap in warehouse.gaps() {
            print_stderr(&format!("qamtu: the warehouse is not fully confined: {gap}"));
        }
        print_ready(&warehouse, arguments.service)?;
        if arguments.service {
            notify_systemd()?;
        }
        options.http_port = port_of(&warehouse);
        let input_closed = end_of_input();
        tokio::pin!(input_closed);
        loop {
            let status = tokio::select! {
                () = &mut input_closed, if !arguments.service => {
                    print_stderr("qamtu: standard input is closed, so the warehouse stops; use --service to run without standard input");
                    break;
                }
                () = &mut stop_signal => break,
                status = warehouse.ended() => status,
            };
            print_stderr(&format!("qamtu: ClickHouse ended by itself ({status}) and is restarted; see logs/ in its folder"));
            // The folder is unlocked only after the old process has gone.
            warehouse.stop().await;
            warehouse = tokio::select! {
                started = Warehouse::start(options.clone()) => started?,
                () = &mut stop_signal => return Ok(()),
            };
        }
        warehouse.stop().await;
        Ok(())
    })
}

/// The port in the warehouse's address, which a restart must keep for the services.
fn port_of(warehouse: &Warehouse) -> Option<u16> {
    warehouse.url().rsplit(':').next()?.parse().ok()
}

/// Prints the [`Ready`] line.
fn print_ready(warehouse: &Warehouse, service: bool) -> anyhow::Result<()> {
    let password_unless_service = |login: &'_ Login| (!service).then(|| login.password.expose_secret().to_owned());
    let passwords = Role::ALL.map(|role| password_unless_service(warehouse.login(role)));
    let logins = Role::ALL.iter().zip(&passwords).map(|(role, password)| {
        let user = warehouse.login(*role).user.as_str();
        (role.name(), LoginLine { user, password: password.as_deref(), password_file: warehouse.password_file(*role) })
    });
    let ready = Ready {
        url: warehouse.url(),
        user: warehouse.user(),
        password: passwords[0].as_deref(),
        logins: logins.collect(),
        kind: warehouse.kind().to_string(),
        pid: warehouse.pid(),
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &ready)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

/// Notifies systemd (`Type=notify`) that the warehouse is ready; does nothing if systemd did not start this process.
fn notify_systemd() -> anyhow::Result<()> {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let socket = UnixDatagram::unbound()?;
    match address.as_encoded_bytes() {
        [b'@', name @ ..] => socket.send_to_addr(b"READY=1", &SocketAddr::from_abstract_name(name)?)?,
        _ => socket.send_to(b"READY=1", &address)?,
    };
    Ok(())
}

/// Prints a line on standard error; ignores a closed one.
fn print_stderr(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Resolves when standard input is closed. Reads in a separate thread, since a blocking read would delay the runtime's shutdown.
async fn end_of_input() {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0_u8; 256];
        while matches!(input.read(&mut buffer), Ok(read) if read > 0) {}
        drop(sender);
    });
    // The thread signals the end by dropping the sender.
    let _ = receiver.await;
}

/// A progress bar on standard error for the one-time download of the engine (hidden if that is no terminal), and a line if a start
/// takes long.
fn progress() -> FetchProgress {
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
            FetchStep::Starting { seconds } => {
                return print_stderr(&format!("qamtu: ClickHouse is still loading its tables, {seconds} s so far"));
            }
        };
        bar.set_message(message);
        bar.set_length(total);
        bar.set_position(done);
    })
}

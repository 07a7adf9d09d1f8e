//! The child process: confines itself, then serves one warehouse folder over HTTP until standard input closes.
//! It never survives its parent: the kernel closes the parent's end of the pipe at the latest.
//! It always exits abruptly (ClickHouse keeps acknowledged inserts), so every stop takes the tested path of a crash.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::confinement::{ConfinedProgram, Confinement};
use super::layout::Layout;
use super::library;
use super::startup_barrier::StartupBarrier;
use crate::error::DevstackError;

/// Opens the HTTP port and then runs without end, since the engine's command line exits after its last query.
/// `KILL QUERY` of the second statement ends the warehouse.
const SERVE: &str = "SYSTEM START LISTEN HTTP; \
    SELECT sleepEachRow(3) FROM numbers(1000000000) \
    SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null";

/// How long a killed process may take to release the port.
const PORT_RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// The folder and port that the child serves.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The warehouse folder, with its configuration written.
    pub folder: PathBuf,
    /// The HTTP port of that configuration.
    pub port: u16,
    /// Whether ClickHouse may open connections.
    pub may_connect: bool,
}

/// Serves with the engine library. Returns the engine's error message when it ends by itself
/// (it prints errors of queries to standard error).
///
/// # Errors
/// If the process cannot be confined or the library does not load.
pub fn serve_library(library: &Path, options: &ServeOptions) -> Result<String, DevstackError> {
    let layout = Layout::new(&options.folder);
    let failed = |source| DevstackError::Confine { source };
    // Only root may have access to the library's folder; an open file can be loaded nevertheless.
    let file = File::open(library).map_err(failed)?;
    confine(&layout, options, ConfinedProgram::Library(&file)).map_err(failed)?;
    when_input_ends(|| library::exit_now(0));
    // The engine exits without a message if it cannot open its port.
    wait_for_port(options.port).map_err(|source| DevstackError::Spawn { program: PathBuf::from("a listener on 127.0.0.1"), source })?;
    let barrier = StartupBarrier::create(&layout).map_err(failed)?;
    let arguments = command_line(&layout, &barrier.statement())?;
    barrier.open_when_directory_is_removed();
    let loaded = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let message = library::run_command_line(&loaded, &arguments)
        .map_err(|source| DevstackError::Library { library: library.to_path_buf(), source })?;
    Ok(message.unwrap_or_else(|| "the engine has returned".to_owned()))
}

/// Serves with a `clickhouse` program and kills it when standard input closes. Returns when the program ends by itself.
///
/// # Errors
/// If the process cannot be confined or the program cannot be started.
pub fn serve_binary(program: &Path, options: &ServeOptions) -> Result<String, DevstackError> {
    let layout = Layout::new(&options.folder);
    confine(&layout, options, ConfinedProgram::Executable(program)).map_err(|source| DevstackError::Confine { source })?;
    let failed = |source| DevstackError::Spawn { program: program.to_path_buf(), source };
    let server = server_command(program, &layout.config()).stdin(Stdio::null()).spawn().map_err(failed)?;
    let server = Arc::new(Mutex::new(server));
    let watched = Arc::clone(&server);
    when_input_ends(move || {
        let mut server = watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Fails only if it has ended already.
        let _ = server.kill();
        let _ = server.wait();
        library::exit_now(0)
    });
    loop {
        // The lock is held for a moment only, so that the other thread can end the server at any time.
        let ended = server.lock().unwrap_or_else(PoisonError::into_inner).try_wait().map_err(failed)?;
        match ended {
            None => std::thread::sleep(Duration::from_millis(200)),
            Some(status) => return Ok(format!("{} ended with {status}", program.display())),
        }
    }
}

/// Confines this process and writes the unsupported restrictions to the file `gaps`.
fn confine(layout: &Layout, options: &ServeOptions, program: ConfinedProgram<'_>) -> io::Result<()> {
    fs::create_dir_all(layout.run())?;
    let gaps = Confinement { layout, program, port: options.port, may_connect: options.may_connect }.apply()?;
    fs::write(layout.gaps(), gaps.join("\n"))
}

/// Returns when the port can be opened. After a process was killed, the port stays open until the kernel has closed its files.
fn wait_for_port(port: u16) -> io::Result<()> {
    let since = Instant::now();
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && since.elapsed() < PORT_RELEASE_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => return opened.map(drop),
        }
    }
}

/// The command that runs a `clickhouse` program as a server with our configuration. It must not start a watchdog process,
/// which would survive this one.
fn server_command(program: &Path, config: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("server").arg(format!("--config-file={}", config.display())).env("CLICKHOUSE_WATCHDOG_ENABLE", "0");
    command
}

/// The engine's command line, which is that of clickhouse-local.
fn command_line(layout: &Layout, first: &str) -> Result<Vec<CString>, DevstackError> {
    let option = |name: &str, path: &Path| [name.as_bytes(), path.as_os_str().as_bytes()].concat();
    [
        b"clickhouse".to_vec(),
        option("--path=", &layout.data()),
        option("--config-file=", &layout.config()),
        // The engine's command line ignores the log level of the configuration file.
        b"--logger.level=warning".to_vec(),
        format!("--query={first}; {SERVE}").into_bytes(),
    ]
    .into_iter()
    .map(CString::new)
    .collect::<Result<_, _>>()
    .map_err(|_| DevstackError::Configuration { name: "--folder", reason: "a path with a zero byte cannot be used".to_owned() })
}

/// Calls `end` from a separate thread as soon as standard input is closed.
fn when_input_ends(end: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0_u8; 64];
        while matches!(input.read(&mut buffer), Ok(read) if read > 0) {}
        end();
    });
}

#[cfg(test)]
mod tests {
    use super::{Layout, command_line, server_command};
    use std::path::Path;

    #[test]
    fn a_clickhouse_program_is_run_as_a_server_on_our_configuration() {
        let command = server_command(Path::new("/opt/clickhouse"), Path::new("/w/config/config.xml"));
        assert_eq!(command.get_program(), "/opt/clickhouse");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["server", "--config-file=/w/config/config.xml"]);
        assert!(command.get_envs().any(|(name, value)| name == "CLICKHOUSE_WATCHDOG_ENABLE" && value == Some("0".as_ref())));
    }

    #[test]
    fn the_engine_gets_the_data_folder_and_the_configuration() {
        let line = command_line(&Layout::new("/w"), "SELECT 1").unwrap();
        let words: Vec<&str> = line.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words[..3], ["clickhouse", "--path=/w/data", "--config-file=/w/config/config.xml"]);
        assert!(words[4].starts_with("--query=SELECT 1; SYSTEM START LISTEN HTTP;"), "{}", words[4]);
    }
}

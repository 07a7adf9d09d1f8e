//! The child's side: serves one data folder over HTTP until standard input closes.
//! Guarantees that no orphan is left, however the parent ends: the pipe it holds is closed by the kernel at the latest.
//! Ending is always sudden (ClickHouse keeps what an insert has acknowledged), so every stop is the tested path of a crash.

use std::ffi::CString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::WarehouseError;
use super::library;

/// Opens the HTTP port and then never returns: the engine's command line ends when its last query does.
/// `KILL QUERY` of the second statement ends the warehouse.
const SERVE: &str = "SYSTEM START LISTEN HTTP; \
    SELECT sleepEachRow(3) FROM numbers(1000000000) \
    SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null";

/// Serves `data` with the engine library. Returns when the engine gives up, with its last word
/// (the errors of its queries it has printed to standard error by then).
///
/// # Errors
/// When the library does not load.
pub fn serve_library(library: &Path, data: &Path, config: &Path) -> Result<String, WarehouseError> {
    when_input_ends(|| library::exit_now(0));
    let arguments = command_line(data, config)?;
    let said = library::run_command_line(library, &arguments)
        .map_err(|source| WarehouseError::Library { library: library.to_path_buf(), source })?;
    Ok(said.unwrap_or_else(|| "the engine has returned".to_owned()))
}

/// Serves with a `clickhouse` program and ends it when standard input closes. Returns when the program ends by itself.
///
/// # Errors
/// When the program cannot be started.
pub fn serve_binary(program: &Path, config: &Path) -> Result<String, WarehouseError> {
    let failed = |source| WarehouseError::Spawn { program: program.to_path_buf(), source };
    let server = server_command(program, config).stdin(Stdio::null()).spawn().map_err(failed)?;
    let server = Arc::new(Mutex::new(server));
    let watched = Arc::clone(&server);
    when_input_ends(move || {
        let mut server = watched.lock().unwrap_or_else(PoisonError::into_inner);
        // Fails only when it has ended already.
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

/// How a `clickhouse` program is run as a server on our configuration. It must not start a watchdog process of its own,
/// which would outlive us.
fn server_command(program: &Path, config: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("server").arg(format!("--config-file={}", config.display())).env("CLICKHOUSE_WATCHDOG_ENABLE", "0");
    command
}

/// The engine's command line, which is that of clickhouse-local.
fn command_line(data: &Path, config: &Path) -> Result<Vec<CString>, WarehouseError> {
    let option = |name: &str, path: &Path| [name.as_bytes(), path.as_os_str().as_bytes()].concat();
    [
        b"clickhouse".to_vec(),
        option("--path=", data),
        option("--config-file=", config),
        // The level of the configuration file is not heeded by the engine's command line.
        b"--logger.level=warning".to_vec(),
        format!("--query={SERVE}").into_bytes(),
    ]
    .into_iter()
    .map(CString::new)
    .collect::<Result<_, _>>()
    .map_err(|_| WarehouseError::Configuration { name: "--data", reason: "a path with a zero byte cannot be used".to_owned() })
}

/// Calls `end` from a thread of its own as soon as standard input is closed.
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
    use super::{command_line, server_command};
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
        let line = command_line(Path::new("/w/data"), Path::new("/w/config/config.xml")).unwrap();
        let words: Vec<&str> = line.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words[..3], ["clickhouse", "--path=/w/data", "--config-file=/w/config/config.xml"]);
        assert!(words[4].starts_with("--query=SYSTEM START LISTEN HTTP;"), "{}", words[4]);
    }
}

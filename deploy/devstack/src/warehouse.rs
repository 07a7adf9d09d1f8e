//! Provides a ClickHouse warehouse: the user's own server, else a `clickhouse` program on PATH, else the engine library
//! in a child process on loopback. The child ends with its parent and stays within its memory limit.
//! Databases, tables and migrations are the projector's.
//!
//! # What works with the engine library
//!
//! Engine 26.7 on two cores, measured and tested by the tests named here (`deploy/tests/warehouse/`).
//!
//! - **Start and stop.** Answers 0.3-0.7 s after the start, takes about 215 MB when idle
//!   (`it_starts_answers_and_stops`). Every stop is as abrupt as kill -9: acknowledged inserts survive it, a running
//!   insert is written completely or not at all (`acknowledged_rows_survive_kill_9_in_the_middle_of_inserts`). Protection against
//!   power loss needs the table settings `fsync_after_insert` and `fsync_part_directory`.
//! - **No orphan.** The child reads its standard input and ends when that closes, so also when the launcher is killed with -9
//!   (`no_orphan_is_left_when_the_parent_is_killed_with_9`). It has a process group of its own: Ctrl-C stops the launcher, which
//!   stops the warehouse last.
//! - **Memory.** A query that needs too much is refused with code 241, and the process stays within
//!   [`WarehouseOptions::memory_max_mb`] (`a_query_over_the_cap_is_refused_and_the_process_stays_within_it`: 680 MB under a cap of
//!   800). One query may take three quarters of the server's limit.
//! - **Users** come from a file that is read at the start only; SQL cannot make any (`users_cannot_be_made_by_sql`). Their passwords are
//!   stored in the folder, mode 0600, so that a restart changes none (`passwords_stay_the_same_and_only_their_owner_can_read_them`).
//!   Rights, `readonly = 1`, setting constraints and quotas are in force (`analytics_reads_the_contract_views_and_nothing_else`,
//!   `the_projector_writes_rows_but_no_tables`, `a_quota_stops_a_failing_client_and_no_other`).
//!   The engine itself needs a user `default` without a password. Nobody else can log in as that user: its only session is in use
//!   (`nobody_can_log_in_without_a_password`). Clients log in by the header `X-ClickHouse-User` or HTTP Basic, so ordinary clients work
//!   (`a_client_logs_in_by_basic_authentication_and_finds_the_contract_views`); the pages `/play` and `/dashboard` are not served.
//! - **No query reaches files, other servers or processes**, by any function, table function, engine, dictionary, format or statement
//!   (`no_function_reads_a_file`, `no_table_function_reaches_outside`, `no_engine_of_a_table_or_a_database_reaches_outside`,
//!   `no_statement_reads_writes_or_starts_what_is_outside`). Three layers ensure this, and each suffices for most cases: rights
//!   (`deploy/devstack/clickhouse/users.xml`), a removed current directory (`startup_barrier.rs`), and a process that may open only its own folder,
//!   cannot connect and does not run as root where that can be avoided (`confinement.rs`,
//!   `the_serving_process_has_no_secrets_and_no_unneeded_rights`). Restrictions that a system does not support are printed
//!   at the start ([`Warehouse::gaps`]). The engine ignores `user_files_path` and `format_schema_path` for paths in a query, and the
//!   scalar function `file` needs no right.
//! - **A slow start** is not aborted as long as the engine uses processor time (`a_slow_start_that_makes_progress_is_not_aborted`).
//! - **Deduplication tokens** work on plain MergeTree tables that set `non_replicated_deduplication_window`, across restarts too
//!   (`a_repeated_insert_with_the_same_token_is_dropped_also_after_a_restart`); without it a token is silently ignored
//!   (`without_a_window_on_the_table_a_token_does_nothing`).
//! - **Inserts over HTTP** run concurrently (`concurrent_inserts_over_http_all_arrive`); one whose client disconnects
//!   writes nothing (`an_insert_whose_client_disconnects_writes_nothing`). `async_insert` is on by default in this
//!   version; our profiles turn it off; on external servers each insert must set it.
//! - **KILL QUERY** ends a query (`kill_query_ends_a_query_and_killing_the_start_command_ends_the_warehouse`). One query without a user keeps
//!   the engine running; killing it ends the warehouse, so a KILL must name a query id or a user.
//! - **Merges, mutations, EXCHANGE TABLES, bitmap states** work (`merges_mutations_exchange_and_bitmaps_work`).
//! - **Missing** (`log_tables_keeper_and_config_reload_are_missing`): log tables such as `system.query_log`, `part_log` and `text_log`
//!   (log files are in `logs/`), Keeper and `Replicated*` tables, `SYSTEM RELOAD CONFIG`. The port of the native protocol is not opened.
//! - **Conflicts and damage** give an error of one line: a taken port, a folder in use, tables of another version, tables that do not load
//!   (`a_taken_port_is_named_in_one_line`, `a_folder_in_use_is_refused_with_its_owner`,
//!   `tables_of_another_version_are_refused_and_kept`, `a_damaged_folder_is_refused_in_one_line_and_left_as_it_is`). A part that
//!   cannot be read stops the start and is not detached. Corrupt bytes in a column are detected when they are read
//!   (code 40). Files that are missing as a whole are not detected here; the projector's comparison with the log detects them.
//!
//! # With a `clickhouse` program
//!
//! The same configuration, run as `clickhouse server`, ended by a supervising `qamtu engine` in the same way
//! (`a_clickhouse_program_ends_with_its_parent_too`; when that supervisor itself is killed with -9, the server stays).
//! It is confined in the same way, and `user_files_path` is an empty folder of its own. Command line and confinement are tested, a
//! real server is not.

pub mod child;
mod client;
mod confinement;
mod folder;
mod layout;
mod library;
mod login;
mod package;
mod process;
mod settings;
mod source;
mod stall;
mod startup_barrier;
mod system;

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

pub use client::WarehouseClient;
pub use login::{Login, Role};
pub use package::{FetchProgress, FetchStep};
pub use settings::CONTRACT_VIEWS;
pub use source::WarehouseSource;

use crate::error::DevstackError;
use crate::fetch::cache_dir;
use child::ServeOptions;
use folder::Folder;
use login::Logins;
use process::{Failure, Process, ProcessError};
use settings::{MEMORY_MIN_MB, Settings};
use source::ServerProgram;

/// How often to check whether the process has ended.
const EXIT_POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(200);
/// Number of attempts to open a free port before another program takes it.
const PORT_ATTEMPTS: usize = 5;

/// Folder, limits and source of a warehouse.
#[derive(Clone)]
pub struct WarehouseOptions {
    /// The warehouse's folder; created if missing, never removed. Unused for an external server.
    pub dir: PathBuf,
    /// Folder of the downloaded engine library. Default: `$QAMTU_CACHE`, else `~/.cache/qamtu`.
    pub cache_dir: PathBuf,
    /// Memory the child process may take, in MB (10^6 bytes). Default 1600, at least 700.
    pub memory_max_mb: u64,
    /// The HTTP port on 127.0.0.1. Default: a free one.
    pub http_port: Option<u16>,
    /// Which ClickHouse. Default: what `QAMTU__CLICKHOUSE__URL` says, else [`WarehouseSource::Automatic`].
    pub source: WarehouseSource,
    /// The `qamtu` program whose `engine` subcommand is the child. Default: the running program.
    pub launcher: PathBuf,
    /// Callback for the progress of the one-time download of the engine and of a slow start.
    pub progress: Option<FetchProgress>,
    /// The databases whose contract views the login of [`Role::Analytics`] may read. Default `qamtu`.
    pub databases: Vec<String>,
    /// Allow ClickHouse's own Kafka engine, which `make bench` compares the projector with. The administrator may then
    /// read topics, and ClickHouse may open connections.
    pub kafka_engine: bool,
}

impl WarehouseOptions {
    /// The defaults for a warehouse in `dir`, with the settings of the environment.
    ///
    /// # Errors
    /// If an environment variable is not valid.
    pub fn new(dir: impl Into<PathBuf>) -> Result<Self, DevstackError> {
        Self::with_environment(dir, |name| std::env::var_os(name))
    }

    /// As [`Self::new`], with another source for the variables of an external server.
    pub fn with_environment(dir: impl Into<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, DevstackError> {
        let launcher = std::env::current_exe().map_err(|source| DevstackError::Spawn { program: PathBuf::from("qamtu"), source })?;
        Ok(Self {
            dir: dir.into(),
            cache_dir: cache_dir()?,
            memory_max_mb: 1_600,
            http_port: None,
            source: WarehouseSource::from_environment(variable)?,
            launcher,
            progress: None,
            databases: vec!["qamtu".to_owned()],
            kafka_engine: false,
        })
    }
}

/// The kind of ClickHouse behind a warehouse's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarehouseKind {
    /// A server that the user runs.
    External,
    /// A `clickhouse` program, run by the launcher.
    Binary,
    /// The engine library in a child process.
    Engine,
}

impl std::fmt::Display for WarehouseKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::External => "external",
            Self::Binary => "binary",
            Self::Engine => "engine",
        })
    }
}

/// A warehouse that accepts queries. Its process ends when this is dropped, and when this process ends, even if killed.
#[derive(Debug)]
pub struct Warehouse {
    url: String,
    logins: Logins,
    kind: WarehouseKind,
    gaps: Vec<String>,
    // Dropped in this order: the folder must be unlocked after its process has ended.
    process: Option<Process>,
    folder: Option<Folder>,
}

impl Warehouse {
    /// Finds or starts a warehouse and returns when it accepts queries.
    ///
    /// # Errors
    /// [`DevstackError`]; each message is one line that says how to fix the problem.
    pub async fn start(options: WarehouseOptions) -> Result<Self, DevstackError> {
        let program = match &options.source {
            WarehouseSource::External { url, login } => return Self::external(url, login).await,
            WarehouseSource::Binary(program) => ServerProgram::Binary(program.clone()),
            WarehouseSource::Engine => engine(&options).await?,
            WarehouseSource::Automatic => match source::binary_on_path(std::env::var_os("PATH")) {
                Some(program) => ServerProgram::Binary(program),
                None => engine(&options).await?,
            },
        };
        Self::started(&options, &program).await
    }

    /// The HTTP address, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The login for a role; the same one for every role of an external server.
    #[must_use]
    pub fn login(&self, role: Role) -> &Login {
        self.logins.of(role)
    }

    /// The user of [`Role::Admin`].
    #[must_use]
    pub fn user(&self) -> &str {
        &self.login(Role::Admin).user
    }

    /// The password of [`Role::Admin`].
    #[must_use]
    pub fn password(&self) -> &SecretString {
        &self.login(Role::Admin).password
    }

    /// Process id of the child; none for an external server.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Whether it is external, a program or the engine library.
    #[must_use]
    pub fn kind(&self) -> WarehouseKind {
        self.kind
    }

    /// Restrictions of the serving process that this system does not support, one line each. Empty for an external server.
    #[must_use]
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    /// The file with the password of a role; none for an external server.
    #[must_use]
    pub fn password_file(&self, role: Role) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.layout().passwords().join(role.name()))
    }

    /// Waits until the process of the warehouse has ended by itself; returns its status. Never resolves for an external server.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        loop {
            if let Some(status) = self.process.as_mut().and_then(Process::ended) {
                return status;
            }
            tokio::time::sleep(EXIT_POLL_INTERVAL).await;
        }
    }

    /// Stops the child process and waits for its end. An external server keeps running.
    pub async fn stop(mut self) {
        if let Some(mut process) = self.process.take() {
            // If this task is dropped before it runs, dropping `process` ends the child.
            let _ = tokio::task::spawn_blocking(move || process.end()).await;
        }
    }

    async fn external(url: &str, login: &Login) -> Result<Self, DevstackError> {
        let pinged = WarehouseClient::new(url, login)?.ping().await;
        pinged.map_err(|source| DevstackError::External { source: Box::new(source) })?;
        let logins = Logins::shared(login);
        Ok(Self { url: url.to_owned(), logins, kind: WarehouseKind::External, gaps: Vec::new(), process: None, folder: None })
    }

    async fn started(options: &WarehouseOptions, program: &ServerProgram) -> Result<Self, DevstackError> {
        if options.memory_max_mb < MEMORY_MIN_MB {
            let reason = format!("{} is too little for ClickHouse; give at least {MEMORY_MIN_MB}", options.memory_max_mb);
            return Err(DevstackError::Configuration { name: "memory_max_mb", reason });
        }
        settings::check_databases(&options.databases)?;
        let folder = Folder::open(&options.dir, &program.version())?;
        let logins = folder.logins()?;
        let kind = match program {
            ServerProgram::Binary(_) => WarehouseKind::Binary,
            ServerProgram::Engine(_) => WarehouseKind::Engine,
        };
        let mut attempt = 1;
        loop {
            let http_port = options.http_port.map_or_else(free_port, Ok)?;
            let settings = Settings {
                layout: folder.layout(),
                databases: &options.databases,
                kafka_engine: options.kafka_engine,
                http_port,
                memory_max_mb: options.memory_max_mb,
                program,
                logins: &logins,
            };
            folder.write_config(&settings.config(), &settings.users())?;
            let url = format!("http://127.0.0.1:{http_port}");
            let serve_options =
                ServeOptions { folder: folder.layout().root().to_path_buf(), port: http_port, may_connect: options.kafka_engine };
            let mut process = Process::start(&options.launcher, program, &folder, &serve_options)?;
            let report = |waited: Duration| {
                if let Some(progress) = &options.progress {
                    progress(FetchStep::Starting { seconds: waited.as_secs() });
                }
            };
            let client = WarehouseClient::new(url.as_str(), logins.of(Role::Admin))?;
            match process.wait_until_ready(&client, &folder.layout().output(), report).await {
                Ok(()) => {
                    let gaps = folder.gaps()?;
                    return Ok(Self { url, logins, kind, gaps, process: Some(process), folder: Some(folder) });
                }
                Err(ProcessError::Ended(Failure::PortTaken)) if options.http_port.is_none() && attempt < PORT_ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(start_error(error, &folder, http_port)),
            }
        }
    }
}

/// Writes the users file for a ClickHouse server of the user's, with the passwords of a folder; creates missing passwords.
///
/// # Errors
/// If a database name is not valid, or a file cannot be read or written.
pub fn write_users(passwords: &Path, file: &Path, databases: &[String]) -> Result<(), DevstackError> {
    settings::check_databases(databases)?;
    let logins = folder::read_or_create_logins(passwords)?;
    // It has hashes only, and the server reads it as another user.
    let readable = std::fs::Permissions::from_mode(0o644);
    let written = std::fs::write(file, settings::server_users(&logins, databases)).and_then(|()| std::fs::set_permissions(file, readable));
    written.map_err(|source| DevstackError::file(file, source))
}

/// The engine, downloaded first if it is not in the cache.
async fn engine(options: &WarehouseOptions) -> Result<ServerProgram, DevstackError> {
    let (cache_dir, progress) = (options.cache_dir.clone(), options.progress.clone());
    let fetched = tokio::task::spawn_blocking(move || ServerProgram::engine(&cache_dir, progress.as_ref())).await;
    fetched.unwrap_or_else(|error| Err(DevstackError::file(&options.cache_dir, std::io::Error::other(error))))
}

/// A port that was free a moment ago. (ClickHouse interprets port 0 as "no port".)
fn free_port() -> Result<u16, DevstackError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| DevstackError::Spawn { program: PathBuf::from("a listener on 127.0.0.1"), source })
}

/// The error of a failed start, from the reason in the process's output.
fn start_error(error: ProcessError, folder: &Folder, port: u16) -> DevstackError {
    let (dir, log) = (folder.layout().root().to_path_buf(), folder.layout().output());
    match error {
        ProcessError::Other(error) => error,
        ProcessError::Ended(Failure::PortTaken) => DevstackError::PortTaken { port },
        ProcessError::Ended(Failure::DataInUse) => DevstackError::InUse { dir, owner: "unknown".to_owned() },
        ProcessError::Ended(Failure::Message(reason)) if folder.has_data => DevstackError::Damaged { dir, reason, log },
        ProcessError::Ended(Failure::Message(reason)) => DevstackError::Ended { program: "ClickHouse", reason, log },
    }
}

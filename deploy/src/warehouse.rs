//! Gives everybody a ClickHouse warehouse: the user's own server, else a `clickhouse` program on PATH, else the engine library
//! in a child process on loopback. Guarantees that what it starts ends with it and stays within its memory.
//! Leaves databases, tables and migrations to the projector.

pub mod child;
mod error;
mod folder;
mod library;
mod login;
mod package;
mod process;
mod settings;
mod source;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use secrecy::SecretString;

pub use error::WarehouseError;
pub use login::{Login, Role};
pub use package::{FetchProgress, FetchStep};
pub use source::WarehouseSource;

use folder::Folder;
use login::Logins;
use process::{Failure, Process, ProcessError};
use settings::{MEMORY_MIN_MB, Settings};
use source::Program;

/// How often a free port may be snatched away between choosing and opening it.
const PORT_ATTEMPTS: usize = 5;

/// Where a warehouse lives and how much it may take.
#[derive(Clone)]
pub struct WarehouseOptions {
    /// The warehouse's folder; made when missing, kept afterwards. Unused for an external server.
    pub dir: PathBuf,
    /// Where the engine library is kept between runs. Default: `$QAMTU_CACHE`, else `~/.cache/qamtu`.
    pub cache_dir: PathBuf,
    /// Memory the child process may take, in MB (10^6 bytes). Default 1600, at least 600.
    pub memory_max_mb: u64,
    /// The HTTP port on 127.0.0.1. Default: a free one.
    pub http_port: Option<u16>,
    /// Which ClickHouse. Default: what `QAMTU__CLICKHOUSE__URL` says, else [`WarehouseSource::Automatic`].
    pub source: WarehouseSource,
    /// The `qamtu` program whose `engine` subcommand is the child. Default: the running program.
    pub launcher: PathBuf,
    /// Told how far the one-time download of the engine is.
    pub progress: Option<FetchProgress>,
}

impl WarehouseOptions {
    /// The defaults for a warehouse in `dir`, with what the environment says.
    ///
    /// # Errors
    /// When a variable of the environment makes no sense.
    pub fn new(dir: impl Into<PathBuf>) -> Result<Self, WarehouseError> {
        let launcher = std::env::current_exe()
            .map_err(|source| WarehouseError::Spawn { program: PathBuf::from("qamtu"), source })?;
        let cache_dir = std::env::var_os("QAMTU_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let home = std::env::home_dir().map(|home| home.join(".cache/qamtu"));
        let cache_dir = cache_dir.or(home).ok_or_else(|| WarehouseError::Configuration {
            name: "QAMTU_CACHE",
            reason: "there is no home folder; set it to a folder that can keep 600 MB".to_owned(),
        })?;
        Ok(Self {
            dir: dir.into(),
            cache_dir,
            memory_max_mb: 1_600,
            http_port: None,
            source: WarehouseSource::from_environment(|name| std::env::var_os(name))?,
            launcher,
            progress: None,
        })
    }
}

/// What answers behind a warehouse's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarehouseKind {
    /// A server of the user's.
    External,
    /// A `clickhouse` program that we run.
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

/// A warehouse that answers. What was started for it ends when this is dropped, and when this process ends in whatever way.
#[derive(Debug)]
pub struct Warehouse {
    url: String,
    logins: Logins,
    kind: WarehouseKind,
    // Dropped in this order: the folder is free when its process is gone.
    process: Option<Process>,
    _folder: Option<Folder>,
}

impl Warehouse {
    /// Finds or starts a warehouse and returns when it answers.
    ///
    /// # Errors
    /// One clear line with the mend, for everything in [`WarehouseError`].
    pub async fn start(options: WarehouseOptions) -> Result<Self, WarehouseError> {
        let program = match &options.source {
            WarehouseSource::External { url, login } => return Self::external(url, login).await,
            WarehouseSource::Binary(program) => Program::Binary(program.clone()),
            WarehouseSource::Engine => engine(&options).await?,
            WarehouseSource::Automatic => match source::binary_on_path(std::env::var_os("PATH")) {
                Some(program) => Program::Binary(program),
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

    /// The child process, where there is one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// What answers.
    #[must_use]
    pub fn kind(&self) -> WarehouseKind {
        self.kind
    }

    /// Ends what was started and returns when it is gone. An external server is left alone.
    pub async fn stop(mut self) {
        if let Some(mut process) = self.process.take() {
            // Ends the child itself should this task be dropped before its turn.
            let _ = tokio::task::spawn_blocking(move || process.end()).await;
        }
    }

    async fn external(url: &str, login: &Login) -> Result<Self, WarehouseError> {
        process::ask(&process::client()?, url, login, "SELECT 1")
            .await
            .map_err(|reason| WarehouseError::External { url: url.to_owned(), reason })?;
        let logins = Logins::same(login);
        Ok(Self { url: url.to_owned(), logins, kind: WarehouseKind::External, process: None, _folder: None })
    }

    async fn started(options: &WarehouseOptions, program: &Program) -> Result<Self, WarehouseError> {
        if options.memory_max_mb < MEMORY_MIN_MB {
            let reason = format!("{} is too little for ClickHouse; give at least {MEMORY_MIN_MB}", options.memory_max_mb);
            return Err(WarehouseError::Configuration { name: "memory_max_mb", reason });
        }
        let folder = Folder::open(&options.dir, &program.version())?;
        let logins = Logins::fresh();
        let kind = match program {
            Program::Binary(_) => WarehouseKind::Binary,
            Program::Engine(_) => WarehouseKind::Engine,
        };
        let (data, logs, users) = (folder.data(), folder.logs(), folder.users());
        let mut attempt = 1;
        loop {
            let http_port = options.http_port.map_or_else(free_port, Ok)?;
            let memory_max_mb = options.memory_max_mb;
            let settings =
                Settings { data: &data, logs: &logs, users: &users, http_port, memory_max_mb, program, logins: &logins };
            folder.write_config(&settings.config(), &settings.users())?;
            let url = format!("http://127.0.0.1:{http_port}");
            let mut process = Process::start(&options.launcher, program, &folder)?;
            match process.answers(&url, logins.of(Role::Admin), &folder.output()).await {
                Ok(()) => return Ok(Self { url, logins, kind, process: Some(process), _folder: Some(folder) }),
                Err(ProcessError::Ended(Failure::PortTaken)) if options.http_port.is_none() && attempt < PORT_ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(explained(error, &folder, http_port)),
            }
        }
    }
}

/// The engine, fetched first when it is not in the cache.
async fn engine(options: &WarehouseOptions) -> Result<Program, WarehouseError> {
    let (cache_dir, progress) = (options.cache_dir.clone(), options.progress.clone());
    let fetched = tokio::task::spawn_blocking(move || Program::engine(&cache_dir, progress.as_ref())).await;
    fetched.unwrap_or_else(|error| {
        Err(WarehouseError::Cache { folder: options.cache_dir.clone(), source: std::io::Error::other(error) })
    })
}

/// A port that was free a moment ago. (ClickHouse takes port 0 for "no port".)
fn free_port() -> Result<u16, WarehouseError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| WarehouseError::Spawn { program: PathBuf::from("a listener on 127.0.0.1"), source })
}

/// One clear line for a start that failed.
fn explained(error: ProcessError, folder: &Folder, port: u16) -> WarehouseError {
    let (dir, log) = (folder.root().to_path_buf(), folder.output());
    match error {
        ProcessError::Other(error) => error,
        ProcessError::Ended(Failure::PortTaken) => WarehouseError::PortTaken { port },
        ProcessError::Ended(Failure::DataInUse) => WarehouseError::InUse { dir, owner: "unknown".to_owned() },
        ProcessError::Ended(Failure::Said(reason)) if folder.has_data => WarehouseError::Damaged { dir, reason, log },
        ProcessError::Ended(Failure::Said(reason)) => WarehouseError::Ended { reason, log },
    }
}

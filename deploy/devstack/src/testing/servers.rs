//! The ClickHouse and the Kafka broker that the tests of one binary share, and separate ones that a test may stop or kill.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Program, binary, runs, wait};
use crate::DevstackError;
use crate::broker::{Broker, BrokerOptions};

/// How long a warehouse may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A running `qamtu warehouse`; ClickHouse ends with it.
#[derive(Debug)]
pub struct WarehouseProgram(Program);

/// Address and user of a ClickHouse.
#[derive(Debug, Clone)]
pub struct WarehouseLogin {
    /// HTTP address of the server.
    pub url: String,
    /// Name of the user.
    pub user: String,
    /// Password of the user, in clear.
    pub password: String,
}

impl WarehouseProgram {
    /// Starts a warehouse in `dir` with further arguments; blocks.
    pub fn start(dir: &Path, arguments: &[&str]) -> Result<Self> {
        let mut program = Program::spawn(Command::new(binary("qamtu")?).args(["warehouse", "--dir"]).arg(dir).args(arguments))?;
        program.wait_ready_blocking()?;
        Ok(Self(program))
    }

    /// The login of a role: `admin`, `projector` or `analytics`.
    pub fn login(&self, role: &str) -> Result<WarehouseLogin> {
        let login = &self.0.ready()["logins"][role];
        let text = |name: &str| login[name].as_str().map(str::to_owned).with_context(|| format!("no {name} of {role}"));
        Ok(WarehouseLogin { url: self.0.ready_field("url")?, user: text("user")?, password: text("password")? })
    }

    /// The process of the launcher; its ready line has the addresses and logins.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.0
    }
}

impl Drop for WarehouseProgram {
    fn drop(&mut self) {
        // Killed, the launcher could not stop ClickHouse in order.
        self.0.close_input();
        let _ = wait::until_blocking("the end of the warehouse", STOP_TIMEOUT, || (!runs(self.0.pid())).then_some(()));
    }
}

/// The warehouse that all tests of this binary share; it ends because its standard input closes with this process.
pub fn shared_warehouse() -> &'static WarehouseProgram {
    static WAREHOUSE: OnceLock<WarehouseProgram> = OnceLock::new();
    // INVARIANT: without a warehouse no test of this binary can run.
    WAREHOUSE.get_or_init(|| WarehouseProgram::start(&scratch_dir().join("warehouse"), &[]).expect("the warehouse starts"))
}

/// Address of the broker that all tests of this binary share; none: no Java or Maven here.
pub fn shared_broker() -> Option<String> {
    static BROKER: OnceLock<Option<Broker>> = OnceLock::new();
    BROKER.get_or_init(|| start_broker("shared", 0)).as_ref().map(Broker::address)
}

/// Starts a broker for one test in the folder `name`, which a later start may use again; port 0: any free one.
pub fn start_broker(name: &str, port: u16) -> Option<Broker> {
    broker_or_skip(BrokerOptions::new(scratch_dir().join(name)).and_then(|options| Broker::start(BrokerOptions { port, ..options })))
}

/// Without a broker the Kafka tests are skipped with a message; in CI they fail.
pub fn broker_or_skip(started: Result<Broker, DevstackError>) -> Option<Broker> {
    match started {
        Ok(broker) => Some(broker),
        Err(error) if std::env::var_os("CI").is_none() => {
            // Not by a macro, since captured output is shown only for failed tests.
            let _ = writeln!(std::io::stderr(), "\n!!! KAFKA TESTS SKIPPED: {error}\n");
            None
        }
        Err(error) => panic!("the Kafka tests need a broker: {error}"),
    }
}

/// Folder of this process, below the target folder; removes those of processes that have ended.
pub fn scratch_dir() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let here = std::env::current_exe().unwrap_or_default();
        let all = here.ancestors().nth(3).map_or_else(std::env::temp_dir, |target| target.join("tmp")).join("servers");
        for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        let own = all.join(std::process::id().to_string());
        let _ = std::fs::create_dir_all(&own);
        own
    };
    FOLDER.get_or_init(make).clone()
}

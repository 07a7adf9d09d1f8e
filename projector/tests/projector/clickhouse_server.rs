//! The ClickHouse of this test binary, and separate ones that a test may kill.
//!
//! `QAMTU_TEST_CLICKHOUSE_URL` (with `_USER` and `_PASSWORD`) names an existing server; otherwise the built `qamtu warehouse` starts one.

use qamtu_devstack::testing::{WarehouseLogin, WarehouseProgram, child_of, send_signal, shared_warehouse, wait};
use qamtu_projector::config::ClickhouseConfig;
use tempfile::TempDir;

use crate::fixture::DEADLINE;

pub struct ClickhouseServer {
    warehouse: WarehouseProgram,
    _dir: TempDir,
}

impl ClickhouseServer {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { warehouse: WarehouseProgram::start(&dir.path().join("warehouse"), &[]).unwrap(), _dir: dir }
    }

    /// The login of a role: `admin`, `projector` or `analytics`.
    pub fn config(&self, role: &str, database: &str) -> ClickhouseConfig {
        config(self.warehouse.login(role).unwrap(), database)
    }

    /// Kills the server with SIGKILL; the launcher restarts it with the same directory, port and logins.
    pub fn kill(&self) {
        let launcher = self.warehouse.program().pid();
        let pid = wait::until_blocking("ClickHouse to be started again", DEADLINE, || child_of(launcher)).unwrap();
        send_signal(pid, "KILL").unwrap();
        wait::until_blocking("ClickHouse to die", DEADLINE, || (child_of(launcher) != Some(pid)).then_some(())).unwrap();
    }
}

fn config(login: WarehouseLogin, database: &str) -> ClickhouseConfig {
    ClickhouseConfig { url: login.url, user: login.user, password: login.password.into(), database: database.to_owned() }
}

/// Connection of a role to the ClickHouse that all tests share.
pub fn shared(role: &str, database: &str) -> ClickhouseConfig {
    let named = |suffix: &str| std::env::var(format!("QAMTU_TEST_CLICKHOUSE_{suffix}")).ok();
    let login = match named("URL") {
        Some(url) => {
            WarehouseLogin { url, user: named("USER").unwrap_or_else(|| "default".into()), password: named("PASSWORD").unwrap_or_default() }
        }
        None => shared_warehouse().login(role).unwrap(),
    };
    config(login, database)
}

//! The ClickHouse of this test binary, and separate ones that a test may kill.
//!
//! `QAMTU_TEST_CLICKHOUSE_URL` (with `_USER` and `_PASSWORD`) names an existing server; otherwise the built `qamtu warehouse` starts one,
//! which ends with this process because its standard input closes.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use qamtu_projector::config::ClickhouseConfig;
use serde_json::Value;
use tempfile::TempDir;

pub struct ClickhouseServer {
    launcher: Child,
    announced: Value,
    _dir: TempDir,
}

impl ClickhouseServer {
    pub fn start() -> Self {
        let qamtu = Path::new(env!("CARGO_BIN_EXE_qamtu-projector")).with_file_name("qamtu");
        assert!(qamtu.exists(), "{} is missing: build it, or set QAMTU_TEST_CLICKHOUSE_URL", qamtu.display());
        let dir = tempfile::tempdir().unwrap();
        let mut launcher = Command::new(qamtu)
            .arg("warehouse")
            .arg("--dir")
            .arg(dir.path().join("warehouse"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(launcher.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let announced = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the warehouse did not start: {line:?}"));
        Self { launcher, announced, _dir: dir }
    }

    /// The login of a role: `admin`, `projector` or `analytics`.
    pub fn config(&self, role: &str, database: &str) -> ClickhouseConfig {
        let login = &self.announced["logins"][role];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        ClickhouseConfig {
            url: text(&self.announced["url"]),
            user: text(&login["user"]),
            password: text(&login["password"]).into(),
            database: database.to_owned(),
        }
    }

    /// Kills the server with SIGKILL; the launcher restarts it with the same directory, port and logins.
    pub fn kill(&self) {
        let deadline = Instant::now() + Duration::from_secs(90);
        let pid = loop {
            match child_of(self.launcher.id()) {
                Some(pid) => break pid,
                None => assert!(Instant::now() < deadline, "ClickHouse is not started again"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
        while child_of(self.launcher.id()) == Some(pid) {
            assert!(Instant::now() < deadline, "ClickHouse does not die");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Process id of a child of `parent`.
fn child_of(parent: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|process| process.file_name().to_str()?.parse().ok()).find(|pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The fields after the name in parentheses are the state and the parent.
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&parent.to_string())
    })
}

impl Drop for ClickhouseServer {
    fn drop(&mut self) {
        drop(self.launcher.stdin.take());
        let _ = self.launcher.wait();
    }
}

/// Connection of a role to the ClickHouse that all tests share.
pub fn shared(role: &str, database: &str) -> ClickhouseConfig {
    let named = |suffix: &str| std::env::var(format!("QAMTU_TEST_CLICKHOUSE_{suffix}")).ok();
    if let Some(url) = named("URL") {
        let user = named("USER").unwrap_or_else(|| "default".into());
        return ClickhouseConfig { url, user, password: named("PASSWORD").unwrap_or_default().into(), database: database.into() };
    }
    static SERVER: OnceLock<ClickhouseServer> = OnceLock::new();
    SERVER.get_or_init(ClickhouseServer::start).config(role, database)
}

//! The ClickHouse of this test binary, and one that a test may kill.
//!
//! `QAMTU_TEST_CLICKHOUSE_URL` (with `_USER` and `_PASSWORD`) names one that is there; else the built `qamtu warehouse` starts one, which
//! ends when this process does, because its standard input closes.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use qamtu_projector::config::ClickhouseConfig;
use serde_json::Value;
use tempfile::TempDir;

/// A ClickHouse that was started here.
pub struct Server {
    launcher: Child,
    said: Value,
    _dir: TempDir,
}

impl Server {
    /// Starts one of its own.
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
        let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the warehouse did not start: {line:?}"));
        Self { launcher, said, _dir: dir }
    }

    /// The login of a role: `admin`, `projector` or `analytics`.
    pub fn config(&self, role: &str, database: &str) -> ClickhouseConfig {
        let login = &self.said["logins"][role];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        ClickhouseConfig {
            url: text(&self.said["url"]),
            user: text(&login["user"]),
            password: text(&login["password"]).into(),
            database: database.to_owned(),
        }
    }

    /// The process that serves.
    pub fn pid(&self) -> u32 {
        u32::try_from(self.said["pid"].as_u64().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.launcher.stdin.take());
        let _ = self.launcher.wait();
    }
}

/// The serving process after a kill, started again on the same folder, port and logins.
pub struct Again(Child);

/// Kills the serving process with signal 9 and starts the same command again.
pub fn kill_and_restart(pid: u32) -> Again {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let words: Vec<_> =
        words.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty()) {
        assert!(Instant::now() < deadline, "ClickHouse does not die");
        std::thread::sleep(Duration::from_millis(5));
    }
    let again = Command::new(program).args(&words[1..]).env("TZ", "UTC").stdin(Stdio::piped()).spawn();
    Again(again.unwrap())
}

impl Again {
    /// The serving process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The login of a role at the ClickHouse that all tests share.
pub fn shared(role: &str, database: &str) -> ClickhouseConfig {
    let named = |suffix: &str| std::env::var(format!("QAMTU_TEST_CLICKHOUSE_{suffix}")).ok();
    if let Some(url) = named("URL") {
        let user = named("USER").unwrap_or_else(|| "default".into());
        return ClickhouseConfig { url, user, password: named("PASSWORD").unwrap_or_default().into(), database: database.into() };
    }
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start).config(role, database)
}

/// Where what is fetched is kept.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache/qamtu");
    std::env::var_os("QAMTU_CACHE").map_or_else(home, PathBuf::from)
}

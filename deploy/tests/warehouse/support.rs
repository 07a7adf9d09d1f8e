//! Helpers of the tests: start a warehouse, query it, wait, inspect processes.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use qamtu_devstack::{
    DevstackError,
    warehouse::{Role, Warehouse, WarehouseOptions, WarehouseSource},
};
use secrecy::ExposeSecret;

/// Path of the built launcher.
pub const LAUNCHER: &str = env!("CARGO_BIN_EXE_qamtu");

/// Options for an engine in `dir`, independent of the environment of the tests.
pub fn options(dir: &Path) -> WarehouseOptions {
    let mut options = WarehouseOptions::new(dir).unwrap();
    options.launcher = PathBuf::from(LAUNCHER);
    options.source = WarehouseSource::Engine;
    options
}

/// Starts a warehouse in `dir`.
pub async fn start(dir: &Path) -> Warehouse {
    Warehouse::start(options(dir)).await.unwrap()
}

/// The error of a start that must fail, as the one line a user sees.
pub async fn refusal(options: WarehouseOptions) -> String {
    let error = Warehouse::start(options).await.expect_err("the start must fail");
    one_line(&error)
}

/// The error with its causes, which must be one line.
pub fn one_line(error: &DevstackError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    assert!(!text.contains('\n'), "more than one line: {text}");
    text
}

/// Runs a query as a role; the error is ClickHouse's text.
pub async fn ask(warehouse: &Warehouse, role: Role, query: &str) -> Result<String, String> {
    let login = warehouse.login(role);
    let (user, password) = (login.user.clone(), login.password.expose_secret().to_owned());
    post(warehouse.url(), &[("X-ClickHouse-User", &user), ("X-ClickHouse-Key", &password)], query).await
}

/// Runs a query as the administrator, which must succeed.
pub async fn admin(warehouse: &Warehouse, query: &str) -> String {
    ask(warehouse, Role::Admin, query).await.unwrap_or_else(|error| panic!("{query}: {error}")).trim().to_owned()
}

/// Creates the database `qamtu` with the real tables and views, as the projector does.
pub async fn make_contract_views(warehouse: &Warehouse) {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("../projector/tables");
    let statements = |folder: &Path, begin: &str| {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut sql: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sql")).collect();
        sql.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(begin));
        sql.sort();
        let text = sql.into_iter().map(|path| std::fs::read_to_string(path).unwrap());
        text.map(|text| text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")).collect::<Vec<_>>()
    };
    admin(warehouse, "CREATE DATABASE qamtu").await;
    let url = format!("{}/?database=qamtu", warehouse.url());
    let headers = [("X-ClickHouse-User", warehouse.user()), ("X-ClickHouse-Key", warehouse.password().expose_secret())];
    for statement in statements(&tables, "0") {
        post(&url, &headers, &statement).await.unwrap();
    }
    // A view must be created after those it reads, and the order is unknown, so failed ones are repeated.
    let mut views = statements(&tables.join("views"), "v_");
    while !views.is_empty() {
        let mut left = Vec::new();
        for view in &views {
            if post(&url, &headers, view).await.is_err() {
                left.push(view.clone());
            }
        }
        assert!(left.len() < views.len(), "these views cannot be made: {left:?}");
        views = left;
    }
}

/// Sends a query with these headers.
pub async fn post(url: &str, headers: &[(&str, &str)], query: &str) -> Result<String, String> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = headers.iter().fold(client.post(url), |request, (name, value)| request.header(*name, *value));
    let response = request.body(query.to_owned()).send().await.map_err(|error| format!("{error:?}"))?;
    let succeeded = response.status().is_success();
    let text = response.text().await.map_err(|error| format!("{error:?}"))?;
    if succeeded { Ok(text) } else { Err(text) }
}

/// Waits until `true_now` holds; fails with `what` after 20 s.
pub async fn until(what: &str, mut true_now: impl FnMut() -> bool) {
    let since = Instant::now();
    while !true_now() {
        assert!(since.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process with this id runs and is no zombie.
pub fn runs(pid: u32) -> bool {
    // The state follows the name, which is in brackets.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
}

/// Sends SIGKILL to a process.
pub fn kill_9(pid: u32) {
    assert!(Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status().unwrap().success());
}

/// `VmRSS` or `VmHWM` of a process in MB (10^6 bytes).
pub fn memory_mb(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024 / 1_000_000
}

/// A `qamtu warehouse` process that has printed its ready line.
pub struct Foreground {
    /// The process of the launcher.
    pub launcher: Child,
    /// Its standard input; closing it ends the launcher.
    pub input: Option<ChildStdin>,
    /// The JSON of its ready line.
    pub ready: serde_json::Value,
}

impl Foreground {
    /// Runs `qamtu warehouse --dir DIR` and waits for its line.
    pub fn start(dir: &Path) -> Self {
        use std::io::{BufRead, BufReader};
        let mut launcher = Command::new(LAUNCHER)
            .args(["warehouse", "--dir"])
            .arg(dir)
            .env("PATH", path_without_clickhouse())
            .env_remove("QAMTU__CLICKHOUSE__URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = launcher.stdin.take();
        let mut line = String::new();
        BufReader::new(launcher.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { launcher, input, ready: serde_json::from_str(&line).unwrap() }
    }

    /// Process id of the engine.
    pub fn engine_pid(&self) -> u32 {
        u32::try_from(self.ready["pid"].as_u64().unwrap()).unwrap()
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
    }
}

/// PATH without the folders that contain a `clickhouse`, so that the engine is tested.
pub fn path_without_clickhouse() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::env::split_paths(&path).filter(|folder| !folder.join("clickhouse").exists())).unwrap()
}

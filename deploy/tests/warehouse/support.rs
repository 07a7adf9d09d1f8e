//! Helpers of the tests: start a warehouse, query it, wait, inspect processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use qamtu_devstack::testing::{Program, send_signal, status_kb, wait};
use qamtu_devstack::{
    DevstackError, http,
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
    let client = http::client().unwrap();
    let request = headers.iter().fold(client.post(url), |request, (name, value)| request.header(*name, *value));
    let response = http::send(request.body(query.to_owned())).await.map_err(|error| format!("{error:?}"))?;
    if response.is_success() { Ok(response.text()) } else { Err(response.text()) }
}

/// Waits until `true_now` holds; fails with `what` after 20 s.
pub async fn until(what: &str, mut true_now: impl FnMut() -> bool) {
    wait::until_true(what, Duration::from_secs(20), async || true_now()).await.unwrap();
}

/// Sends SIGKILL to a process.
pub fn kill_9(pid: u32) {
    send_signal(pid, "KILL").unwrap();
}

/// `VmRSS` or `VmHWM` of a process in MB (10^6 bytes).
pub fn memory_mb(pid: u32, field: &str) -> u64 {
    status_kb(pid, field).unwrap() * 1_024 / 1_000_000
}

/// A `qamtu warehouse` with the engine, in `dir`.
pub fn launcher(dir: &Path) -> Command {
    let mut launcher = Command::new(LAUNCHER);
    launcher.args(["warehouse", "--dir"]).arg(dir).env("PATH", path_without_clickhouse()).env_remove("QAMTU__CLICKHOUSE__URL");
    launcher
}

/// Process id of the engine, from the ready line of the launcher.
pub fn engine_pid(launcher: &Program) -> u32 {
    u32::try_from(launcher.ready()["pid"].as_u64().unwrap()).unwrap()
}

/// PATH without the folders that contain a `clickhouse`, so that the engine is tested.
fn path_without_clickhouse() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::env::split_paths(&path).filter(|folder| !folder.join("clickhouse").exists())).unwrap()
}

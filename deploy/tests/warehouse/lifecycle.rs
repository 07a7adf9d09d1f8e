//! Start, stop, crash, conflicts and damage of a warehouse.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use qamtu_devstack::testing::{Program, runs, send_signal, wait};
use qamtu_devstack::warehouse::{Login, Role, Warehouse, WarehouseKind, WarehouseSource};

use crate::support::{LAUNCHER, admin, ask, engine_pid, kill_9, launcher, memory_mb, one_line, options, post, refusal, start, until};

const EVENTS: &str = "CREATE TABLE campaign.events (id UInt64, text String) ENGINE = MergeTree ORDER BY id";

#[tokio::test]
async fn it_starts_answers_and_stops() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    assert_eq!(warehouse.kind(), WarehouseKind::Engine);
    assert_eq!(admin(&warehouse, "SELECT currentUser()").await, "qamtu_admin");
    let (pid, url) = (warehouse.pid().unwrap(), warehouse.url().to_owned());
    let idle_mb = memory_mb(pid, "VmRSS");
    println!("idle {idle_mb} MB");
    assert!(idle_mb < 400, "idle memory is {idle_mb} MB");

    warehouse.stop().await;
    assert!(!runs(pid));
    assert!(post(&url, &[], "").await.is_err());
}

#[tokio::test]
async fn dropping_it_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    let pid = warehouse.pid().unwrap();
    assert!(runs(pid));
    drop(warehouse);
    assert!(!runs(pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_rows_survive_kill_9_in_the_middle_of_inserts() {
    let dir = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let warehouse = start(dir.path()).await;
    admin(&warehouse, "CREATE DATABASE campaign").await;
    admin(&warehouse, EVENTS).await;
    warehouse.stop().await;

    for _ in 0..5 {
        let warehouse = Arc::new(start(dir.path()).await);
        let pid = warehouse.pid().unwrap();
        let before = acknowledged.load(Ordering::SeqCst);
        let (inserting, counter) = (Arc::clone(&warehouse), Arc::clone(&acknowledged));
        let inserts = tokio::spawn(async move {
            loop {
                let id = counter.load(Ordering::SeqCst);
                let insert = format!("INSERT INTO campaign.events SELECT {id}, repeat('x', 100) FROM numbers(10)");
                if ask(&inserting, Role::Projector, &insert).await.is_err() {
                    return;
                }
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        until("twenty inserts", || acknowledged.load(Ordering::SeqCst) >= before + 20).await;
        kill_9(pid);
        inserts.await.unwrap();
        drop(warehouse);

        let warehouse = start(dir.path()).await;
        let inserts = acknowledged.load(Ordering::SeqCst);
        let rows = "SELECT count() FROM (SELECT id FROM campaign.events GROUP BY id HAVING count() = 10 OR id = max(id))";
        let ids: u64 = admin(&warehouse, rows).await.parse().unwrap();
        // The interrupted insert is complete or absent.
        assert!(ids == inserts || ids == inserts + 1, "{inserts} inserts acknowledged, {ids} in the table");
        let partial = admin(&warehouse, "SELECT count() % 10 FROM campaign.events").await;
        assert_eq!(partial, "0");
        acknowledged.store(ids, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn the_foreground_command_says_how_to_reach_it_and_ends_with_its_input() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = Program::start(&mut launcher(dir.path())).await.unwrap();
    let (engine, ready) = (engine_pid(&launcher), launcher.ready());
    assert_eq!(ready["kind"], "engine");
    for (role, user) in [("admin", "qamtu_admin"), ("projector", "qamtu_projector"), ("analytics", "qamtu_analytics")] {
        let password = ready["logins"][role]["password"].as_str().unwrap();
        let headers = [("X-ClickHouse-User", user), ("X-ClickHouse-Key", password)];
        let answer = post(ready["url"].as_str().unwrap(), &headers, "SELECT currentUser()").await.unwrap();
        assert_eq!(answer.trim(), user);
    }
    launcher.close_input();
    assert!(launcher.exited().await.unwrap().success());
    assert!(!runs(engine));
}

#[tokio::test]
async fn no_orphan_is_left_when_the_parent_is_killed_with_9() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = Program::start(&mut launcher(dir.path())).await.unwrap();
    let engine = engine_pid(&launcher);
    assert!(runs(engine));
    launcher.kill().unwrap();
    // The write end of the pipe that this test holds belonged to the launcher's input, not to the engine's.
    until("the engine is gone", || !runs(engine)).await;
    start(dir.path()).await.stop().await;
}

#[tokio::test]
async fn a_service_ignores_closed_input_notifies_systemd_and_prints_no_password() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let root = dir.path().join("warehouse");
    let mut service = Program::spawn(launcher(&root).arg("--service").env("NOTIFY_SOCKET", &socket)).unwrap();
    service.close_input();
    let mut word = [0; 64];
    let length = systemd.recv(&mut word).unwrap();
    assert_eq!(&word[..length], b"READY=1");
    service.wait_ready().await.unwrap();
    let ready = service.ready();
    for role in ["admin", "projector", "analytics"] {
        let login = &ready["logins"][role];
        let password = std::fs::read_to_string(login["password_file"].as_str().unwrap()).unwrap();
        assert!(!ready.to_string().contains(&password), "{ready}");
        let headers = [("X-ClickHouse-User", login["user"].as_str().unwrap()), ("X-ClickHouse-Key", password.as_str())];
        let answer = post(ready["url"].as_str().unwrap(), &headers, "SELECT currentUser()").await.unwrap();
        assert_eq!(answer.trim(), format!("qamtu_{role}"));
    }
    let engine = engine_pid(&service);
    assert!(service.stop().await.unwrap().success());
    assert!(!runs(engine));
}

/// The engine aborts if a client disconnects after half of a request head. Whatever ends it, the service restarts it.
#[tokio::test]
async fn an_engine_that_ends_by_itself_is_started_again_at_its_address() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("warehouse");
    let service = Program::start(launcher(&root).arg("--service")).await.unwrap();
    let ready = service.ready();
    let (url, login) = (ready["url"].as_str().unwrap(), &ready["logins"]["admin"]);
    let password = std::fs::read_to_string(login["password_file"].as_str().unwrap()).unwrap();
    let headers = [("X-ClickHouse-User", login["user"].as_str().unwrap()), ("X-ClickHouse-Key", password.as_str())];
    post(url, &headers, "CREATE TABLE kept (number UInt8) ENGINE = MergeTree ORDER BY number").await.unwrap();
    post(url, &headers, "INSERT INTO kept VALUES (7)").await.unwrap();
    let mut half = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    std::io::Write::write_all(&mut half, b"GET / HTTP/1.1\r\nX: a").unwrap();
    drop(half);
    // It may have ended already.
    let _ = send_signal(engine_pid(&service), "KILL");
    let ask = async || post(url, &headers, "SELECT number FROM kept").await;
    let rows = wait::until("the engine to be started again", Duration::from_secs(120), ask).await.unwrap();
    assert_eq!(rows.trim(), "7");
    assert!(service.stop().await.unwrap().success());
}

#[test]
fn a_configured_external_server_is_an_error_that_names_the_variable() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(LAUNCHER)
        .args([OsStr::new("warehouse"), OsStr::new("--dir"), dir.path().join("warehouse").as_os_str()])
        .env("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:8123")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("QAMTU__CLICKHOUSE__URL: is set to http://127.0.0.1:8123") && stderr.contains("unset it here"), "{stderr}");
    assert!(!dir.path().join("warehouse").exists());
}

/// A program that only sleeps replaces a `clickhouse` server, which the tests do not have.
#[tokio::test]
async fn a_clickhouse_program_ends_with_its_parent_too() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    // All users may traverse the folder, so that another user than root can start the program.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = dir.path().join("clickhouse");
    let root = dir.path().join("warehouse");
    let started = root.join("data/started");
    for folder in ["data", "logs", "config"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::write(&program, format!("#!/bin/sh\necho $$ $@ > {}\nexec sleep 1000\n", started.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut supervisor = Command::new(LAUNCHER)
        .arg("engine")
        .args([OsStr::new("--server"), program.as_os_str(), OsStr::new("--folder"), root.as_os_str(), OsStr::new("--port=8123")])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let started_line = || std::fs::read_to_string(&started).unwrap_or_default();
    until("the program has started", || started_line().ends_with('\n')).await;
    let line = started_line();
    let (pid, arguments) = line.trim().split_once(' ').unwrap();
    assert_eq!(arguments, format!("server --config-file={}", root.join("config/config.xml").display()));
    let pid: u32 = pid.parse().unwrap();
    assert!(runs(pid));
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("NoNewPrivs:\t1") && !status.contains("Uid:\t0\t"), "{status}");
    drop(supervisor.stdin.take());
    assert!(supervisor.wait().unwrap().success());
    assert!(!runs(pid));
}

#[tokio::test]
async fn a_taken_port_is_named_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let mut fixed = options(dir.path());
    fixed.http_port = Some(port);
    let line = refusal(fixed.clone()).await;
    assert_eq!(line, format!("port {port} on 127.0.0.1 is taken by another program; free it or choose another port"));

    drop(other);
    let warehouse = Warehouse::start(fixed).await.unwrap();
    assert_eq!(warehouse.url(), format!("http://127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_folder_in_use_is_refused_with_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    let line = refusal(options(dir.path())).await;
    assert!(line.contains(&format!("is in use by process {}", std::process::id())), "{line}");
    assert_eq!(admin(&warehouse, "SELECT 1").await, "1");
}

#[tokio::test]
async fn tables_of_another_version_are_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    admin(&warehouse, "CREATE DATABASE campaign").await;
    warehouse.stop().await;
    let version = std::fs::read_to_string(dir.path().join("VERSION")).unwrap();
    std::fs::write(dir.path().join("VERSION"), "ClickHouse engine 1.2.3").unwrap();
    let line = refusal(options(dir.path())).await;
    assert!(line.contains("was written by ClickHouse engine 1.2.3, this is ClickHouse engine 2"), "{line}");
    std::fs::write(dir.path().join("VERSION"), version).unwrap();
    assert_eq!(admin(&start(dir.path()).await, "EXISTS DATABASE campaign").await, "1");
}

/// The first file under `dir` whose path ends with `end`.
fn file_ending(dir: &Path, end: &str) -> PathBuf {
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                return path;
            }
        }
    }
    panic!("no file ends in {end}")
}

#[tokio::test]
async fn a_damaged_folder_is_refused_in_one_line_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    admin(&warehouse, "CREATE DATABASE campaign").await;
    admin(&warehouse, EVENTS).await;
    admin(&warehouse, "INSERT INTO campaign.events SELECT number, 'x' FROM numbers(1000)").await;
    warehouse.stop().await;

    for (end, damage) in [("events.sql", "rubbish"), ("events.sql", ""), ("/columns.txt", ""), (".bin", "cut")] {
        let file = file_ending(&dir.path().join("data/store"), end);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, damage).unwrap();
        let line = refusal(options(dir.path())).await;
        let folder = dir.path().canonicalize().unwrap();
        assert!(line.starts_with(&format!("the warehouse folder {} is damaged: ", folder.display())), "{line}");
        assert!(line.contains("the projector fills a new one from the event log"), "{line}");
        std::fs::write(&file, whole).unwrap();
        let warehouse = start(dir.path()).await;
        assert_eq!(admin(&warehouse, "SELECT sum(id) FROM campaign.events").await, "499500", "after {end} was put back");
        warehouse.stop().await;
    }
}

#[tokio::test]
async fn an_external_server_is_used_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let own = start(dir.path()).await;
    let mut external = options(&dir.path().join("unused"));
    external.source = WarehouseSource::External { url: own.url().to_owned(), login: own.login(Role::Admin).clone() };
    let warehouse = Warehouse::start(external.clone()).await.unwrap();
    assert_eq!((warehouse.kind(), warehouse.pid()), (WarehouseKind::External, None));
    assert_eq!(warehouse.login(Role::Analytics).user, "qamtu_admin");
    warehouse.stop().await;
    assert_eq!(admin(&own, "SELECT 1").await, "1");
    assert!(!dir.path().join("unused").exists());

    let login = Login { user: "qamtu_admin".to_owned(), password: "wrong".to_owned().into() };
    external.source = WarehouseSource::External { url: own.url().to_owned(), login };
    let line = refusal(external.clone()).await;
    assert!(line.contains("Authentication failed"), "{line}");
    let url = own.url().to_owned();
    own.stop().await;
    let login = Login { user: "qamtu_admin".to_owned(), password: "any".to_owned().into() };
    external.source = WarehouseSource::External { url, login };
    let line = one_line(&Warehouse::start(external).await.unwrap_err());
    assert!(line.contains("onnection refused"), "{line}");
}

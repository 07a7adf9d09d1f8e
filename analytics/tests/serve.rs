//! The running service: it serves a stored snapshot without a warehouse, reports that, and shuts down whoever is connected.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "sample/sample.rs"]
mod sample;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use qamtu_devstack::testing::{Program, wait};

const DEADLINE: Duration = Duration::from_secs(30);

/// Status and body of a request to `http://HOST:PORT`.
fn get(address: &str, path: &str) -> (u16, String) {
    get_as(address, path, address.strip_prefix("http://").unwrap())
}

/// The same under another host name.
fn get_as(address: &str, path: &str, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, response)
}

async fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    wait::until_true(what, DEADLINE, async || done()).await.unwrap();
}

/// Starts the service over the snapshots of a directory, with more settings.
async fn started(folder: &Path, settings: &[(&str, &str)]) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu-analytics"));
    // Nothing listens on the discard port.
    command.args(["serve", "--campaign", "turkistan-2026"]).env("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:9");
    command.env("QAMTU__ANALYTICS__DIR", folder).env("QAMTU__SERVE__LISTEN", "127.0.0.1:0").env("QAMTU__SERVE__METRICS", "127.0.0.1:0");
    command.envs(settings.iter().copied());
    Program::start(command.stderr(Stdio::null())).await.unwrap()
}

/// Sends SIGTERM and waits for the process to exit.
async fn end(program: &Program) {
    let status = tokio::time::timeout(DEADLINE, program.stop()).await.expect("the end");
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn a_stored_snapshot_is_served_while_the_warehouse_is_away() {
    let folder = tempfile::tempdir().unwrap();
    sample::stored(folder.path(), sample::coverage());
    let program = started(folder.path(), &[]).await;
    let addresses = program.ready();
    let (people, internal) = (addresses["listening"].as_str().unwrap(), addresses["internal"].as_str().unwrap());

    assert_eq!(get(people, "/live").0, 200);
    let (status, page) = get(people, "/ru");
    assert_eq!(status, 200);
    assert!(page.contains("По состоянию на 11 марта 2026"));
    wait_for("the notice", || get(people, "/ru").1.contains("Хранилище данных сейчас недоступно")).await;
    assert_eq!(get(people, "/report/ru.pdf").0, 200);

    assert_eq!(get(people, "/metrics").0, 403);
    let (status, metrics) = get(internal, "/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains("qamtu_analytics_warehouse_answers 0"), "{metrics}");
    assert_eq!(get(internal, "/ru").0, 403);
    end(&program).await;
}

#[tokio::test]
async fn a_half_sent_request_is_cut_off_and_keeps_nobody_from_ending() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    let addresses = program.ready();
    let people = addresses["listening"].as_str().unwrap();
    let half = || {
        let mut stream = TcpStream::connect(people.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /live HTTP/1.1\r\nhost: ").unwrap();
        stream
    };
    let mut rest = Vec::new();
    half().read_to_end(&mut rest).expect("closed by the program before the deadline");
    // Connections are taken in order, so the answer to this one says that the one before it is open.
    let _open = half();
    assert_eq!(get(people, "/live").0, 200);
    end(&program).await;
}

#[test]
fn a_wrong_setting_is_named_and_nothing_starts() {
    let run = |name: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu-analytics"));
        command.args(["serve", "--campaign", "turkistan-2026"]).env("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:9");
        let output = command.env(name, value).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (name, value, named) in [("QAMTU__READER__ROLE", "king", "king"), ("QAMTU__SERVE__PORT", "1", "port")] {
        let (code, stderr) = run(name, value);
        assert_eq!(code, Some(64), "{stderr}");
        assert!(stderr.contains(named), "{stderr}");
    }
}

#[tokio::test]
async fn a_page_that_was_led_here_by_its_own_name_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    sample::stored(folder.path(), sample::coverage());
    let program = started(folder.path(), &[("QAMTU__SERVE__HOSTS", "[\"coverage.example\"]")]).await;
    let addresses = program.ready();
    for listener in ["listening", "internal"] {
        let address = addresses[listener].as_str().unwrap();
        for path in ["/ru", "/coverage.csv", "/report/ru.pdf", "/live", "/metrics"] {
            let (status, answer) = get_as(address, path, "attacker.example:8490");
            assert_eq!(status, 421, "{listener} {path}");
            assert!(!answer.contains("1,195,000") && answer.contains("content-security-policy"), "{answer}");
        }
    }
    let people = addresses["listening"].as_str().unwrap();
    // A proxy in front may look at the other one of two.
    for host in ["localhost\r\nhost: attacker.example", "attacker.example\r\nhost: localhost", "192.0.2.1"] {
        assert_eq!(get_as(people, "/ru", host).0, 421, "{host}");
    }
    for host in ["coverage.example", "COVERAGE.example:443", "localhost:1", "127.0.0.1"] {
        assert_eq!(get_as(people, "/ru", host).0, 200, "{host}");
    }
    end(&program).await;
}

#[tokio::test]
async fn without_figures_the_service_is_not_ready_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path(), &[]).await;
    let addresses = program.ready();
    let people = addresses["listening"].as_str().unwrap();
    wait_for("the reason", || get(people, "/ready").1.contains("the warehouse does not answer")).await;
    assert_eq!(get(people, "/ready").0, 503);
    assert_eq!(get(people, "/live").0, 200);
    let (status, page) = get(people, "/en");
    assert!(status == 503 && page.contains("The warehouse cannot be reached at the moment."), "{page}");
    end(&program).await;
}

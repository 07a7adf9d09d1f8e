//! Clients that send nothing, or slowly: other requests are served, from another address and from the same one.
//!
//! Timeouts that would end a slow request are set to an hour, so that only fair sharing can free a permit. Three tests prove a bound of 2 s
//! without a clock: an honest request waits only for its permit, and without one it is refused after `limits.wait_ms`, which is 2 s. So
//! each honest request is sent once and must be accepted, while the slow ones still hold their permits.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{Program, wait};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::{
    harness::{Ingest, LINES, ONE, Response, TestEnv, execute, lines},
    sample::{campaign_at, headcount},
};

const PATIENT: &[(&str, &str)] =
    &[("QAMTU__LIMITS__BODY_MS", "3600000"), ("QAMTU__LIMITS__IDLE_MS", "3600000"), ("QAMTU__LIMITS__HEAD_MS", "3600000")];

/// Longest wait of an honest request, see above.
const WAIT: (&str, &str) = ("QAMTU__LIMITS__WAIT_MS", "2000");

const RUNNING: &str = "qamtu_ingest_requests_running";

const EVENT: &str = "content-type: application/cloudevents+json";

const DEADLINE: Duration = Duration::from_secs(60);

/// Loopback address of the n-th client; the harness uses the first.
fn address(client: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, client).into()
}

async fn connect(url: &str, client: u8) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(address(client), 0))?;
    Ok(socket.connect(url.trim_start_matches("http://").parse()?).await?)
}

/// A client with its own address, which opens a connection for every request.
fn honest(client: u8) -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().local_address(address(client)).pool_max_idle_per_host(0).timeout(DEADLINE).build()?)
}

async fn post(http: &reqwest::Client, ingest: &Ingest, kind: &str, body: String) -> Result<Response> {
    execute(http.post(format!("{}/v1/events", ingest.url)).header("content-type", kind).body(body)).await
}

/// Starts a request and sends some bytes every 50 ms until there is a response, which is returned.
async fn drip(ingest: &Ingest, client: u8, headers: &str, bytes: &'static [u8]) -> Result<tokio::task::JoinHandle<String>> {
    let mut stream = connect(&ingest.url, client).await?;
    let head = format!("POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\n{headers}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    Ok(tokio::spawn(async move {
        while tokio::time::timeout(Duration::from_millis(50), stream.readable()).await.is_err() {
            if stream.write_all(bytes).await.is_err() {
                break;
            }
        }
        let mut response = Vec::new();
        drop(stream.read_to_end(&mut response).await);
        String::from_utf8_lossy(&response).into_owned()
    }))
}

/// Number of connections that the service has not closed.
fn open(connections: &[TcpStream]) -> usize {
    connections.iter().filter(|stream| stream.try_read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)).count()
}

/// Silent connections stay open for `limits.head_ms`, an hour, and hold no permits: every honest request must be accepted within
/// `limits.wait_ms`, 2 s.
#[tokio::test]
async fn silent_connections_keep_nobody_out() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[PATIENT, &[WAIT, ("QAMTU__LIMITS__CONNECTIONS", "200")]].concat()).await?;
    let mut silent = Vec::new();
    for number in 0..300_u32 {
        let mut stream = connect(&ingest.url, 2).await?;
        if number % 2 == 0 {
            stream.write_all(b"POST /v1/events HTTP/1.1\r\nhost: loc").await?;
        }
        silent.push(stream);
    }
    // From another address and from the same one: health and events, on the main listener and on the health listener.
    for client in [3, 2] {
        let http = honest(client)?;
        for url in [&ingest.url, &ingest.health] {
            for route in ["/live", "/ready"] {
                ensure!(http.get(format!("{url}{route}")).send().await?.status() == 200, "{client} {route}");
            }
        }
        ensure!(post(&http, &ingest, ONE, headcount("m-open", 5).to_string()).await?.status == 202);
    }
    // All but a few silent connections are open: only honest requests have closed some.
    ensure!((180..200).contains(&open(&silent)), "{} are open", open(&silent));
    drop(silent);
    ingest.stop().await
}

#[tokio::test]
async fn a_low_limit_of_open_files_is_raised_or_kept_away_from() -> Result<()> {
    let env = TestEnv::new()?;
    // A hard limit that cannot be raised, lower than the number of connections.
    let program = format!("ulimit -n 400; exec {}", env!("CARGO_BIN_EXE_qamtu-ingest"));
    let mut command = Command::new("sh");
    command
        .args(["-c", &program])
        .env("QAMTU__LISTEN", "127.0.0.1:0")
        .env("QAMTU__HTTP__HEALTH_LISTEN", "127.0.0.1:0")
        .env("QAMTU__LOG__DIR", env.path("log"))
        .env("QAMTU__REGISTER__PATH", env.path("register.sqlite"))
        .env("QAMTU__PSEUDONYM__KEY_DIR", env.path("keys"))
        .env("QAMTU__LIMITS__HEAD_MS", "3600000")
        .stderr(Stdio::null());
    let ingest = Program::start(&mut command).await?;
    let (url, health) = (ingest.ready_field("listening")?, ingest.ready_field("health")?);
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(connect(&url, 2).await?);
    }
    for url in [url, health] {
        ensure!(honest(3)?.get(format!("{url}/live")).send().await?.status() == 200, "{url}");
    }
    ingest.kill()
}

/// 64 slow bodies hold all permits for `limits.body_ms`, an hour: each honest request must get one within `limits.wait_ms`, 2 s, or it would
/// be refused.
#[tokio::test]
async fn dripping_bodies_of_one_client_keep_no_other_out() -> Result<()> {
    let env = TestEnv::new()?;
    // No rate limit, so that only fair sharing revokes permits.
    let ingest = campaign_at(&env, &[PATIENT, &[WAIT, ("QAMTU__LIMITS__BODY_BYTES_PER_SECOND", "0")]].concat()).await?;
    let mut drips = Vec::new();
    for _ in 0..64 {
        drips.push(drip(&ingest, 2, EVENT, b" ").await?);
    }
    ingest.wait_metric(RUNNING, 64).await?;
    let http = honest(3)?;
    for people in 0..20 {
        ensure!(post(&http, &ingest, ONE, headcount("m-open", people).to_string()).await?.status == 202);
    }
    // Revoked requests get 503; the others go on and hold the remaining permits.
    let revoked = usize::try_from(ingest.metric("qamtu_ingest_permits_revoked_total").await?)?;
    ensure!((1..=20).contains(&revoked), "{revoked}");
    ensure!(ingest.metric(RUNNING).await? >= 44);
    let are_answered = async || drips.iter().filter(|drip| drip.is_finished()).count() >= revoked;
    wait::until_true("all of them to be answered", DEADLINE, are_answered).await?;
    for drip in drips {
        if drip.is_finished() {
            let response = drip.await?;
            ensure!(
                response.starts_with("HTTP/1.1 503") && response.contains("overloaded") && response.contains("retry-after"),
                "{response}"
            );
        } else {
            drip.abort();
        }
    }
    ingest.stop().await
}

#[tokio::test]
async fn dripping_bodies_give_way_to_a_request_of_the_same_address() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[PATIENT, &[("QAMTU__LIMITS__WAIT_MS", "500")]].concat()).await?;
    let mut drips = Vec::new();
    for _ in 0..64 {
        drips.push(drip(&ingest, 1, EVENT, b" ").await?);
    }
    ingest.wait_metric(RUNNING, 64).await?;
    let (http, event) = (honest(1)?, headcount("m-open", 5).to_string());
    let begun = Instant::now();
    loop {
        let response = post(&http, &ingest, ONE, event.clone()).await?;
        if response.counts() == (1, 0) {
            break;
        }
        ensure!(response.problem() == (503, "overloaded", "-") && begun.elapsed() < DEADLINE, "{response:?}");
    }
    drips.iter().for_each(tokio::task::JoinHandle::abort);
    ingest.stop().await
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_shares_of_their_own() -> Result<()> {
    let env = TestEnv::new()?;
    let settings =
        [("QAMTU__HTTP__TRUSTED_PROXIES", "[\"127.0.0.1\"]"), ("QAMTU__LIMITS__WAIT_MS", "600000"), ("QAMTU__LIMITS__REQUESTS", "8")];
    let ingest = campaign_at(&env, &[PATIENT, &settings, &[("QAMTU__LIMITS__BODY_BYTES_PER_SECOND", "0")]].concat()).await?;
    let mut drips = Vec::new();
    for _ in 0..8 {
        drips.push(drip(&ingest, 1, &format!("{EVENT}\r\nx-forwarded-for: 198.51.100.1"), b" ").await?);
    }
    ingest.wait_metric(RUNNING, 8).await?;
    let request = ingest.request("/v1/events", ONE).header("x-forwarded-for", "198.51.100.2").body(headcount("m-open", 5).to_string());
    ensure!(tokio::time::timeout(DEADLINE, execute(request)).await??.status == 202);
    drips.iter().for_each(tokio::task::JoinHandle::abort);
    ingest.stop().await
}

/// Eight silent streams hold all permits for `limits.idle_ms`, an hour: the honest stream must get one within `limits.wait_ms`, 2 s, or it
/// would be refused.
#[tokio::test]
async fn streams_of_blank_lines_of_one_client_keep_no_other_out() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[PATIENT, &[WAIT]].concat()).await?;
    let mut drips = Vec::new();
    for _ in 0..8 {
        drips.push(drip(&ingest, 2, "content-type: application/x-ndjson", &[b'\n'; 60]).await?);
    }
    ingest.wait_metric(RUNNING, 8).await?;
    let events: Vec<Value> = (0..100).map(|people| headcount("m-open", people)).collect();
    let response = post(&honest(3)?, &ingest, LINES, lines(&events)).await?;
    ensure!((response.status, response.counts()) == (200, (100, 0)), "{response:?}");
    ensure!(drips.iter().filter(|drip| !drip.is_finished()).count() >= 7, "one had to make room");
    drips.iter().for_each(tokio::task::JoinHandle::abort);
    ingest.stop().await
}

#[tokio::test]
async fn a_stream_that_makes_room_tells_what_it_stored() -> Result<()> {
    let env = TestEnv::new()?;
    let settings = [("QAMTU__LIMITS__STREAMS", "2"), ("QAMTU__LIMITS__CHUNK_EVENTS", "100"), ("QAMTU__LIMITS__WAIT_MS", "600000")];
    let ingest = campaign_at(&env, &[PATIENT, &settings].concat()).await?;
    let events: Vec<Value> = (0..350).map(|people| headcount("m-open", people)).collect();
    let text = lines(&events);
    let mut streams = Vec::new();
    for number in 1..=2 {
        let mut stream = connect(&ingest.url, 2).await?;
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {LINES}\r\ncontent-length: 900000\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        streams.push(stream);
        ingest.wait_metric(RUNNING, number).await?;
    }
    streams[0].write_all(text.as_bytes()).await?;
    ingest.wait_metric("qamtu_ingest_events_accepted_total{type=\"headcount.reported\"}", 300).await?;
    let response = post(&honest(3)?, &ingest, LINES, lines(&[headcount("m-open", 5)])).await?;
    ensure!(response.counts() == (1, 0), "{response:?}");
    // The permit of the older stream was revoked.
    let mut text = String::new();
    drop(tokio::time::timeout(DEADLINE, streams[0].read_to_string(&mut text)).await?);
    let (head, body) = text.split_once("\r\n\r\n").context("no response")?;
    let body: Value = serde_json::from_str(body)?;
    ensure!(head.starts_with("HTTP/1.1 503") && body["code"] == "overloaded" && body["before"]["refused"] == 0, "{text}");
    let stored = usize::try_from(body["before"]["accepted"].as_u64().context("no count")?)?;
    ensure!(stored >= 300 && body["line"] == stored + 1, "{text}");
    let ids = env.ids().await?;
    let is_stored = |event: &Value| event["id"].as_str().is_some_and(|id| ids.contains_key(id));
    ensure!(events[..stored].iter().all(is_stored) && !events[stored..].iter().any(is_stored));
    ingest.stop().await
}

//! While the server's clock is wrong, nothing is accepted.

use std::{
    io::Write,
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use qamtu_ingest::{
    Config,
    body::Chunk,
    pipeline::{ChunkValidator, Pipeline, Unacknowledged},
    principal::Principal,
    pseudonym::Keys,
    register::Register,
    rejection::ProblemCode,
};
use qamtu_log::{LogConfig, TopicSpec, ensure_topics, open_writer};
use qamtu_schemas::Topic;

use super::{
    harness::{BATCH, LINES, ONE, TestEnv, lines},
    sample::campaign,
};

/// The pipeline over a real log, to be called with another clock than that of the machine.
async fn pipeline(env: &TestEnv) -> Result<Pipeline> {
    let log = LogConfig::embedded(env.path("log"));
    let topics = Topic::ALL.map(|topic| TopicSpec { name: topic.name().to_owned(), partitions: topic.partitions() });
    ensure_topics(&log, &topics).await?;
    let register = Arc::new(Register::open(&env.path("register.sqlite"))?);
    // The log is empty, so the register holds all of it.
    register.caught_up();
    let keys = Arc::new(Keys::new(env.path("keys"), true));
    Ok(Pipeline::new(open_writer(&log).await?, register, keys, Config::load(None)?.limits))
}

#[tokio::test]
async fn nothing_is_accepted_while_the_clock_of_the_server_is_wrong() -> Result<()> {
    let env = TestEnv::new()?;
    let pipeline = pipeline(&env).await?;
    let chunk = Chunk::one(campaign(false).to_string().into());
    let validate = |now: &str| {
        let principal = Principal { client: IpAddr::from([127, 0, 0, 1]).into(), only: None };
        let earlier = Unacknowledged::default();
        ChunkValidator { pipeline: &pipeline, principal, earlier: &earlier, now: now.parse().unwrap() }.validate(&chunk)
    };
    for wrong in ["1970-01-01T00:00:10Z", "2025-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "2101-07-01T00:00:00Z", "9998-12-31T00:00:00Z"] {
        let refused = validate(wrong).map(drop).unwrap_err();
        ensure!((refused.code, refused.code.status().as_u16()) == (ProblemCode::ServerClock, 503), "{wrong}: {refused:?}");
    }
    // The latest accepted clock gives a `receivedtime` that readers accept.
    pipeline.append(validate("2100-12-31T23:59:59.9999999Z").unwrap()).await.unwrap();
    for record in env.records().await? {
        let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        ensure!(qamtu_schemas::decode(headers, record.value.as_deref()).is_ok(), "{record:?}");
    }
    ensure!(env.ids().await?.len() == 1);
    Ok(())
}

/// Path of libfaketime, if it is installed.
fn faketime() -> Result<Option<PathBuf>> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(Result::ok).map(|entry| entry.path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file());
    if found.is_none() {
        ensure!(std::env::var_os("CI").is_none(), "the test under a wrong clock needs libfaketime");
        writeln!(std::io::stderr(), "\n!!! TEST UNDER A WRONG CLOCK SKIPPED: libfaketime is not installed\n")?;
    }
    Ok(found)
}

/// Runs the built program with wrong clocks, and then with the right one.
#[tokio::test]
async fn the_program_accepts_nothing_under_a_wrong_clock_and_everything_under_the_right_one() -> Result<()> {
    let Some(library) = faketime()? else { return Ok(()) };
    let env = TestEnv::new()?;
    let event = campaign(false);
    for wrong in ["@2150-01-01 00:00:00", "@2101-01-01 00:00:00", "@2025-12-31 23:00:00", "@1990-01-01 00:00:00"] {
        // The wall clock starts there. The monotonic clock, which measures timeouts, is not changed.
        let settings = [
            ("LD_PRELOAD", library.to_str().context("a path in UTF-8")?),
            ("FAKETIME", wrong),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("TZ", "UTC"),
        ];
        let ingest = env.launch(&settings).await?;
        let begun = Instant::now();
        loop {
            let response = ingest.get("/ready").await?;
            if response.problem() == (503, "server-clock", "-") {
                break;
            }
            let is_starting = response.problem() == (503, "starting", "-") && begun.elapsed() < Duration::from_secs(120);
            ensure!(is_starting, "{wrong}: {response:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let bodies = [(ONE, event.to_string()), (BATCH, format!("[{event}]")), (LINES, lines(std::slice::from_ref(&event)))];
        for (kind, body) in bodies {
            let response = ingest.post(kind, body).await?;
            ensure!(response.problem() == (503, "server-clock", "-"), "{wrong} {kind}: {response:?}");
            ensure!(response.headers.contains_key("retry-after"), "{wrong} {kind}: {response:?}");
        }
        ingest.stop().await?;
        ensure!(env.records().await?.is_empty(), "{wrong}");
    }
    let ingest = env.start(&[]).await?;
    let response = ingest.post_one(&event).await?;
    ensure!((response.status, response.counts()) == (202, (1, 0)), "{response:?}");
    ingest.stop().await?;
    ensure!(env.ids().await?.len() == 1);
    Ok(())
}

//! A server whose own clock is wrong accepts nothing.

use std::{
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use qamtu_ingest::{
    Config,
    body::Chunk,
    pipeline::{self, Judge, Layer, Path},
    pseudonym::Keys,
    register::Register,
    rejection::Reason,
};
use qamtu_log::{LogConfig, TopicSpec, ensure_topics, open_writer};
use qamtu_schemas::Topic;

use super::{
    harness::{BATCH, LINES, ONE, Place, lines},
    sample::campaign,
};

/// The path of the service over a real log, to be asked with another clock than the machine's.
async fn path(place: &Place) -> Result<Path> {
    let log = LogConfig::embedded(place.path("log"));
    let topics = Topic::ALL.map(|topic| TopicSpec { name: topic.name().to_owned(), partitions: topic.partitions() });
    ensure_topics(&log, &topics).await?;
    let register = Arc::new(Register::open(&place.path("register.sqlite"))?);
    // The log is empty, so the register holds all of it.
    register.caught_up();
    let keys = Arc::new(Keys::new(place.path("keys"), true));
    Ok(Path::new(open_writer(&log).await?, register, keys, Config::load(None)?.limits))
}

#[tokio::test]
async fn nothing_is_accepted_while_the_clock_of_the_server_is_wrong() -> Result<()> {
    let place = Place::new()?;
    let path = path(&place).await?;
    let chunk = Chunk::one(campaign(false).to_string().into());
    let judge = |now: &str| Judge { path: &path, earlier: &Layer::default(), only: None, now: now.parse().unwrap() }.chunk(&chunk);
    for wrong in ["1970-01-01T00:00:10Z", "2025-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "2101-07-01T00:00:00Z", "9998-12-31T00:00:00Z"] {
        let refused = judge(wrong).map(|judged| judged.fates).unwrap_err();
        ensure!((refused.reason, refused.reason.status().as_u16()) == (Reason::ServerClock, 503), "{wrong}: {refused:?}");
    }
    // At the edge of what readers take, the stamp is one that they take.
    pipeline::store(&path, judge("2100-12-31T23:59:59.9999999Z").unwrap()).await.unwrap();
    for record in place.records().await? {
        let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        ensure!(qamtu_schemas::decode(headers, record.value.as_deref()).is_ok(), "{record:?}");
    }
    ensure!(place.ids().await?.len() == 1);
    Ok(())
}

/// The library that shows a program another clock, where it is installed.
fn faketime() -> Result<Option<PathBuf>> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(Result::ok).map(|entry| entry.path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file());
    if found.is_none() {
        ensure!(std::env::var_os("CI").is_none(), "the test under a wrong clock needs libfaketime");
        writeln!(std::io::stderr(), "\n!!! TEST UNDER A WRONG CLOCK SKIPPED: libfaketime is not installed\n")?;
    }
    Ok(found)
}

/// The program itself, as it is built, on a machine whose clock is wrong, and then on one whose clock is right.
#[tokio::test]
async fn the_program_accepts_nothing_under_a_wrong_clock_and_everything_under_the_right_one() -> Result<()> {
    let Some(library) = faketime()? else { return Ok(()) };
    let place = Place::new()?;
    let event = campaign(false);
    for wrong in ["@2150-01-01 00:00:00", "@2101-01-01 00:00:00", "@2025-12-31 23:00:00", "@1990-01-01 00:00:00"] {
        // The clock runs on from there. Time limits are measured with another one, which is left alone.
        let settings = [
            ("LD_PRELOAD", library.to_str().context("a path in UTF-8")?),
            ("FAKETIME", wrong),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("TZ", "UTC"),
        ];
        let ingest = place.launch(&settings).await?;
        let begun = Instant::now();
        loop {
            let said = ingest.get("/ready").await?;
            if said.problem() == (503, "server-clock", "-") {
                break;
            }
            let is_starting = said.problem() == (503, "starting", "-") && begun.elapsed() < Duration::from_secs(120);
            ensure!(is_starting, "{wrong}: {said:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let bodies = [(ONE, event.to_string()), (BATCH, format!("[{event}]")), (LINES, lines(std::slice::from_ref(&event)))];
        for (kind, body) in bodies {
            let said = ingest.post(kind, body).await?;
            ensure!(said.problem() == (503, "server-clock", "-"), "{wrong} {kind}: {said:?}");
            ensure!(said.headers.contains_key("retry-after"), "{wrong} {kind}: {said:?}");
        }
        ingest.stop().await?;
        ensure!(place.records().await?.is_empty(), "{wrong}");
    }
    let ingest = place.start(&[]).await?;
    let said = ingest.one(&event).await?;
    ensure!((said.status, said.counts()) == (202, (1, 0)), "{said:?}");
    ingest.stop().await?;
    ensure!(place.ids().await?.len() == 1);
    Ok(())
}

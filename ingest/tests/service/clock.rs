//! A server whose own clock is wrong accepts nothing.

use std::sync::Arc;

use anyhow::{Result, ensure};
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

use super::{harness::Place, sample::campaign};

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

//! A log that was replaced or is read-only for a while: no event is reported as stored that the log does not hold.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use qamtu_devstack::testing::{start_broker, wait};
use qamtu_log::{KafkaConfig, LogConfig, TopicSpec, ensure_topics, testing::delete_topics};
use qamtu_schemas::Topic;
use serde_json::Value;

use super::{
    harness::{BATCH, Ingest, LINES, ONE, TestEnv, lines},
    sample::{campaign_at, headcount, reference},
};

/// Sends acknowledged events again, in every form, until the service has ended: none may be reported as a duplicate. A recreated topic may
/// accept them as new.
async fn check_no_duplicates_reported(env: &TestEnv, mut ingest: Ingest, sent: &[Value]) -> Result<()> {
    let begun = Instant::now();
    loop {
        for (kind, body) in [(ONE, sent[0].to_string()), (BATCH, Value::from(sent).to_string()), (LINES, lines(sent))] {
            match ingest.post(kind, body).await {
                Ok(response) => {
                    let duplicates = response.body["duplicates"].as_u64().unwrap_or(0);
                    ensure!(duplicates == 0 && matches!(response.status, 200 | 202 | 503), "the log no longer holds it: {response:?}");
                }
                // The service has ended, as expected.
                Err(_) => {
                    ensure!(ingest.wait_exit().await?.code() == Some(1));
                    ensure!(env.stderr().contains("is no longer the log that was opened"), "{}", env.stderr());
                    return Ok(());
                }
            }
        }
        ensure!(begun.elapsed() < Duration::from_secs(120), "it never ended: {}", env.stderr());
    }
}

#[tokio::test]
async fn what_a_deleted_log_held_is_never_called_a_repetition() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let sent: Vec<Value> = (0..5).map(|people| headcount("m-open", people)).collect();
    ensure!(ingest.send_lines(&sent).await?.counts() == (5, 0) && ingest.send_lines(&sent).await?.counts() == (0, 5));
    fs::remove_dir_all(env.path("log"))?;
    check_no_duplicates_reported(&env, ingest, &sent).await?;
    // The next start creates a new log, in which the same events are new.
    let ingest = env.start(&[]).await?;
    ingest.send_lines(&reference(false)).await?;
    ensure!(ingest.send_lines(&sent).await?.counts() == (5, 0));
    ingest.stop().await
}

#[tokio::test]
async fn what_an_older_copy_of_the_log_lacks_is_never_called_a_repetition() -> Result<()> {
    let env = TestEnv::new()?;
    campaign_at(&env, &[]).await?.stop().await?;
    let backup = env.path("backup");
    copy(&env.path("log"), &backup)?;
    let ingest = env.start(&[]).await?;
    let sent: Vec<Value> = (0..5).map(|people| headcount("m-open", people)).collect();
    ensure!(ingest.send_lines(&sent).await?.counts() == (5, 0));
    fs::rename(env.path("log"), env.path("newer"))?;
    copy(&backup, &env.path("log"))?;
    check_no_duplicates_reported(&env, ingest, &sent).await?;
    let ingest = env.start(&[]).await?;
    ensure!(ingest.send_lines(&sent).await?.counts() == (5, 0));
    ingest.stop().await
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_deleted_topic_held_is_never_called_a_repetition() -> Result<()> {
    let env = TestEnv::new()?;
    let Some(broker) = start_broker("replaced", 0) else { return Ok(()) };
    let config = KafkaConfig { replicas: 1, ..KafkaConfig::new(broker.address()) };
    let settings = [("QAMTU__LOG__KIND", "kafka"), ("QAMTU__LOG__BROKERS", config.brokers.as_str()), ("QAMTU__LOG__REPLICAS", "1")];
    let ingest = campaign_at(&env, &settings).await?;
    let sent: Vec<Value> = (0..5).map(|people| headcount("m-open", people)).collect();
    ensure!(ingest.send_lines(&sent).await?.counts() == (5, 0) && ingest.send_lines(&sent).await?.counts() == (0, 5));
    delete_topics(&config, &Topic::ALL.map(Topic::name)).await?;
    let specs = Topic::ALL.map(|topic| TopicSpec { name: topic.name().into(), partitions: topic.partitions() });
    let log = LogConfig::Kafka(config.clone());
    wait::until("the topics to be made again", Duration::from_secs(60), async || ensure_topics(&log, &specs).await).await?;
    check_no_duplicates_reported(&env, ingest, &sent).await?;
    let ingest = env.start(&settings).await?;
    ingest.send_lines(&reference(false)).await?;
    let (accepted, duplicates) = ingest.send_lines(&sent).await?.counts();
    ensure!(accepted + duplicates == 5 && ingest.send_lines(&sent).await?.counts() == (0, 5));
    ingest.stop().await
}

/// A folder on its own file system, which can be remounted read-only; `None` where this user may not mount.
struct RemountableDisk(std::path::PathBuf);

impl RemountableDisk {
    fn at(folder: std::path::PathBuf) -> Result<Option<Self>> {
        fs::create_dir_all(&folder)?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(&folder).status();
        Ok(mounted.is_ok_and(|status| status.success()).then_some(Self(folder)))
    }

    fn remount(&self, option: &str) -> Result<()> {
        let status = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0).status()?;
        ensure!(status.success(), "{option}");
        Ok(())
    }
}

impl Drop for RemountableDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[tokio::test]
async fn a_log_on_a_disk_that_was_read_only_is_written_to_after_the_remount() -> Result<()> {
    let env = TestEnv::new()?;
    // Only root may mount. Where this test is skipped, a test of the log covers the case with file modes.
    let Some(disk) = RemountableDisk::at(env.path("disk"))? else { return Ok(()) };
    let dir = env.path("disk/log").display().to_string();
    let settings = [("QAMTU__LOG__DIR", dir.as_str())];
    let ingest = campaign_at(&env, &settings).await?;
    // A killed process leaves SQLite's shared memory files, with which a read-only database opens without an error.
    ingest.kill().await?;
    disk.remount("ro")?;
    let ingest = env.launch(&settings).await?;
    let logged = async || if env.stderr().contains("is read-only") { Ok(()) } else { Err(env.stderr()) };
    wait::until("a log message about the disk", Duration::from_secs(60), logged).await?;
    ensure!(ingest.get("/ready").await?.status == 503);
    disk.remount("rw")?;
    ingest.wait_ready().await?;
    ensure!(ingest.send_lines(&[headcount("m-open", 5)]).await?.counts() == (1, 0));
    ingest.stop().await
}

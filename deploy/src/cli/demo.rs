//! `qamtu demo`: runs Qamtu at full size on a synthetic campaign.

use std::path::PathBuf;

use crate::demo::{self, DemoLog, DemoOptions};

/// Command-line arguments of `qamtu demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// End when everything is computed and compared; without it the dashboard stays up.
    #[arg(long)]
    once: bool,
    /// Seed of the invented campaign.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Where summary.json, oracle.json, events.ndjson, roll.parquet, coverage.csv and the reports go.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The demo's folder; a second run on it starts in seconds (default: demo in $QAMTU_CACHE, else in ~/.cache/qamtu).
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Another campaign file with a `synthetic` table.
    #[arg(long, value_name = "FILE")]
    campaign: Option<PathBuf>,
    /// Go through Kafka: `local` starts a broker, HOST:PORT uses yours.
    #[arg(long, value_name = "local|HOST:PORT")]
    kafka: Option<String>,
    /// Use this ClickHouse; user and password come from QAMTU__CLICKHOUSE__USER and QAMTU__CLICKHOUSE__PASSWORD.
    #[arg(long, value_name = "URL")]
    clickhouse: Option<String>,
    /// Kill the projector so often at random moments.
    #[arg(long, default_value_t = 0, hide = true)]
    kill_projector: u32,
}

/// Runs the demo to its end on a runtime of its own.
pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let log = match arguments.kafka.as_deref() {
        None => DemoLog::Embedded,
        Some("local") => DemoLog::LocalKafka,
        Some(brokers) => DemoLog::Kafka(brokers.to_owned()),
    };
    let options = DemoOptions {
        once: arguments.once,
        seed: arguments.seed,
        out: arguments.out,
        dir: arguments.dir,
        campaign: arguments.campaign,
        log,
        clickhouse: arguments.clickhouse,
        kill_projector: arguments.kill_projector,
    };
    tokio::runtime::Runtime::new()?.block_on(demo::run(options))?;
    Ok(())
}

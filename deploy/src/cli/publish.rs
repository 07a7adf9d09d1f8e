//! `qamtu publish`: sends the reference events of a campaign file to ingest. Sending the same file again changes nothing.

use std::io::Write;
use std::path::PathBuf;

use crate::campaign::Campaign;

/// What is published where.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The campaign file.
    file: PathBuf,
    /// Address of ingest.
    #[arg(long, default_value = "http://127.0.0.1:8480")]
    ingest: String,
}

/// Sends everything as one batch: all of it is taken, or nothing.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let campaign = Campaign::read(&arguments.file)?;
    let submissions = campaign.submissions(None);
    tokio::runtime::Runtime::new()?.block_on(async {
        let to = format!("{}/v1/events", arguments.ingest.trim_end_matches('/'));
        let request = reqwest::Client::new().post(&to).header("content-type", "application/cloudevents-batch+json");
        let answer = request.body(serde_json::to_vec(&submissions)?).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{to} answered {status}: {text}");
        writeln!(std::io::stdout(), "{} events of campaign {}: {text}", submissions.len(), campaign.id)?;
        Ok(())
    })
}

//! `qamtu send`: sends the reference events of a campaign file to ingest. Sending the same file again changes nothing. Ingest
//! refuses changed content under the same revision; then the fields that differ are printed.

use std::{fmt::Write as _, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use qamtu_devstack::http;
use serde::Deserialize;

use crate::{
    campaign::Campaign,
    submission::{Payload, Submission},
};

/// Command-line arguments of `qamtu send`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The campaign file to send.
    file: PathBuf,
    /// HTTP address of ingest.
    #[arg(long, default_value = "http://127.0.0.1:8480")]
    ingest: String,
}

/// The response of ingest to an accepted batch.
#[derive(Debug, Deserialize)]
struct BatchSummary {
    accepted: u64,
    duplicates: u64,
}

/// The problem document of ingest for a refused batch.
#[derive(Debug, Default, Deserialize)]
struct BatchProblem {
    #[serde(default)]
    failures: Vec<Failure>,
}

/// One refused event in a problem document.
#[derive(Debug, Deserialize)]
struct Failure {
    code: String,
    pointer: String,
    detail: String,
    #[serde(default)]
    differs: Vec<String>,
}

/// Sends all events as one batch: ingest accepts all of them or none.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let campaign = Campaign::read(&arguments.file)?;
    let submissions = campaign.submissions(None);
    tokio::runtime::Runtime::new()?.block_on(async {
        let url = format!("{}/v1/events", arguments.ingest.trim_end_matches('/'));
        let request = http::client()?.post(&url).header("content-type", "application/cloudevents-batch+json");
        let sent = http::send(request.body(serde_json::to_vec(&submissions)?)).await;
        let response = sent.with_context(|| {
            format!("ingest does not answer at {}: is qamtu-ingest running? --ingest names its address", arguments.ingest)
        })?;
        let (status, text) = (response.status, response.text());
        if response.is_success() {
            let BatchSummary { accepted, duplicates } = serde_json::from_str(&text)?;
            writeln!(std::io::stdout(), "campaign {}: {accepted} new events, {duplicates} known already", campaign.id)?;
            return Ok(());
        }
        let refused: BatchProblem = serde_json::from_str(&text).unwrap_or_default();
        anyhow::ensure!(!refused.failures.is_empty(), "{url} answered {status}: {text}");
        let summary = if refused.failures.iter().any(|failure| !failure.differs.is_empty()) {
            let file = arguments.file.display();
            format!("revision {} was sent before with other content: raise `revision` in {file} and send it again", campaign.revision)
        } else {
            format!("{url} answered {status}; nothing was taken")
        };
        anyhow::bail!("{summary}{}", describe_failures(&refused.failures, &submissions))
    })
}

/// One line for each refused event, and one for each of its fields that differ.
fn describe_failures(failures: &[Failure], submissions: &[Submission]) -> String {
    let mut lines = String::new();
    for failure in failures {
        let index = failure.pointer.split('/').nth(1).and_then(|index| index.parse::<usize>().ok());
        let submission = index.and_then(|index| submissions.get(index));
        let sent = submission.and_then(|submission| serde_json::to_value(submission).ok()).unwrap_or_default();
        let _ = write!(lines, "\n  {}", submission.map(event_name).unwrap_or_default());
        if failure.differs.is_empty() {
            let _ = write!(lines, ": {} at {}: {}", failure.code, failure.pointer, failure.detail);
        }
        for pointer in &failure.differs {
            let now = sent.pointer(pointer).map_or_else(|| "left out".to_owned(), ToString::to_string);
            let _ = write!(lines, "\n    {pointer} is now {now}");
        }
    }
    lines
}

/// Type and subject of an event, such as `unit.defined TRK`.
fn event_name(submission: &Submission) -> String {
    let kind = submission.kind().kind.name();
    match &submission.data {
        Payload::Plain(data) => format!("{kind} {}", data.subject()),
        _ => kind.to_owned(),
    }
}

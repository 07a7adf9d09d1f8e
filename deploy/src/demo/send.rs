//! Sends the generated campaign to ingest over HTTP: reference data first, then the roll and all other events concurrently.
//!
//! Lines are serialized while they are sent, so memory stays small. Lines that ingest did not acknowledge are sent again, from the line
//! that its response names. [`super::check`] compares the counts of the responses with the oracle.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use qamtu_devstack::{DevstackError, http};
use reqwest::Body;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    DemoError,
    steps::{Step, Steps, count},
};
use crate::{submission::Submission, synthetic::Synthetic};

/// Bytes of lines passed to the HTTP client at once.
const CHUNK_BYTES: usize = 256 << 10;
/// How many times a stream is sent or resumed.
const MAX_ATTEMPTS: usize = 30;
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How long ingest may take to become ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// Numbers of lines by outcome, as ingest's response to a stream has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutcomeCounts {
    pub accepted: u64,
    pub duplicates: u64,
    pub refused: u64,
    pub warned: u64,
}

impl OutcomeCounts {
    fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.refused += other.refused;
        self.warned += other.warned;
    }
}

/// Addresses of a running ingest.
pub struct IngestAddresses {
    pub events: String,
    /// Address of its metrics.
    pub health: String,
}

/// Sums of ingest's responses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendResult {
    pub events: OutcomeCounts,
    pub roll: OutcomeCounts,
    /// Numbers of refusals by problem code.
    pub refused: BTreeMap<String, u64>,
    /// Some lines were sent again after a lost acknowledgement, so `duplicates` may be higher than the generator's.
    pub repeated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamPart {
    Reference,
    Roll,
    Events,
}

impl StreamPart {
    /// Passes the submissions of a part to `take`, from line `from` (0-based), until it returns false.
    fn for_each(self, generated: &Synthetic, from: usize, take: &mut dyn FnMut(&Submission) -> bool) {
        let reference = generated.reference_len();
        match self {
            StreamPart::Reference => generated.stream[..reference].iter().skip(from).all(|sent| take(&sent.submission)),
            StreamPart::Events => generated.stream[reference..].iter().skip(from).all(|sent| take(&sent.submission)),
            StreamPart::Roll => generated.roll_submissions().skip(from).all(|submission| take(&submission)),
        };
    }
}

/// Sends everything; reads the numbers of refusals from ingest's metrics.
pub async fn send_all(ingest: IngestAddresses, generated: Arc<Synthetic>, steps: &Steps) -> Result<SendResult, DemoError> {
    let sender = EventSender { http: http::client()?, ingest, generated };
    sender.ready().await?;
    let refused_before = sender.refused().await?;
    let counts = &sender.generated.oracle.stream;
    let events = Arc::new(steps.begin("Sending events", Some(counts.sent)));
    let reference = sender.send(StreamPart::Reference, &events).await?;
    let roll = Arc::new(steps.begin("Sending the roll", Some(counts.roll)));
    let sending_events = async {
        let sent = sender.send(StreamPart::Events, &events).await?;
        done(events, format!("{} accepted, {} refused", count(sent.counts.accepted), count(sent.counts.refused)));
        Ok::<_, DemoError>(sent)
    };
    let sending_roll = async {
        let sent = sender.send(StreamPart::Roll, &roll).await?;
        done(roll, format!("{} precincts", count(sent.counts.accepted)));
        Ok(sent)
    };
    let (mut events, roll) = tokio::try_join!(sending_events, sending_roll)?;
    events.counts.add(&reference.counts);
    let mut refused = sender.refused().await?;
    // Requests before ingest was ready were counted as refused too.
    refused.iter_mut().for_each(|(code, number)| *number = number.saturating_sub(refused_before.get(code).copied().unwrap_or(0)));
    refused.retain(|_, number| *number > 0);
    let repeated = reference.repeated || events.repeated || roll.repeated;
    Ok(SendResult { events: events.counts, roll: roll.counts, refused, repeated })
}

fn done(step: Arc<Step>, what: String) {
    // The thread that serialized the lines has ended, so this is the last reference.
    if let Some(step) = Arc::into_inner(step) {
        step.done(what);
    }
}

struct EventSender {
    http: reqwest::Client,
    ingest: IngestAddresses,
    generated: Arc<Synthetic>,
}

/// The counts of a part of the campaign, and whether some of its lines were sent again.
struct SentPart {
    counts: OutcomeCounts,
    repeated: bool,
}

/// The response to an interrupted stream: the counts of the lines before the interruption, and the line to resume from.
#[derive(Deserialize)]
struct StreamProblem {
    #[serde(default)]
    before: OutcomeCounts,
    line: Option<usize>,
}

impl EventSender {
    async fn ready(&self) -> Result<(), DemoError> {
        let to = format!("{}/ready", self.ingest.events);
        let since = Instant::now();
        loop {
            let response = http::send(self.http.get(&to)).await?;
            if response.is_success() {
                return Ok(());
            }
            if since.elapsed() > READY_TIMEOUT {
                return Err(response.unexpected().into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a whole part.
    async fn send(&self, part: StreamPart, step: &Arc<Step>) -> Result<SentPart, DemoError> {
        let path = if part == StreamPart::Roll { "/v1/roll" } else { "/v1/events" };
        let to = format!("{}{path}", self.ingest.events);
        let mut counts = OutcomeCounts::default();
        let mut from = 0;
        for attempt in 0..MAX_ATTEMPTS {
            let request = self.http.post(&to).header("content-type", "application/x-ndjson").body(self.body(part, from, step));
            let response = http::send(request).await?;
            if matches!(response.status, 200 | 207) {
                counts.add(&serde_json::from_slice(&response.body).map_err(|_| response.unexpected())?);
                return Ok(SentPart { counts, repeated: attempt > 0 });
            }
            let problem: StreamProblem = serde_json::from_slice(&response.body).map_err(|_| response.unexpected())?;
            if response.status != 503 {
                return Err(response.unexpected().into());
            }
            // A response without a line means that nothing was accepted: the service is starting or overloaded.
            counts.add(&problem.before);
            from += problem.line.map_or(0, |line| line.saturating_sub(1));
            tokio::time::sleep(RETRY_DELAY).await;
        }
        Err(DevstackError::Response { from: to, response: "503 to every attempt".to_owned() }.into())
    }

    /// A request body whose lines are serialized while it is sent.
    fn body(&self, part: StreamPart, from: usize, step: &Arc<Step>) -> Body {
        let (sender, receiver) = mpsc::channel::<Bytes>(4);
        let (generated, step) = (self.generated.clone(), step.clone());
        tokio::task::spawn_blocking(move || {
            let mut lines = LineBuffer { buffer: Vec::with_capacity(CHUNK_BYTES + (64 << 10)), number: 0, sender, step };
            part.for_each(&generated, from, &mut |submission| lines.push(submission));
            lines.flush();
        });
        let next = |mut receiver: mpsc::Receiver<Bytes>| async move {
            receiver.recv().await.map(|chunk| (Ok::<_, std::io::Error>(chunk), receiver))
        };
        Body::wrap_stream(futures::stream::unfold(receiver, next))
    }

    /// Number of refusals by code, from ingest's metrics.
    async fn refused(&self) -> Result<BTreeMap<String, u64>, DemoError> {
        let text = http::send(self.http.get(format!("{}/metrics", self.ingest.health))).await?.text();
        let line = |line: &str| {
            let rest = line.strip_prefix("qamtu_ingest_refused_total{reason=\"")?;
            let (code, number) = rest.split_once("\"} ")?;
            Some((code.to_owned(), number.trim().parse().ok()?))
        };
        Ok(text.lines().filter_map(line).collect())
    }
}

struct LineBuffer {
    buffer: Vec<u8>,
    number: u64,
    sender: mpsc::Sender<Bytes>,
    step: Arc<Step>,
}

impl LineBuffer {
    /// Appends a line; returns false if the receiver is closed.
    fn push(&mut self, submission: &Submission) -> bool {
        self.number += 1;
        // Serializing maps, strings and numbers to memory cannot fail.
        submission.write_line(&mut self.buffer).is_ok() && (self.buffer.len() < CHUNK_BYTES || self.flush())
    }

    fn flush(&mut self) -> bool {
        self.step.add(std::mem::take(&mut self.number));
        let chunk = Bytes::copy_from_slice(&self.buffer);
        self.buffer.clear();
        self.sender.blocking_send(chunk).is_ok()
    }
}

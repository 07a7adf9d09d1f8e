//! Queries the broker every [`PROBE_INTERVAL`] for the ids of the topics and the end offsets of the started partitions.
//!
//! The queries block, so they run on a thread of their own, which ends with the client. [`super::watchdog`] evaluates the results.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use rdkafka::consumer::Consumer;

use super::client::REQUEST_TIMEOUT;
use super::context::failed;
use super::cursor::EndOffset;
use super::group::KafkaConsumer;
use super::topic_id::{TopicId, topic_ids};
use super::watchdog::{PROBE_INTERVAL, ProbeResult, check_topic_ids};

/// Starts the probe thread; it ends with the client.
pub(super) fn start(client: &Arc<KafkaConsumer>, topics: Vec<String>) -> std::io::Result<()> {
    let client = Arc::downgrade(client);
    let probe = Probe { client, topics, ids: HashMap::new() };
    std::thread::Builder::new().name("log-watch".into()).spawn(move || probe.run()).map(drop)
}

struct Probe {
    client: Weak<KafkaConsumer>,
    /// Topic names on the broker.
    topics: Vec<String>,
    /// Topic ids of the first probe.
    ids: HashMap<String, TopicId>,
}

impl Probe {
    fn run(mut self) {
        loop {
            // Held for one probe only, so that normally the reading thread drops the last reference and closes the client.
            let Some(client) = self.client.upgrade() else { return };
            let ends = self.probe(&client);
            client.context().probe_results.record(ends, Instant::now());
            drop(client);
            std::thread::sleep(PROBE_INTERVAL);
        }
    }

    fn probe(&mut self, client: &KafkaConsumer) -> ProbeResult {
        let found = topic_ids(client.client(), &self.topics, REQUEST_TIMEOUT).map_err(|error| {
            client.context().kafka.add_bootstrap_brokers(client.client());
            failed("asking for topics", error)
        })?;
        check_topic_ids(&mut self.ids, &found)?;
        let started = client.context().state().cursors.started();
        started
            .into_iter()
            .map(|next| {
                client.context().bounds_now(client, &next.partition).map(|bounds| EndOffset { partition: next.partition, end: bounds.end })
            })
            .collect()
    }
}

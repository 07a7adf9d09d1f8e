//! Asks the broker, every [`PROBE`], for the ids of the topics and the ends of the started partitions.
//!
//! Guarantees: a thread of its own asks, because these questions may block; it ends with the client. What the answers mean is decided by
//! [`super::watch`].

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

use rdkafka::consumer::Consumer;

use super::client::ANSWER;
use super::group::Client;
use super::topic_id::{TopicId, topic_ids};
use super::voice::failed;
use super::watch::{Ends, PROBE, compare};

/// Starts the asking thread; it ends with the client.
pub(super) fn start(client: &Arc<Client>, topics: Vec<String>) -> std::io::Result<()> {
    let client = Arc::downgrade(client);
    let probe = Probe { client, topics, ids: HashMap::new() };
    std::thread::Builder::new().name("log-watch".into()).spawn(move || probe.run()).map(drop)
}

struct Probe {
    client: Weak<Client>,
    /// Names on the broker.
    topics: Vec<String>,
    /// As the first answer said.
    ids: HashMap<String, TopicId>,
}

impl Probe {
    fn run(mut self) {
        loop {
            // Held for one question only, so that it is the reading thread that closes the client, as a rule.
            let Some(client) = self.client.upgrade() else { return };
            let ends = self.ask(&client);
            client.context().answers.put(ends, Instant::now());
            drop(client);
            std::thread::sleep(PROBE);
        }
    }

    fn ask(&mut self, client: &Client) -> Ends {
        let found = topic_ids(client.client(), &self.topics, ANSWER).map_err(|error| {
            client.context().voice.bootstrap(client.client());
            failed("asking for topics", error)
        })?;
        compare(&mut self.ids, &found)?;
        let started = client.context().seat().cursors.started();
        started
            .into_iter()
            .map(|next| client.context().bounds_now(client, &next.partition).map(|bounds| (next.partition, bounds.end)))
            .collect()
    }
}

//! Opens a Kafka reader: joins the group, or assigns all partitions, and starts the threads.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;

use super::client::{ClientRole, GroupMember, TopicNames, client_config};
use super::commit::CommitSender;
use super::context::{KafkaContext, failed};
use super::cursor::Cursors;
use super::group::{ConsumerState, GroupContext, KafkaConsumer};
use super::probe;
use super::reader::{KafkaReader, POLL_TIMEOUT};
use super::watchdog::ProbeResults;
use crate::config::KafkaConfig;
use crate::error::LogError;
use crate::handle::{ReaderHandle, ReaderMessage};
use crate::reader::{Membership, ReaderOptions};

/// Joins the group (or assigns all partitions) and starts the reading thread.
pub(super) fn open_reader(config: &KafkaConfig, options: &ReaderOptions) -> Result<ReaderHandle, LogError> {
    let member = match &options.membership {
        Membership::Group { group, member, .. } => Some(GroupMember { group: group.clone(), member: *member }),
        Membership::Standalone => None,
    };
    let role = member.clone().map_or(ClientRole::Standalone, ClientRole::GroupMember);
    let (handle, channel) = ReaderHandle::new();
    let (commit_sender, commit_worker) = CommitSender::new();
    let context = GroupContext {
        kafka: KafkaContext::new(&config.brokers),
        names: TopicNames::new(&config.topic_prefix, &options.topics),
        member,
        drain_timeout: Duration::from_millis(config.drain_timeout_ms.into()),
        state: Mutex::new(ConsumerState { channel, cursors: Cursors::default(), commit_sender, failure: None }),
        probe_results: ProbeResults::new(Instant::now()),
    };
    let client: KafkaConsumer =
        client_config(config, &role)?.create_with_context(context).map_err(|error| failed("opening the log", error))?;
    let client = Arc::new(client);
    let no_thread = |error: std::io::Error| LogError::Fatal { reason: format!("no thread: {error}") };
    let partitions = client.context().partitions_of(&client, &options.topics, || drop(client.poll(POLL_TIMEOUT)))?;
    if options.membership == Membership::Standalone {
        let mut state = client.context().state();
        state.cursors.assign(partitions.iter().cloned());
        state.channel.send(ReaderMessage::Assigned(partitions.into_iter().map(|partition| (partition, None)).collect()));
    } else {
        commit_worker.spawn(&client).map_err(no_thread)?;
        let names: Vec<_> = options.topics.iter().map(|topic| client.context().names.remote(topic)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        client.subscribe(&names).map_err(|error| failed("joining the group", error))?;
    }
    let names = options.topics.iter().map(|topic| client.context().names.remote(topic)).collect();
    probe::start(&client, names).map_err(no_thread)?;
    let rebalance = Duration::from_millis(u64::from(config.session_timeout_ms) + u64::from(config.drain_timeout_ms));
    let reader = KafkaReader::new(client, options, rebalance);
    let thread = std::thread::Builder::new().name("log-reader".into()).spawn(move || reader.run());
    thread.map_err(no_thread)?;
    Ok(handle)
}

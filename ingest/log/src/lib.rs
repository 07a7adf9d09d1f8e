//! The event log: the system of record, on Apache Kafka or in local files, behind one trait for appending and
//! one for reading. It knows nothing of schemas: topics, keys, headers and bytes.
//!
//! # The path of an append
//! [`open_writer`] returns a [`LogWriter`]; [`LogWriter::append`] returns the [`Position`] of each entry once it is durable.
//! * Embedded: the call is queued (`embedded/writer.rs`); a thread writes all queued calls in one SQLite
//!   transaction (`embedded/append.rs`), syncs it, and only then returns the positions.
//! * Kafka: the call enqueues its entries in order (`kafka/writer.rs`); the idempotent producer sends them, and the position of
//!   an entry is returned when every in-sync replica has it.
//!
//! Both put a key into the same partition (`murmur2.rs`).
//!
//! # The path of a read
//! [`open_reader`] returns a [`LogReader`]: a handle (`handle.rs`) and a thread that does the blocking work.
//! [`Delivery::Assigned`] lists the owned partitions, [`LogReader::start_at`] sets the offsets, then come
//! [`Delivery::Records`]; the caller commits what it has processed with [`LogReader::commit`].
//! * Embedded: `embedded/reader.rs` checks whether the file has changed and reads batches; a file lock per partition
//!   (`embedded/lease.rs`) excludes a second owner.
//! * Kafka: `kafka/reader.rs` polls; `kafka/group.rs` handles rebalances; `kafka/cursor.rs` tracks the next offset of
//!   each partition; `kafka/commit.rs` commits with a timeout, on a thread of its own.
//!
//! # Guarantees and the tests that check them
//! Tests are in `tests/event_log`; those listed without the name of a log run on both.
//! * An acknowledged entry survives `kill -9` of the writer: `keeps_what_it_acknowledged_when_the_writer_is_killed`;
//!   of the broker: `a_killed_broker_comes_back_with_everything_and_the_clients_go_on`. SQLite's synchronous FULL survives a power
//!   cut; Kafka does so only with several replicas.
//! * Our own appends leave no gap in the offsets of a partition and a key keeps its order: `keeps_the_order_of_a_key_without_gaps`,
//!   `appends_of_many_tasks_leave_no_gap`, `several_processes_append_at_the_same_time`. On Kafka, transaction markers, aborted
//!   and compacted records leave offsets without a record; a reader skips and counts them:
//!   `transactions_of_another_producer_are_read_without_their_markers_and_aborted_records`,
//!   `what_compaction_left_of_a_topic_is_read_to_its_end`. Corruption and removal by retention end the reader:
//!   `a_changed_record_ends_the_reader_at_its_offset`, `a_reader_that_is_overtaken_by_retention_ends_instead_of_skipping`.
//! * Each partition has one owner in a group: `two_readers_split_the_partitions`,
//!   `a_second_owner_is_refused_by_name_until_the_first_is_gone` (embedded),
//!   `a_second_reader_with_the_same_number_ends_the_first` (Kafka). A killed owner is replaced:
//!   `a_killed_owner_releases_its_partitions`.
//! * After a crash reading continues at the committed offset: `redelivers_what_a_killed_reader_had_not_committed`.
//! * A reader that lost a partition cannot commit it: `a_stalled_member_is_replaced_and_can_no_longer_commit`,
//!   `partitions_that_are_not_released_in_time_are_lost`; a reader whose partition is revoked may finish first:
//!   `a_draining_reader_commits_and_the_next_owner_starts_there`.
//! * Memory is bounded, callers wait: `callers_wait_while_the_queue_is_full`, `batches_keep_their_limits`,
//!   `a_reader_that_takes_nothing_for_a_while_goes_on`.
//! * Corruption, a full disk, a frozen broker, a fatal client error and a wrong password each have one distinct error:
//!   `damage_is_one_clear_error_and_is_never_written_over`,
//!   `a_full_log_refuses_whole_calls_and_takes_them_again_once_there_is_room`,
//!   `a_frozen_broker_makes_appends_fail_in_time_and_a_thawed_one_takes_them`,
//!   `a_frozen_broker_makes_a_commit_fail_in_time_and_a_thawed_one_takes_the_next`,
//!   `a_fatal_producer_error_fails_readiness_for_good`, `a_wrong_password_is_refused_and_never_printed`.
//! * A stalled client is replaced: `a_group_reads_on_after_the_broker_was_away_for_9_to_18_seconds`,
//!   `a_writer_appends_again_after_the_broker_was_away_for_9_to_18_seconds`. A reader ends with [`LogError::Stalled`] and its owner
//!   opens it again; a writer replaces its client by itself.
//! * A log that was deleted, recreated or replaced by another one is [`LogError::Replaced`]: `a_recreated_log_ends_its_readers`,
//!   `a_writer_distinguishes_a_recreated_log_from_its_own`.
//! * Only the owner of the embedded log reads its files: `only_the_owner_may_read_the_files_of_the_log`.
//!
//! Not guaranteed: an append that failed with [`LogError::is_transient`] may have been stored all the same, and a retried one
//! twice. Readers deduplicate by event id. A commit that failed so may likewise have been applied.

mod config;
mod embedded;
mod entry;
mod error;
mod handle;
mod kafka;
mod murmur2;
mod open;
mod partition;
mod reader;
#[cfg(feature = "testing")]
pub mod testing;
mod writer;

pub use config::{EmbeddedConfig, KafkaConfig, LogConfig, SaslConfig, SaslMechanism, TlsConfig};
pub use entry::{Entry, Headers, MAX_ENTRY_BYTES, Record};
pub use error::LogError;
pub use open::{ensure_topics, open_reader, open_writer};
pub use partition::{Bounds, NextOffset, Partition, Position, TopicSpec};
pub use reader::{Delivery, LogReader, Membership, ReaderOptions};
pub use writer::LogWriter;

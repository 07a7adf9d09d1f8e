//! The event log: the record of truth, on Apache Kafka or in local files, behind one trait for appending and
//! one for reading. It knows nothing of schemas: topics, keys, headers and bytes.
//!
//! # The path of an append
//! [`open_writer`] gives a [`LogWriter`]; [`LogWriter::append`] takes entries and answers each with its
//! [`Position`] once it is durable.
//! * Embedded: the call queues up (`embedded/writer.rs`), a thread writes what has queued up as one SQLite
//!   transaction (`embedded/append.rs`), syncs it, and only then answers.
//! * Kafka: the call queues its entries in order (`kafka/writer.rs`), the idempotent client sends them, and each is
//!   answered when every in-sync replica has it.
//!
//! Both put a key into the same partition (`murmur2.rs`).
//!
//! # The path of a read
//! [`open_reader`] gives a [`LogReader`]: a handle (`handle.rs`) and a thread that does the blocking work.
//! [`Delivery::Assigned`] says what it owns, [`LogReader::start_at`] from where to read, then come
//! [`Delivery::Records`]; what has had its effect is committed with [`LogReader::commit`].
//! * Embedded: `embedded/reader.rs` looks whether the file changed and reads portions; a file lock per partition
//!   (`embedded/lease.rs`) keeps a second owner out.
//! * Kafka: `kafka/reader.rs` polls; `kafka/group.rs` takes and gives back partitions; `kafka/cursor.rs` keeps
//!   where each one stands; `kafka/commit.rs` commits within a limit, on a thread that may be kept waiting.
//!
//! # What is guaranteed, and by which test
//! Tests are in `tests/event_log`; those named without a log run on both.
//! * An acknowledged entry survives `kill -9` of the writer: `keeps_what_it_acknowledged_when_the_writer_is_killed`;
//!   of the broker: `a_killed_broker_comes_back_with_everything_and_the_clients_go_on`. A power cut is covered by
//!   SQLite's synchronous FULL, on Kafka only by several copies.
//! * Our own appends leave no gap in the offsets of a partition and a key keeps its order: `keeps_the_order_of_a_key_without_gaps`,
//!   `appends_of_many_tasks_leave_no_gap`, `several_processes_append_at_the_same_time`. Kafka itself may: offsets of transaction
//!   markers, aborted and compacted records hold no record, and a reader goes on behind them and says how many:
//!   `transactions_of_another_producer_are_read_without_their_markers_and_aborted_records`,
//!   `what_compaction_left_of_a_topic_is_read_to_its_end`. Damage and removal by retention end the reader:
//!   `a_changed_record_ends_the_reader_at_its_offset`, `a_reader_that_is_overtaken_by_retention_ends_instead_of_skipping`.
//! * Each partition has one owner in a group: `two_readers_split_the_partitions`,
//!   `a_second_owner_is_refused_by_name_until_the_first_is_gone` (embedded),
//!   `a_second_reader_with_the_same_number_ends_the_first` (Kafka). A killed owner is replaced:
//!   `a_killed_owner_gives_its_partitions_free`.
//! * After a crash reading goes on where it was committed: `redelivers_what_a_killed_reader_had_not_committed`.
//! * Who lost a partition cannot commit it: `a_stalled_member_is_replaced_and_can_no_longer_commit`,
//!   `partitions_that_are_not_released_in_time_are_lost`; who has to give it back may finish first:
//!   `a_draining_reader_commits_and_the_next_owner_starts_there`.
//! * Memory is bounded, callers wait: `callers_wait_while_the_queue_is_full`, `portions_keep_their_limits`,
//!   `a_reader_that_takes_nothing_for_a_while_goes_on`.
//! * Damage, a full disk, a frozen broker, a fatal client error and a wrong password each have one clear error:
//!   `damage_is_one_clear_error_and_is_never_written_over`,
//!   `a_full_log_refuses_whole_calls_and_takes_them_again_once_there_is_room`,
//!   `a_frozen_broker_makes_appends_fail_in_time_and_a_thawed_one_takes_them`,
//!   `a_frozen_broker_makes_a_commit_fail_in_time_and_a_thawed_one_takes_the_next`,
//!   `a_fatal_producer_error_fails_readiness_for_good`, `a_wrong_password_is_refused_and_never_printed`.
//!
//! What is not: an append that failed with [`LogError::is_transient`] may stand in the log all the same, and a repeated
//! one twice. Whoever reads tells them apart by the event's id. Likewise a commit that failed so may have been made.

#[cfg(feature = "broker")]
pub mod broker;
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
mod writer;

pub use config::{EmbeddedConfig, KafkaConfig, LogConfig, SaslConfig, SaslMechanism, TlsConfig};
pub use entry::{Entry, Headers, MAX_ENTRY_BYTES, Record};
pub use error::LogError;
pub use open::{ensure_topics, open_reader, open_writer};
pub use partition::{Bounds, NextOffset, Partition, Position, TopicSpec};
pub use reader::{Delivery, LogReader, Membership, ReaderOptions};
pub use writer::LogWriter;

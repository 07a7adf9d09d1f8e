//! The path of a record: from the event log to the tables of ClickHouse, with exactly-once effect.
//!
//! 1. [`source`]: a record is read, from where the log copy ends.
//! 2. [`decode`]: it is an event, or it is rejected for a named reason ([`decoded`]).
//! 3. [`project`]: it becomes rows ([`rows`]), a pure function of the record.
//! 4. [`batch`], [`batches`]: rows of one contiguous range of offsets become one insert per table.
//! 5. [`warehouse`], [`writes`]: facts are written first, the log copy last: it is the receipt.
//! 6. [`progress`]: the offset after it is committed. [`pipeline`] holds the whole on one screen.
//! 7. [`verify`]: now and then, what the warehouse has lost is found and written again.
//!
//! Why every event counts once, whatever dies when:
//!
//! - *Nothing is lost.* A record is read until the log copy holds it, because the start follows the log copy ([`source`]) and never
//!   the commit. The log copy is inserted after the facts were acknowledged, so what it holds has its facts. Poison is a row, too.
//! - *What the warehouse loses later* is written again: records from the log, facts from the log copy ([`verify`]).
//! - *Nothing counts twice.* A batch that is sent again while its answer is open carries the same token and is dropped by the server.
//!   A range that is read again carries other tokens, so that it is never dropped for rows that are gone; its rows have the same keys
//!   as those that are there, and the views show one of each.
//! - *Which one* does not depend on order: of two bodies with one id the earliest received holds, by a version that is a function of
//!   the row (the files in `tables/` say how).
//!
//! Left to others: what an event is (`qamtu-schemas`), how the log keeps its order (`qamtu-log`), what the figures mean
//! (`qamtu-analytics`, which reads the views and nothing else).

pub mod pipeline;

pub mod source;

pub mod identity;

pub mod end_offsets;

pub mod lag;

pub mod decode;

pub mod decode_result;

pub mod projection;

pub mod rows;

pub mod batch;

pub mod batches;

pub mod writes;

pub mod check;
pub mod warehouse;

pub mod progress;

pub mod verify;

pub mod migrate;

pub mod cli;
pub mod config;
pub mod error;
mod failpoints;
pub mod health;
mod hosts;
pub mod metrics;
pub mod monitor;
pub mod run;
pub mod telemetry;

pub use config::Config;
pub use error::ProjectorError;
pub use run::run;

//! The projector: copies records from the event log into the tables of ClickHouse, with exactly-once effect.
//!
//! 1. [`source`]: reads records from the log, starting where the log copy (the table `log`) ends.
//! 2. [`decode`]: decodes a record to an event, or rejects it with a reason ([`decode_result`]).
//! 3. [`projection`]: maps the result to rows ([`rows`]); a pure function of the record.
//! 4. [`batch`], [`batch_queue`]: collect the rows of one contiguous range of offsets into one insert per table.
//! 5. [`warehouse`], [`writes`]: insert the fact tables first and the log copy last, so a row of the log copy proves that the facts are
//!    stored.
//! 6. [`progress`]: commits the next offset. [`pipeline`] shows all steps in one place.
//! 7. [`verify`]: periodically finds rows that the warehouse has lost and writes them again.
//!
//! Why every event counts exactly once after any crash:
//!
//! - *Nothing is lost.* Reading starts where the log copy ends ([`source`]), never at the committed offset, so a record is read until its
//!   row is in the log copy. That row is inserted after the facts were acknowledged. Invalid records get a row too.
//! - *Rows that the warehouse loses later* are written again: log copy rows from the log, facts from the log copy ([`verify`]).
//! - *Nothing counts twice.* A batch that is sent again because its acknowledgement is missing carries the same deduplication token, and
//!   the server drops it. A range that is read again carries new tokens, so the server never drops it for rows that were deleted; its
//!   rows have the same keys as existing ones, and the views show one row per key.
//! - *Which body wins* does not depend on order: of two bodies of one event the earliest received wins, by a version column that is
//!   a function of the row (see `tables/README.md`).
//!
//! Defined elsewhere: what an event is (`qamtu-schemas`), how the log orders records (`qamtu-log`), and the figures (`qamtu-analytics`,
//! which reads only the views).

pub mod batch;
pub mod batch_queue;
pub mod check;
pub mod cli;
pub mod config;
pub mod decode;
pub mod decode_result;
pub mod end_offsets;
pub mod error;
mod failpoints;
pub mod health;
pub mod lag;
pub mod log_identity;
pub mod metrics;
pub mod migrate;
pub mod monitor;
pub mod pipeline;
pub mod progress;
pub mod projection;
pub mod rows;
pub mod run;
pub mod source;
pub mod verify;
pub mod warehouse;
pub mod writes;

pub use config::Config;
pub use error::ProjectorError;
pub use run::run;

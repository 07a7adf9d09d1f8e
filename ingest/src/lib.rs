//! Ingest: HTTP in, events in the log.
//!
//! # The path of a submission
//!
//! 1. [`server`] takes the connection ([`connections`] and [`permits`] are shared fairly by [`client`]), [`hosts`] checks whom it
//!    names, [`encoding`] decompresses its body; [`routes`] take the request; [`service`] says whether it may run.
//! 2. [`body`] reads it, whole or as a stream cut into chunks of lines.
//! 3. [`pipeline`] leads a chunk through the rest, on one screen:
//!    1. [`submission`]: bytes become a [`submission::Submission`], which may still hold raw identifiers;
//!    2. [`pseudonym`]: those are replaced, in memory, with the campaign's key;
//!    3. [`admit`]: the pure judgement, Submission to [`qamtu_schemas::Event`]; [`pii`] searches its texts for numbers of people;
//!    4. [`register`]: is the id new, a repetition, or taken; [`conflicts`] says what is told of the last;
//!    5. [`publish`]: the event goes into the log, and only when the log has it durably
//! 4. [`answer`] says so. What is wrong is a [`rejection`], with its place and how to mend it.
//!
//! Beside the path, [`register::follow`] reads the log back into the register. Ingest knows no ClickHouse and no report.

pub mod admit;
pub mod answer;
pub mod body;
pub mod client;
pub mod config;
pub mod conflicts;
pub mod connections;
pub mod encoding;
pub mod error;
pub mod hosts;
pub mod metrics;
pub mod notation;
pub mod openapi;
mod panics;
pub mod permits;
pub mod pii;
pub mod pipeline;
mod private;
pub mod pseudonym;
pub mod publish;
pub mod register;
pub mod rejection;
pub mod routes;
mod run;
pub mod server;
pub mod service;
pub mod stream;
pub mod submission;
pub mod telemetry;

pub use config::Config;
pub use error::IngestError;
pub use run::{Listeners, run};

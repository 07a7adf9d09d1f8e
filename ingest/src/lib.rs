//! Ingest accepts events over HTTP and appends them to the event log.
//!
//! # How a submission is processed
//!
//! 1. [`server`] accepts the connection ([`qamtu_service::connections`] and [`permits`] are shared fairly among clients) and checks its
//!    `Host` header, [`encoding`] decompresses its body; [`routes`] handle the request; [`app_state`] decides whether it may run.
//! 2. [`body`] reads the body, whole or as a stream of chunks of lines.
//! 3. [`pipeline`] processes the submissions of a [`principal`], chunk by chunk:
//!    1. [`submission`] parses bytes to a [`submission::Submission`], which may still contain raw identifiers;
//!    2. [`pseudonym`] replaces these in memory, with the campaign's key;
//!    3. [`validation`] validates the submission and makes the [`qamtu_schemas::Event`]; [`pii`] searches texts for personal numbers;
//!    4. [`register`] tells whether the id is new, a duplicate or taken; [`conflicts`] handles ids that are taken;
//!    5. [`log_append`] appends the event to the log and waits until it is durable.
//! 4. [`outcomes`] are counted, and [`response`] makes a response of them. A [`rejection`] gives a JSON pointer to the fault and says how
//!    to correct it.
//!
//! In parallel, [`register::follow`] reads the log back into the register. Ingest does not know ClickHouse or PDF reports.

pub mod app_state;
pub mod body;
pub mod config;
pub mod conflicts;
pub mod encoding;
pub mod error;
pub mod log_append;
pub mod metrics;
pub mod openapi;
pub mod outcomes;
mod panics;
pub mod permits;
pub mod pii;
pub mod pipeline;
pub mod principal;
mod private;
pub mod pseudonym;
pub mod register;
pub mod rejection;
pub mod response;
pub mod routes;
mod run;
pub mod server;
pub mod submission;
pub mod text_folding;
pub mod validation;

pub use config::Config;
pub use error::IngestError;
pub use run::{Listeners, run};

//! The event contract of Qamtu, in one crate.
//!
//! A client sends a submission; the log stores an [`Event`]: a CloudEvents 1.0 [`Envelope`] and typed [`Data`].
//! Every event type has one Rust type, one JSON Schema file per version and examples under `contracts/`.
//!
//! Reading order: [`id`] and [`text`] (valid values), [`envelope`], [`event`] (every payload), [`decode()`] and
//! [`encode()`] (bytes), [`topic`], [`fold`] (the state of a meeting from its events), [`mod@reference`] (the state of reference data
//! from its events), [`surveys`] (the results of surveys from their events).
//!
//! This crate does no I/O and uses neither clock nor random numbers: the same events give the same state, in any order and with
//! any repetition.

pub mod decode;
pub mod encode;
pub mod envelope;
pub mod event;
pub mod fold;
pub mod id;
pub mod instant;
pub mod reference;
mod schema;
pub mod surveys;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod topic;

pub use decode::{DecodeError, decode};
pub use encode::{Encoded, encode};
pub use envelope::{Envelope, Event};
pub use event::{Data, EventType, Kind};
pub use fold::{MeetingFold, MeetingState, Status};
pub use reference::Reference;
pub use surveys::Surveys;
pub use topic::Topic;

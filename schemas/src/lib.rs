//! The contract of Qamtu: what an event is, on one page.
//!
//! A client sends a Submission; what is stored is an [`Event`]: a CloudEvents 1.0 [`Envelope`] and typed [`Data`].
//! Every event type has one Rust type, one JSON Schema file per version and examples under `contracts/`.
//!
//! Reading order: [`id`] and [`text`] (what a value may be), [`envelope`], [`event`] (every payload), [`decode()`] and
//! [`encode()`] (bytes), [`topic`], [`fold`] (the state of a meeting from its events), [`mod@reference`] (units, coalitions and
//! counts from theirs).
//!
//! This crate does no I/O, reads no clock and rolls no dice: the same events give the same values, in any order and
//! with any repetition.

pub mod decode;
pub mod encode;
pub mod envelope;
pub mod event;
pub mod fold;
pub mod id;
pub mod instant;
pub mod reference;
mod schema;
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
pub use topic::Topic;

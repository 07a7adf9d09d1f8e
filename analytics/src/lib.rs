//! The path of a number, from the views of the warehouse to a figure that people read.
//!
//! 1. [`facts`] reads the views, and is the only place that does: how far the log was read, reference data, meetings, the [`roll`], and
//!    attendance that holds, meeting by meeting.
//! 2. [`coverage`] turns facts into integers. It is pure; what each figure means is written in [`coverage::definition`].
//! 3. [`snapshot`] keeps them as bytes that never change, under a name made of what they are true for.
//! 4. [`figures`] and [`csv`] show a snapshot to machines.
//! 5. [`published`] clears a snapshot for a reader of [`access`]: person counts become [`cell`]s, small ones withheld.
//!    Zero, unknown and not applicable are told apart by [`knowledge`]. What readers see one after another is compared first
//!    ([`publication`]), so that the difference tells about nobody.
//! 6. [`statement`] puts that into the [`words`] and numbers of one language ([`locale`]).
//! 7. [`dashboard`] shows a statement as a page, [`mod@report`] as a PDF: the same figures, since both say one statement.
//!
//! [`compute`](mod@compute) runs the steps in this order. This crate knows no log and writes no events.

pub mod access;
pub mod cell;
pub mod cli;
pub mod compute;
pub mod config;
pub mod coverage;
pub mod csv;
pub mod dashboard;
pub mod error;
pub mod facts;
pub mod figures;
pub mod identity;
pub mod locale;
pub mod metrics;
pub mod publication;
pub mod published;
pub mod reach_status;
pub mod report;
pub mod roll;
pub mod snapshot_store;
pub mod statement;
pub mod telemetry;
pub mod translations;

pub use coverage::{Coverage, Snapshot};
pub use error::AnalyticsError;
pub use figures::Figures;
pub use identity::SnapshotId;
pub use snapshot_store::SnapshotStore;

//! The path of a number, from the views of the warehouse to a figure that people read.
//!
//! [`coverage`] holds the figures as integers; what each means is written in [`coverage::definition`]. [`snapshot`] keeps them under a
//! name made of what they are true for, [`figures`] shows them to machines. This crate knows no log and writes no events.

pub mod coverage;
pub mod error;
pub mod figures;
pub mod snapshot;

pub use coverage::Coverage;
pub use error::AnalyticsError;
pub use figures::Figures;
pub use snapshot::{Snapshot, SnapshotId, Snapshots};

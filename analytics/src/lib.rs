//! Analytics: from the views of the warehouse to the figures of a campaign.
//!
//! 1. [`facts`] queries the views; no other module does. It reads the contiguous offsets, reference data, meetings, the [`roll`] and
//!    attendance.
//! 2. [`facts_store`] has them as columns, also on disk, so that the next calculation reads only what changed; and [`slice`](mod@slice) counts the [`figures`] of any set of meetings and people over it.
//!    [`coverage`] is a fixed set of slices; [`coverage::definition`] defines each figure. All of this is pure.
//! 3. [`snapshot_store`] stores a coverage as immutable bytes under an id made of its [`snapshot_identity`].
//! 4. [`summary`] and [`csv`] export a snapshot as JSON and CSV; [`slice_output`] writes the result of a [`slice_query`].
//! 5. [`published`] applies disclosure control for a reader of [`access`]: person counts become [`cell`]s, small ones withheld.
//!    [`reach_status`] distinguishes zero, unknown and not applicable. [`release_control`] compares a snapshot with the one that was shown
//!    before it, so that their difference discloses no small count.
//! 6. [`statement`] formats the published figures in one language, with its [`translations`] and [`locale`].
//! 7. [`dashboard`] renders a statement as HTML, [`mod@report`] renders it as PDF, so both have the same figures.
//!
//! [`difference`](mod@difference) explains why two snapshots differ. [`compute`](mod@compute) runs steps 1 to 3. This crate neither reads the log nor writes events.

pub mod access;
pub mod cell;
pub mod cli;
pub mod clickhouse_slices;
pub mod compute;
pub mod config;
pub mod coverage;
pub mod csv;
pub mod dashboard;
pub mod difference;
pub mod dimension;
pub mod equity;
pub mod error;
pub mod estimate;
pub mod estimate_comparison;
pub mod facts;
pub mod facts_store;
pub mod figures;
pub mod forecast;
pub mod locale;
pub mod mask_counter;
pub mod metrics;
pub mod missing_reports;
pub mod next_meetings;
pub mod plausibility;
pub mod published;
pub mod reach_status;
pub mod release_control;
mod remaining_plans;
pub mod report;
pub mod roll;
pub mod slice;
pub mod slice_disclosure;
pub mod slice_output;
pub mod slice_query;
pub mod slice_request;
pub mod snapshot_identity;
pub mod snapshot_store;
pub mod statement;
pub mod summary;
pub mod translations;
pub mod two_lists;
pub mod verification;

pub use coverage::{Coverage, Snapshot};
pub use error::AnalyticsError;
pub use snapshot_identity::SnapshotId;
pub use snapshot_store::SnapshotStore;
pub use summary::Summary;

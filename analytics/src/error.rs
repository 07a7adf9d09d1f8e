//! Errors of analytics. A message names what failed and, where there is one, the fix.
//!
//! A message never repeats its source: the handler of an error prints the chain once.

#![allow(missing_docs, reason = "fields of errors are named in the message of their variant")]

use std::path::PathBuf;

use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use qamtu_service::process::EXIT_USAGE;

use crate::{slice_query::InvalidSlice, snapshot_identity::SnapshotId};

mod clickhouse_code;

pub use clickhouse_code::ClickHouseCode;

/// Why a calculation, a page or a report failed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// A query failed; `code` is ClickHouse's, if it responded with one.
    #[error("the warehouse query for {what} failed{}", if self.is_access_denied() { "; correct clickhouse.user or clickhouse.password" } else { "" })]
    Warehouse {
        what: &'static str,
        code: Option<ClickHouseCode>,
        #[source]
        source: clickhouse::error::Error,
    },
    /// A server of slices refused a statement or does not answer.
    #[error("{what}: the slice server {url} of the settings failed")]
    SliceServer {
        what: &'static str,
        url: String,
        #[source]
        source: clickhouse::error::Error,
    },
    /// There are no servers that could count slices.
    #[error("there are no slice servers: set slices.urls to the addresses of ClickHouse servers, or use --engine polars")]
    NoSliceServers,
    /// A terminal cannot show the file.
    #[error("the file cannot be shown on a terminal: add > and a file name, or choose --format text")]
    BinaryOnTerminal,
    /// A slice server is named twice.
    #[error("slices.urls names the server {url} twice: name each server once, since it would count people twice")]
    SliceServerTwice { url: String },
    /// A slice server has rows that were sent to another one.
    #[error(
        "the addresses of slices.urls do not lead to different servers and databases: a server has not exactly the rows that were sent to it"
    )]
    SliceServersShared,
    /// Rows of a load disappeared while it was read.
    #[error("load {load} is not whole on the slice servers any more: run the command again to load the facts anew")]
    LoadGone { load: uuid::Uuid },
    /// The columns of a result do not have the expected names or types.
    #[error("{what}: the columns do not have the expected names and types; is the warehouse migrated to this version?")]
    Schema {
        what: &'static str,
        #[source]
        source: polars::error::PolarsError,
    },
    /// A data frame cannot be built or queried: a fault of this program.
    #[error("polars cannot process {what}")]
    Frame {
        what: &'static str,
        #[source]
        source: polars::error::PolarsError,
    },
    /// A slice query cannot be answered.
    #[error(transparent)]
    InvalidSlice(#[from] InvalidSlice),
    /// A view has a value that cannot be parsed.
    #[error("view {view}: {value:?} is not a valid {expected}")]
    Value { view: &'static str, value: String, expected: &'static str },
    /// An event in a view cannot be read by this binary.
    #[error("event {event} in view {view} cannot be read: this program may be older than the one that stored it")]
    Event {
        view: &'static str,
        event: String,
        #[source]
        source: qamtu_schemas::DecodeError,
    },
    /// The campaign has no `campaign.configured` event yet.
    #[error("campaign {campaign} is not configured: send its campaign.configured event first, or choose one that is: {}", listed(known))]
    UnknownCampaign { campaign: CampaignId, known: Vec<CampaignId> },
    /// The campaign was configured after the as-of instant.
    #[error("campaign {campaign} was not configured yet at {as_of}: choose a later as-of instant")]
    NotConfiguredYet { campaign: CampaignId, as_of: Timestamp },
    /// The requested as-of instant is in the future.
    #[error("the as-of instant {as_of} is in the future: choose {latest} or an earlier one")]
    AsOfAhead { as_of: Timestamp, latest: Timestamp },
    /// The campaign's time zone is unknown to this program.
    #[error("campaign {campaign} is in time zone {time_zone:?}, which this program does not know")]
    TimeZone {
        campaign: CampaignId,
        time_zone: String,
        #[source]
        source: qamtu_schemas::instant::InstantError,
    },
    /// The attendance rows were not in the order of meeting ids, so that they cannot be counted in one pass.
    #[error("attendance rows are not in the order of meeting ids: meeting {0} came after a greater one")]
    AttendanceUnordered(String),
    /// More people, meetings or attendances than 32 bits can number.
    #[error("more than {0} people, meetings or attendances in one campaign")]
    TooMany(u32),
    /// A directory cannot be created.
    #[error("directory {} cannot be created", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Users other than the owner can enter the directory of the snapshots.
    #[error("directory {} can be read by other users (mode {mode:04o}), and snapshots contain small counts: run chmod 700 on it, \
             or set analytics.dir to a directory used by nothing else", path.display())]
    DirectoryNotPrivate { path: PathBuf, mode: u32 },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// SQLite refused an operation on the snapshot file.
    #[error("snapshots in {}", path.display())]
    SnapshotStore {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// The stored bytes of a snapshot cannot be decoded.
    #[error("snapshot {id} cannot be decoded by this version")]
    Bytes {
        id: SnapshotId,
        #[source]
        source: serde_json::Error,
    },
    /// There is no snapshot of the campaign.
    #[error("campaign {campaign} has no snapshot: run compute first")]
    NoSnapshot { campaign: CampaignId },
    /// The campaign has no snapshot with this id.
    #[error("campaign {campaign} has no snapshot {id}: `qamtu-analytics snapshots` lists those that are stored")]
    UnknownSnapshot { id: SnapshotId, campaign: CampaignId },
    /// The snapshots are in the wrong order, or of different logs.
    #[error("snapshot {later} does not have all records of snapshot {earlier}, or is of an earlier instant: name the earlier one first")]
    NotEarlier { earlier: SnapshotId, later: SnapshotId },
    /// The difference to the state that was shown last would disclose small counts.
    #[error(
        "snapshot {snapshot} cannot be reported yet: its difference to snapshot {released}, which was shown last, would disclose \
             small counts; wait for more records, or choose snapshot {released}"
    )]
    HeldBack { snapshot: SnapshotId, released: SnapshotId },
    /// The configured reader sees no figures.
    #[error("the configured reader's role sees no figures: set reader.role to leader or analyst")]
    NoFigures,
    /// Typst cannot typeset the report; the reason is its message.
    #[error("the report cannot be typeset: {reason}")]
    Report { reason: String },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: is it taken?")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// The listener or the signal handler failed.
    #[error("the HTTP server failed")]
    Serve(#[source] std::io::Error),
    /// A background task panicked or was cancelled.
    #[error("a background task panicked or was cancelled")]
    TaskFailed(#[source] tokio::task::JoinError),
}

/// Campaign ids, separated by commas.
fn listed(campaigns: &[CampaignId]) -> String {
    match campaigns {
        [] => "none is configured yet".to_owned(),
        some => some.iter().map(CampaignId::as_str).collect::<Vec<_>>().join(", "),
    }
}

impl AnalyticsError {
    /// Converts the failure of a query.
    pub(crate) fn warehouse(what: &'static str) -> impl Fn(clickhouse::error::Error) -> Self {
        move |source| Self::Warehouse { what, code: ClickHouseCode::of(&source), source }
    }

    /// Whether the warehouse refuses the user name or the password.
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Warehouse { code: Some(code), .. } if code.is_access_denied())
    }

    /// Exit code of the program.
    pub const fn exit_code(&self) -> u8 {
        if matches!(
            self,
            Self::AsOfAhead { .. }
                | Self::InvalidSlice(_)
                | Self::NotEarlier { .. }
                | Self::NoSliceServers
                | Self::SliceServerTwice { .. }
                | Self::BinaryOnTerminal
        ) {
            EXIT_USAGE
        } else {
            1
        }
    }
}

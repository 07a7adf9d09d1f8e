//! Everything that can go wrong in analytics, with the place and, where there is one, the mend.
//!
//! A message never repeats its source; whoever handles an error prints the chain once.

#![allow(missing_docs, reason = "fields of errors are named in the message of their variant")]

use std::path::PathBuf;

use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;

use crate::{config::ConfigError, identity::SnapshotId};

/// Exit code of a wrong command line or configuration: `EX_USAGE` of sysexits.
pub const EXIT_USAGE: u8 = 64;

/// Why analytics could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// The configuration is wrong. Exit code 64.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The warehouse did not answer a question.
    #[error("the warehouse did not answer {what}{}", if is_access_denied(source) { "; correct clickhouse.user or clickhouse.password" } else { "" })]
    Warehouse {
        what: &'static str,
        #[source]
        source: clickhouse::error::Error,
    },
    /// What the warehouse sent is no table of the expected shape.
    #[error("{what} came in an unexpected shape: is the warehouse migrated to this version?")]
    Schema {
        what: &'static str,
        #[source]
        source: polars::error::PolarsError,
    },
    /// A view holds a value that is none.
    #[error("view {view}: {value:?} is no {expected}")]
    Value {
        view: &'static str,
        value: String,
        expected: &'static str,
    },
    /// An event in a view cannot be read by this binary.
    #[error("event {event} in view {view} cannot be read: this program may be older than the one that stored it")]
    Event {
        view: &'static str,
        event: String,
        #[source]
        source: qamtu_schemas::DecodeError,
    },
    /// The campaign has no `campaign.configured` event yet.
    #[error("campaign {campaign} is not configured: publish its campaign.configured event first, or choose one that is: {}", listed(known))]
    UnknownCampaign {
        campaign: CampaignId,
        known: Vec<CampaignId>,
    },
    /// The campaign was configured after the as-of instant.
    #[error("campaign {campaign} was not configured yet at {as_of}: choose a later as-of instant")]
    NotConfiguredYet {
        campaign: CampaignId,
        as_of: Timestamp,
    },
    /// Nobody knows yet what will have been received by then.
    #[error("the as-of instant {as_of} lies ahead: nothing later than {latest} can be known yet")]
    AsOfAhead {
        as_of: Timestamp,
        latest: Timestamp,
    },
    /// The campaign's time zone is unknown to this program.
    #[error("campaign {campaign} is in time zone {time_zone:?}, which this program does not know")]
    TimeZone {
        campaign: CampaignId,
        time_zone: String,
        #[source]
        source: qamtu_schemas::instant::InstantError,
    },
    /// Attendance of one meeting came in two places, so that it could not be counted once.
    #[error("attendance of meeting number {0} came in two places: it must come meeting by meeting")]
    AttendanceNotGrouped(u32),
    /// More people or meetings than this program numbers.
    #[error("more than {0} people or meetings in one campaign")]
    TooMany(u32),
    /// A folder cannot be made.
    #[error("folder {} cannot be made", path.display())]
    Directory {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Others than the owner can enter the folder of the snapshots.
    #[error("folder {} can be read by others (mode {mode:04o}), and snapshots hold small counts: run chmod 700 on it, or set \
             analytics.dir to a folder of its own", path.display())]
    DirectoryNotPrivate {
        path: PathBuf,
        mode: u32,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The snapshot file does not work.
    #[error("snapshots in {}", path.display())]
    SnapshotStore {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// A snapshot's bytes are no coverage.
    #[error("snapshot {id} is no coverage of this version")]
    Bytes {
        id: SnapshotId,
        #[source]
        source: serde_json::Error,
    },
    /// There is no snapshot of the campaign.
    #[error("campaign {campaign} has no snapshot: run compute first")]
    NoSnapshot {
        campaign: CampaignId,
    },
    /// What changed since the state that readers saw last would tell about few people.
    #[error(
        "snapshot {snapshot} cannot be reported yet: compared with snapshot {released}, which was shown last, it would tell about few \
             people; wait for more records, or name snapshot {released}"
    )]
    HeldBack {
        snapshot: SnapshotId,
        released: SnapshotId,
    },
    /// The configured reader sees no figures.
    #[error("the configured reader's role sees no figures: set reader.role to leader or analyst")]
    NoFigures,
    /// A report cannot be set.
    #[error("the report cannot be set: {reason}")]
    Report {
        reason: String,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: is it taken?")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// Listening ended early.
    #[error("the page is no longer served")]
    Serve(#[source] std::io::Error),
    /// A task of this program ended early.
    #[error("the calculation was cut off")]
    TaskFailed(#[source] tokio::task::JoinError),
}

/// Campaigns in a row, for people.
fn listed(campaigns: &[CampaignId]) -> String {
    match campaigns {
        [] => "none is configured yet".to_owned(),
        some => some.iter().map(CampaignId::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// Whether ClickHouse refuses the user name or the password: its codes 192 to 194 and 516.
fn is_access_denied(error: &clickhouse::error::Error) -> bool {
    let clickhouse::error::Error::BadResponse(words) = error else { return false };
    ["Code: 192.", "Code: 193.", "Code: 194.", "Code: 516."].iter().any(|code| words.contains(code))
}

impl AnalyticsError {
    /// Whether the warehouse refuses the user name or the password.
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Warehouse { source, .. } if is_access_denied(source))
    }

    /// What the program ends with.
    pub const fn exit_code(&self) -> u8 {
        if matches!(self, Self::Config(_) | Self::AsOfAhead { .. }) { EXIT_USAGE } else { 1 }
    }
}

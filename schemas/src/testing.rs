//! For tests of this crate and of its readers: the released examples, events made by hand and events made at random.
//!
//! Guarantees: an event from here carries the body hash of its payload, so it encodes and decodes as one from ingest does.
//! Only compiled with the feature `testing`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::{
    encode::{Sent, body_hash, canonical},
    envelope::{Envelope, Event},
    event::{Data, EventType},
    id::{CampaignId, EventId, ImportId},
    text::Text,
};

pub mod strategies;

/// The folder of schemas and examples.
pub fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts")
}

/// A released example: an event in structured mode, as stored.
#[derive(Debug, Clone)]
pub struct Example {
    /// Type and version.
    pub kind: EventType,
    /// `smallest`, `fullest` or `odd`, or a name of its own.
    pub name: String,
    /// Where it stands.
    pub path: PathBuf,
    /// The JSON text.
    pub bytes: Vec<u8>,
}

/// Every example of every version of every type, by path. A new version without examples brings none: a test counts them.
pub fn examples() -> std::io::Result<Vec<Example>> {
    let mut found = Vec::new();
    for kind in EventType::all() {
        let folder = contracts().join(kind.kind.name()).join(format!("v{}", kind.version));
        let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        paths.sort();
        for path in paths {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            found.push(Example { kind, name, bytes: std::fs::read(&path)?, path });
        }
    }
    Ok(found)
}

/// What of an envelope a test decides.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Event id.
    pub id: EventId,
    /// Campaign.
    pub campaign: CampaignId,
    /// Source.
    pub source: Text,
    /// When it happened.
    pub time: Timestamp,
    /// When a device wrote it down.
    pub recordedtime: Option<Timestamp>,
    /// When ingest took it.
    pub receivedtime: Timestamp,
    /// Import.
    pub import: Option<ImportId>,
}

impl Stamp {
    /// An event of the latest version with this payload.
    pub fn event(&self, data: Data) -> serde_json::Result<Event> {
        let kind = EventType::latest(data.kind());
        let sent = Sent {
            id: self.id,
            kind,
            source: &self.source,
            time: self.time,
            recordedtime: self.recordedtime,
            campaign: &self.campaign,
            import: self.import,
        };
        let envelope = Envelope {
            id: self.id,
            kind,
            source: self.source.clone(),
            time: self.time,
            recordedtime: self.recordedtime,
            receivedtime: self.receivedtime,
            campaign: self.campaign.clone(),
            import: self.import,
            bodyhash: body_hash(&sent, &canonical(&data)?),
        };
        Ok(Event { envelope, data })
    }
}

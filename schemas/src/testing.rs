//! Test support for this crate and its users: the released examples, and events built by hand or at random.
//!
//! Guarantees: an event from here has the body hash of its payload, so it encodes and decodes like one from ingest. Only compiled with
//! the feature `testing`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::{
    encode::{ClientAttributes, body_hash, canonical},
    envelope::{Envelope, Event},
    event::{Data, EventType},
    id::{CampaignId, EventId, ImportId},
    text::Text,
};

pub mod strategies;

/// The folder of JSON Schemas and examples.
pub fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts")
}

/// A released example: an event in structured mode, as stored.
#[derive(Debug, Clone)]
pub struct Example {
    /// Type and version of the event.
    pub kind: EventType,
    /// `smallest`, `fullest` or `odd`, or a name of its own.
    pub name: String,
    /// Path of its file.
    pub path: PathBuf,
    /// The JSON text of the file.
    pub bytes: Vec<u8>,
}

/// All examples of all versions of all types, ordered by path. A test checks that every version has examples.
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

/// The envelope attributes that a test chooses.
#[derive(Debug, Clone)]
pub struct TestEnvelope {
    /// Id of the event.
    pub id: EventId,
    /// Campaign the event belongs to.
    pub campaign: CampaignId,
    /// Which form, import or phone sent it.
    pub source: Text,
    /// When the reported fact happened.
    pub time: Timestamp,
    /// When a device recorded it, if it did.
    pub recordedtime: Option<Timestamp>,
    /// When ingest received it.
    pub receivedtime: Timestamp,
    /// Import the event came with, if any.
    pub import: Option<ImportId>,
}

impl TestEnvelope {
    /// Builds an event of the latest version with this payload.
    pub fn event(&self, data: Data) -> serde_json::Result<Event> {
        let kind = EventType::latest(data.kind());
        let sent = ClientAttributes {
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

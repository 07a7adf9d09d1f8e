//! What a range of records of the log adds to the register's file.

use qamtu_log::{NextOffset, Record};
use qamtu_schemas::{
    Event, Kind, decode, encode,
    id::{BodyHash, EventId},
};

use super::{campaign_data::CampaignData, event_identity::EventIdentity};

/// A row of the table `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterRow {
    /// Id and hashes of the event.
    pub identity: EventIdentity,
    /// Type of the event; not in the file.
    pub kind: Kind,
}

/// A row of the table `event_body`.
#[derive(Debug)]
pub struct EventBodyRow {
    /// Id of the event.
    pub id: EventId,
    /// Hash of its body.
    pub hash: BodyHash,
    /// The event in structured mode, as JSON.
    pub body: Vec<u8>,
}

/// What a range of records adds to the file, written in one transaction.
#[derive(Debug, Default)]
pub struct RegisterUpdate {
    /// Rows of the table `event`.
    pub ids: Vec<RegisterRow>,
    /// Rows of the table `event_body`, which are applied again at the next start.
    pub bodies: Vec<EventBodyRow>,
    /// The events of `bodies`, until they are applied to the memory.
    pub events: Vec<Event>,
    /// The next offset per partition.
    pub next: Vec<NextOffset>,
}

impl RegisterUpdate {
    /// The batch of these records. Records that are no events only advance the offset.
    pub fn of(records: &[Record]) -> Self {
        let mut batch = Self::default();
        for record in records {
            match batch.next.iter_mut().find(|next| next.partition == record.partition) {
                Some(next) => next.offset = record.offset + 1,
                None => batch.next.push(record.partition.next_offset(record.offset + 1)),
            }
            let Some(row) = event_row(record) else { continue };
            let EventIdentity { id, hash, .. } = row.identity;
            batch.ids.push(row);
            if !CampaignData::uses(row.kind) {
                continue;
            }
            let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
            let (Ok(event), Some(value)) = (decode(headers, record.value.as_deref()), &record.value) else { continue };
            if let Ok(body) = encode::structured(&event.envelope, value) {
                batch.bodies.push(EventBodyRow { id, hash, body });
                batch.events.push(event);
            }
        }
        batch
    }

    /// Appends a batch of later records.
    pub fn merge(&mut self, later: Self) {
        self.ids.extend(later.ids);
        self.bodies.extend(later.bodies);
        for next in later.next {
            match self.next.iter_mut().find(|known| known.partition == next.partition) {
                Some(known) => *known = next,
                None => self.next.push(next),
            }
        }
    }
}

/// The row of a record; `None` if it is no event.
pub(super) fn event_row(record: &Record) -> Option<RegisterRow> {
    let (identity, kind) = EventIdentity::of_record(record)?;
    Some(RegisterRow { identity, kind })
}

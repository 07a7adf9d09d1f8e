//! What a range of records of the log adds to the register's file.

use qamtu_log::{NextOffset, Record};
use qamtu_schemas::{
    Data, Event, Kind, decode, encode,
    id::{BodyHash, EventId},
};

use super::{
    campaign_data::{CampaignData, without_voters},
    event_identity::EventIdentity,
};

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
    /// The event in structured mode, as JSON; a roll without its voters.
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
    /// The update of these records. Records that are no events only advance the offset.
    pub fn of(records: &[Record]) -> Self {
        let mut update = Self::default();
        for record in records {
            match update.next.iter_mut().find(|next| next.partition == record.partition) {
                Some(next) => next.offset = record.offset + 1,
                None => update.next.push(record.partition.next_offset(record.offset + 1)),
            }
            let Some(row) = event_row(record) else { continue };
            let EventIdentity { id, hash, .. } = row.identity;
            update.ids.push(row);
            if !CampaignData::uses(row.kind) {
                continue;
            }
            let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
            let Some(value) = &record.value else { continue };
            let Ok(event) = decode(headers, Some(value.as_ref())).map(without_voters) else { continue };
            let body = match &event.data {
                Data::PrecinctEnrolled(roll) => encode::canonical(roll).and_then(|value| encode::structured(&event.envelope, &value)),
                _ => encode::structured(&event.envelope, value),
            };
            if let Ok(body) = body {
                update.bodies.push(EventBodyRow { id, hash, body });
                update.events.push(event);
            }
        }
        update
    }

    /// Appends an update of later records.
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

//! Validates a submission and turns it into an event. Pure: known state and clock are arguments.
//!
//! Guarantees: a validated event was decoded with the function that every reader of the log uses; it references only known codes, holds no
//! raw identifier, and its times are plausible. Whether its id is free is checked afterwards, see [`crate::register::claims`].

use jiff::Timestamp;
use qamtu_log::MAX_ENTRY_BYTES;
use qamtu_schemas::{
    Data, Encoded, Envelope, Event, Kind, decode,
    encode::{self, ClientAttributes},
};

use crate::{
    pii,
    register::{
        campaign_data::{CampaignData, without_voters},
        event_identity::EventIdentity,
    },
    rejection::{Detail, ProblemCode, Rejection, Warning},
    submission::{Submission, decode_rejection, is_safe_to_show, normalization},
};

mod bounds;
mod clock;
mod event_references;
pub mod known_state;
mod look_alikes;
mod references;
mod revision;

pub use clock::plausible as plausible_clock;
pub use event_references::EventReferences;
pub use known_state::KnownState;
pub use revision::{conflict_detail, is_unraised};

/// A valid submission, encoded for the log.
#[derive(Debug)]
pub struct ValidatedEvent {
    /// Id and hashes, to compare the event with others of the same id.
    pub identity: EventIdentity,
    /// Type of the event.
    pub kind: Kind,
    /// Topic, key, headers and payload for the log.
    pub encoded: Encoded,
    /// The event, if its type changes what the register knows.
    pub register_event: Option<Event>,
    /// The events that it replaces or takes back, if any.
    pub event_references: Option<EventReferences>,
    /// The finding that its meeting is unknown.
    pub warning: Option<Warning>,
}

/// Validates a submission whose raw identifiers are already replaced.
pub fn validate(submission: &mut Submission<'_>, known: &KnownState<'_>, now: Timestamp) -> Result<ValidatedEvent, Rejection> {
    look_alikes::check(submission, known)?;
    let mut value = submission.data.canonical();
    let data = decode::payload(submission.kind, &value, "/data")
        .map_err(|error| decode_rejection(error, ProblemCode::UnknownField, ProblemCode::InvalidPayload))?;
    if normalization::remove_nulls(&mut submission.data) {
        value = submission.data.canonical();
    }
    pii::check_text(&submission.source, "/source")?;
    pii::check(&submission.data, "/data")?;
    let synthetic = campaign(submission, &data, known)?;
    let receivedtime = clock::received(submission, synthetic, now)?;
    clock::reported(&data, receivedtime)?;
    let warning = references::check(&data, &submission.campaign, known)?;
    bounds::check(&data, &submission.campaign, known)?;
    let sent = ClientAttributes {
        id: submission.id,
        kind: submission.kind,
        source: &submission.source,
        time: submission.time,
        recordedtime: submission.recordedtime,
        campaign: &submission.campaign,
        import: submission.import,
    };
    let envelope = Envelope {
        id: submission.id,
        kind: submission.kind,
        source: submission.source.clone(),
        time: submission.time,
        recordedtime: submission.recordedtime,
        receivedtime,
        campaign: submission.campaign.clone(),
        import: submission.import,
        bodyhash: encode::body_hash(&sent, &value),
    };
    let kind = data.kind();
    let encoded = sized(encode::encode(&envelope, &data, value))?;
    let identity = EventIdentity::of_encoded(&envelope, &encoded);
    let event_references = EventReferences::of(&data, &encoded.key);
    let register_event = CampaignData::uses(kind).then(|| without_voters(Event { envelope, data }));
    Ok(ValidatedEvent { identity, kind, encoded, register_event, event_references, warning })
}

/// Refuses an unknown campaign, unless the event configures it. Called before the campaign's key is used.
pub fn known_campaign(submission: &Submission<'_>, known: &KnownState<'_>) -> Result<(), Rejection> {
    if submission.kind.kind == Kind::CampaignConfigured || known.config(&submission.campaign).is_some() {
        return Ok(());
    }
    let name = submission.campaign.to_string();
    let detail = if is_safe_to_show(&name) { Detail::CampaignUnknown { name } } else { Detail::CampaignHidden };
    Err(Rejection::new(ProblemCode::UnknownCampaign, detail).at("/campaign"))
}

/// Whether the campaign is synthetic; refuses a configuration that changes this.
fn campaign(submission: &Submission<'_>, data: &Data, known: &KnownState<'_>) -> Result<bool, Rejection> {
    known_campaign(submission, known)?;
    let known = known.config(&submission.campaign).map(|config| config.synthetic);
    let Data::CampaignConfigured(configured) = data else { return Ok(known.unwrap_or(false)) };
    if configured.campaign != submission.campaign {
        return Err(Rejection::new(ProblemCode::InvalidPayload, Detail::OtherCampaign).at("/data/campaign"));
    }
    if known.is_some_and(|known| known != configured.synthetic) {
        return Err(Rejection::new(ProblemCode::SyntheticFixed, Detail::SyntheticFixed).at("/data/synthetic"));
    }
    Ok(configured.synthetic)
}

fn sized(encoded: Encoded) -> Result<Encoded, Rejection> {
    let headers: usize = encoded.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if encoded.key.len() + headers + encoded.value.len() > MAX_ENTRY_BYTES {
        return Err(Rejection::new(ProblemCode::EventTooLarge, Detail::RecordMax { bytes: MAX_ENTRY_BYTES }).at("/data"));
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests;

//! Submission to Event: the judgement. Pure: what is known and what time it is are arguments.
//!
//! Guarantees: an admitted event decodes (it was just decoded by the very function every reader of the log uses), names nothing
//! unknown, holds no raw identifier, and its times make sense. Whether its id is taken is asked afterwards, see
//! [`crate::register::Claims`].

use jiff::Timestamp;
use qamtu_log::MAX_ENTRY_BYTES;
use qamtu_schemas::{
    Data, Encoded, Envelope, Event, Kind, decode,
    encode::{self, Sent},
};

use crate::{
    pii,
    register::{identity::Identity, known::Known},
    rejection::{Detail, Reason, Rejection, Warning},
    submission::{Submission, flaw, is_plain, spelling},
};

mod bounds;
mod clock;
mod look_alikes;
mod named;
mod references;
mod revision;
pub mod scope;

pub use clock::plausible as plausible_clock;
pub use named::Named;
pub use revision::{is_unraised, revision};
pub use scope::Scope;

/// A submission that was taken.
#[derive(Debug)]
pub struct Admitted {
    /// Its id, and what it is compared by with others of that id.
    pub identity: Identity,
    /// Its type.
    pub kind: Kind,
    /// What goes into the log.
    pub encoded: Encoded,
    /// The event, if the register learns from it.
    pub learned: Option<Event>,
    /// The events that it replaces or takes back.
    pub named: Option<Named>,
    /// What is worth saying.
    pub warning: Option<Warning>,
}

/// Judges a submission whose identifiers are replaced already.
pub fn admit(submission: &mut Submission<'_>, scope: &Scope<'_>, now: Timestamp) -> Result<Admitted, Rejection> {
    look_alikes::check(submission, scope)?;
    let mut value = submission.data.canonical();
    let data =
        decode::payload(submission.kind, &value, "/data").map_err(|error| flaw(error, Reason::UnknownField, Reason::InvalidPayload))?;
    if spelling::remove_nulls(&mut submission.data) {
        value = submission.data.canonical();
    }
    pii::check_text(&submission.source, "/source")?;
    pii::check(&submission.data, "/data")?;
    let synthetic = campaign(submission, &data, scope)?;
    let receivedtime = clock::received(submission, synthetic, now)?;
    clock::reported(&data, receivedtime)?;
    let warning = references::check(&data, &submission.campaign, scope)?;
    bounds::check(&data, &submission.campaign, scope)?;
    let sent = Sent {
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
    let identity = Identity::of_encoded(envelope.id, kind, envelope.bodyhash, &encoded);
    let named = Named::of(&data, &encoded.key);
    let learned = Known::learns_from(kind).then_some(Event { envelope, data });
    Ok(Admitted { identity, kind, encoded, learned, named, warning })
}

/// Is the campaign known? Asked before anything is made with its key; the event that configures it need not know it.
pub fn known_campaign(submission: &Submission<'_>, scope: &Scope<'_>) -> Result<(), Rejection> {
    if submission.kind.kind == Kind::CampaignConfigured || scope.config(&submission.campaign).is_some() {
        return Ok(());
    }
    let name = submission.campaign.to_string();
    let detail = if is_plain(&name) { Detail::CampaignUnknown { name } } else { Detail::CampaignHidden };
    Err(Rejection::new(Reason::UnknownCampaign, detail).at("/campaign"))
}

/// Whether the campaign is synthetic; a campaign never changes in this.
fn campaign(submission: &Submission<'_>, data: &Data, scope: &Scope<'_>) -> Result<bool, Rejection> {
    known_campaign(submission, scope)?;
    let known = scope.config(&submission.campaign).map(|config| config.synthetic);
    let Data::CampaignConfigured(configured) = data else { return Ok(known.unwrap_or(false)) };
    if configured.campaign != submission.campaign {
        return Err(Rejection::new(Reason::InvalidPayload, Detail::OtherCampaign).at("/data/campaign"));
    }
    if known.is_some_and(|known| known != configured.synthetic) {
        return Err(Rejection::new(Reason::SyntheticFixed, Detail::SyntheticFixed).at("/data/synthetic"));
    }
    Ok(configured.synthetic)
}

fn sized(encoded: Encoded) -> Result<Encoded, Rejection> {
    let headers: usize = encoded.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if encoded.key.len() + headers + encoded.value.len() > MAX_ENTRY_BYTES {
        return Err(Rejection::new(Reason::EventTooLarge, Detail::RecordMax { bytes: MAX_ENTRY_BYTES }).at("/data"));
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests;

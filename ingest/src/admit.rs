//! Submission to Event: the judgement. Pure: what is known and what time it is are arguments.
//!
//! Guarantees: an admitted event decodes (it was just decoded by the very function every reader of the log uses), names nothing
//! unknown, holds no raw identifier, and its times make sense. Whether its id is taken is asked afterwards, see
//! [`crate::register::Claims`].

use jiff::{SignedDuration, Timestamp};
use qamtu_log::MAX_ENTRY_BYTES;
use qamtu_schemas::{
    Data, Encoded, Envelope, Event, Kind, decode,
    encode::{self, Sent},
    id::{BodyHash, EventId},
    instant::micros,
};

use crate::{
    register::known::Known,
    rejection::{Detail, Reason, Rejection, Warning},
    submission::{Submission, flaw, is_plain},
};

mod bounds;
mod references;
mod revision;
pub mod scope;

pub use revision::revision;
pub use scope::Scope;

/// How far the clocks of devices and of this server may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(24);

/// A submission that was taken.
#[derive(Debug)]
pub struct Admitted {
    /// Its id.
    pub id: EventId,
    /// What was sent, identifiers replaced.
    pub hash: BodyHash,
    /// Its type.
    pub kind: Kind,
    /// What goes into the log.
    pub encoded: Encoded,
    /// The event, if the register learns from it.
    pub learned: Option<Event>,
    /// What is worth saying.
    pub warning: Option<Warning>,
}

/// Judges a submission whose identifiers are replaced already.
pub fn admit(submission: &Submission<'_>, scope: &Scope<'_>, now: Timestamp) -> Result<Admitted, Rejection> {
    let value = submission.data.canonical();
    let data =
        decode::payload(submission.kind, &value, "/data").map_err(|error| flaw(error, Reason::UnknownField, Reason::InvalidPayload))?;
    let synthetic = campaign(submission, &data, scope)?;
    let receivedtime = clock(submission, synthetic, now)?;
    let warning = references::check(&data, &submission.campaign, scope)?;
    bounds::check(&data, &submission.campaign, scope)?;
    let sent = Sent {
        id: submission.id,
        kind: submission.kind,
        source: &submission.source,
        time: submission.time,
        recordedtime: submission.recordedtime,
        campaign: &submission.campaign,
        batch: submission.batch,
    };
    let envelope = Envelope {
        id: submission.id,
        kind: submission.kind,
        source: submission.source.clone(),
        time: submission.time,
        recordedtime: submission.recordedtime,
        receivedtime,
        campaign: submission.campaign.clone(),
        batch: submission.batch,
        bodyhash: encode::body_hash(&sent, &value),
    };
    let (id, hash, kind) = (envelope.id, envelope.bodyhash, data.kind());
    let encoded = sized(encode::encode(&envelope, &data, value))?;
    let learned = Known::learns_from(kind).then_some(Event { envelope, data });
    Ok(Admitted { id, hash, kind, encoded, learned, warning })
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

/// Checks the three times and stamps the third, in microseconds.
fn clock(submission: &Submission<'_>, synthetic: bool, now: Timestamp) -> Result<Timestamp, Rejection> {
    if submission.receivedtime.is_some() && !synthetic {
        return Err(Rejection::new(Reason::SimulatedClock, Detail::ServerStamps).at("/receivedtime"));
    }
    let received = submission.receivedtime.unwrap_or(now);
    let late = |time: Timestamp, than: Timestamp| time.duration_since(than) > CLOCKS_APART;
    // What a campaign is made of may be made known before it is in force.
    let happened = Some(submission.time).filter(|_| !is_foreseen(submission.kind.kind));
    for (name, time) in [("/time", happened), ("/recordedtime", submission.recordedtime)] {
        if time.is_some_and(|time| late(time, received)) {
            return Err(Rejection::new(Reason::FutureTime, Detail::Future).at(name));
        }
    }
    if submission.recordedtime.is_some_and(|recorded| late(submission.time, recorded)) {
        return Err(Rejection::new(Reason::WrongOrder, Detail::RecordedEarly).at("/recordedtime"));
    }
    Ok(micros(received))
}

/// Kinds whose time says from when on they hold, not when something happened.
fn is_foreseen(kind: Kind) -> bool {
    matches!(kind, Kind::CampaignConfigured | Kind::UnitDefined | Kind::CoalitionFormed | Kind::MemberJoined | Kind::VenueDescribed)
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

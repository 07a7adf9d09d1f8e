//! Emits a wrong event and the corrections that replace it.

use jiff::SignedDuration;
use qamtu_schemas::id::EventId;

use super::{
    emitter::{EventEmitter, EventMetadata, ExpectedOutcome, hours},
    meeting::CorrectionPattern,
};
use crate::submission::Payload;

/// Emits a wrong event and its corrections. `then(id, is_last)` returns the correction of event `id`; the last one is right.
pub(super) fn send_with_correction(
    emitter: &mut EventEmitter<'_>,
    metadata: EventMetadata,
    pattern: CorrectionPattern,
    first: Payload,
    then: impl Fn(EventId, bool) -> Payload,
) {
    let original = emitter.id(metadata.recorded);
    match pattern {
        CorrectionPattern::Once => {
            emitter.send_as(original, metadata.clone(), first, ExpectedOutcome::Accepted);
            let later = hours(emitter.rng.between(3, 60));
            emitter.send(metadata.shifted_by(later), then(original, true));
        }
        CorrectionPattern::Twice => {
            emitter.send_as(original, metadata.clone(), first, ExpectedOutcome::Accepted);
            let second = emitter.send(metadata.shifted_by(hours(6)), then(original, false));
            emitter.send(metadata.shifted_by(hours(24)), then(second, true));
        }
        CorrectionPattern::Early => {
            emitter.send(metadata.shifted_by(SignedDuration::from_mins(3)), then(original, true));
            let late = EventMetadata { received: metadata.received + hours(4), ..metadata };
            emitter.send_as(original, late, first, ExpectedOutcome::Accepted);
        }
    }
}

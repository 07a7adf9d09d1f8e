//! Emits headcounts, in the current version of the event or in version 1, and their corrections.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{
    event::{Count, HeadcountRecounted, HeadcountReported, attendance::HeadcountReportedV1},
    id::CounterId,
};

use super::{
    corrections::send_with_correction,
    emitter::{EventEmitter, EventMetadata, form, hours},
    meeting::{Anomaly, GeneratedHeadcount, GeneratedMeeting},
};
use crate::submission::Payload;

/// Emits the headcount as the anomaly requires.
pub(super) fn headcount(emitter: &mut EventEmitter<'_>, meeting: &GeneratedMeeting, at: Timestamp) {
    let Some(headcount) = &meeting.headcount else { return };
    let reported_at = at + SignedDuration::from_mins(emitter.rng.between(-8, 30));
    let metadata = emitter.metadata(&form(emitter, meeting), meeting.report.starts.min(reported_at), reported_at);
    match meeting.anomaly {
        Anomaly::WrongHeadcount(pattern) => {
            let wrong = |factor: u32| {
                let counted = GeneratedHeadcount::by_one_counter(headcount.first * factor + 3);
                GeneratedHeadcount { old_form: headcount.old_form, ..counted }
            };
            send_with_correction(emitter, metadata, pattern, reported(meeting, &wrong(10)), |gone, last| {
                let counted = if last { *headcount } else { wrong(2) };
                HeadcountRecounted {
                    meeting: meeting.id.clone(),
                    supersedes: vec![gone],
                    counts: counts(&counted),
                    eligible_minimum: counted.eligible_minimum,
                    nobody_eligible: counted.nobody_eligible,
                    reason: None,
                }
                .into()
            });
        }
        Anomaly::TwoHeadcounts => {
            emitter.send(metadata.clone(), reported(meeting, &GeneratedHeadcount::by_one_counter(headcount.first + 7)));
            emitter.send(EventMetadata { source: "observer".into(), ..metadata.shifted_by(hours(3)) }, reported(meeting, headcount));
        }
        _ => drop(emitter.send(metadata, reported(meeting, headcount))),
    }
}

/// The counts of one or two counters.
fn counts(headcount: &GeneratedHeadcount) -> Vec<Count> {
    // INVARIANT: constant codes.
    let counter = |name: &str| -> CounterId { name.parse().expect("a counter") };
    let first = Count { counter: counter("1"), people: headcount.first };
    std::iter::once(first).chain(headcount.second.map(|people| Count { counter: counter("2"), people })).collect()
}

/// A headcount as event, in the version that its form has.
pub(super) fn reported(meeting: &GeneratedMeeting, headcount: &GeneratedHeadcount) -> Payload {
    let meeting = meeting.id.clone();
    if headcount.old_form {
        Payload::OldHeadcount(HeadcountReportedV1 { meeting, people: headcount.first })
    } else {
        let GeneratedHeadcount { eligible_minimum, nobody_eligible, .. } = *headcount;
        HeadcountReported { meeting, counts: counts(headcount), eligible_minimum, nobody_eligible }.into()
    }
}

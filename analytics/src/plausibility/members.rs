//! Members who spoke in two units at nearly the same time.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{Doubt, HeldMeeting};
use crate::facts_store::FactsStore;

/// Time between the starts of two meetings that a member needs at least to speak at the first one and to travel to another unit.
const MIN_BETWEEN: SignedDuration = SignedDuration::from_mins(60);

/// Adds a doubt to both meetings of each pair that follow one another.
pub(super) fn find(store: &FactsStore, held: &[HeldMeeting<'_>], doubts: &mut BTreeMap<u32, Vec<Doubt>>) {
    let mut by_member: BTreeMap<u32, Vec<HeldMeeting<'_>>> = BTreeMap::new();
    for meeting in held {
        for member in &meeting.report.members {
            by_member.entry(*member).or_default().push(*meeting);
        }
    }
    for (member, mut meetings) in by_member {
        meetings.sort_by_key(|meeting| (meeting.report.starts, meeting.number));
        for pair in meetings.windows(2) {
            let between = pair[1].report.starts.duration_since(pair[0].report.starts);
            if pair[0].report.unit == pair[1].report.unit || between >= MIN_BETWEEN {
                continue;
            }
            for (meeting, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                let member = store.facts().meetings.members.keys()[member as usize].to_string();
                let minutes = between.as_mins().unsigned_abs();
                doubts.entry(meeting.number).or_default().push(Doubt::ImpossibleTravel { member, other: other.id.clone(), minutes });
            }
        }
    }
}

//! SQL conditions for the records of a [`Selection`].
//!
//! Guarantees: the conditions contain no user text: a campaign id consists of letters, digits and three signs, everything else is a number.

use std::collections::{BTreeMap, BTreeSet};

use qamtu_schemas::{Topic, id::ImportId};

use crate::snapshot_identity::Selection;

/// Ids of the imports that were reversed.
pub(super) type ReversedImports = BTreeSet<ImportId>;

/// Imports that are listed in a condition. A query may have 256 KiB, and lists them four times beside two thousand meetings.
const MAX_LISTED_IMPORTS: usize = 200;

impl Selection {
    /// Condition: the row belongs to the campaign and counts.
    pub(super) fn admits(&self, topic: Topic) -> String {
        format!("{} AND {} AND {}", self.of_campaign(), self.not_after_as_of("received"), self.below_offsets(topic))
    }

    /// Condition: the row belongs to the campaign.
    pub(super) fn of_campaign(&self) -> String {
        format!("campaign = '{}'", self.campaign)
    }

    /// Condition: the instant in this column is not after the as-of instant.
    pub(super) fn not_after_as_of(&self, column: &str) -> String {
        format!("{column} <= fromUnixTimestamp64Micro(toInt64({}))", self.as_of.as_microsecond())
    }

    /// Condition: the record is below the offsets of its topic; false for partitions without an offset.
    pub(super) fn below_offsets(&self, topic: Topic) -> String {
        let (partitions, next): (Vec<String>, Vec<String>) = self
            .offsets
            .iter()
            .filter(|offset| offset.topic == topic.name())
            .map(|offset| (format!("toUInt32({})", offset.partition), format!("toUInt64({})", offset.next)))
            .unzip();
        if partitions.is_empty() {
            return "0".to_owned();
        }
        format!("`offset` < transform(toUInt32(`partition`), [{}], [{}], toUInt64(0))", partitions.join(", "), next.join(", "))
    }

    /// Condition: the record of either topic is below the offsets.
    pub(super) fn below_offsets_of_topics(&self) -> String {
        let [events, roll] = [Topic::Events, Topic::Roll].map(|topic| self.below_offsets(topic));
        format!("((`topic` = 'events' AND {events}) OR (`topic` = 'roll' AND {roll}))")
    }

    /// Condition: the record is below the offsets of events, and not below those of `since`. Each partition is a range of the log copy's key.
    pub(super) fn offsets_from(&self, since: &Self) -> String {
        let events = |selection: &Self| -> BTreeMap<u32, u64> {
            let of_events = selection.offsets.iter().filter(|offset| offset.topic == Topic::Events.name());
            of_events.map(|offset| (offset.partition, offset.next)).collect()
        };
        let from = events(since);
        let ranges: Vec<String> = events(self)
            .into_iter()
            .map(|(partition, next)| (partition, from.get(&partition).copied().unwrap_or(0), next))
            .filter(|(_, from, next)| from < next)
            .map(|(partition, from, next)| format!("(`partition` = {partition} AND `offset` >= {from} AND `offset` < {next})"))
            .collect();
        if ranges.is_empty() { "0".to_owned() } else { format!("({})", ranges.join(" OR ")) }
    }

    /// Condition: the record is the last one of its partition of events below the offsets, if there is no gap before them.
    pub(super) fn last_offsets(&self) -> String {
        let of_events = self.offsets.iter().filter(|offset| offset.topic == Topic::Events.name());
        let last = of_events.filter_map(|offset| Some((offset.partition, offset.next.checked_sub(1)?)));
        let places: Vec<String> = last.map(|(partition, last)| format!("(`partition` = {partition} AND `offset` = {last})")).collect();
        if places.is_empty() { "0".to_owned() } else { format!("({})", places.join(" OR ")) }
    }

    /// Condition: the import of the row was not reversed. `reversed` must be the imports that are reversed in this selection.
    pub(super) fn import_not_reversed(&self, reversed: &ReversedImports) -> String {
        if reversed.is_empty() {
            return "1".to_owned();
        }
        let imports = match reversed.len() <= MAX_LISTED_IMPORTS {
            true => reversed.iter().map(|import| format!("toUUID('{import}')")).collect::<Vec<_>>().join(", "),
            false => format!("SELECT import FROM v_reversed_imports WHERE {}", self.admits(Topic::Events)),
        };
        format!("(import IS NULL OR assumeNotNull(import) NOT IN ({imports}))")
    }

    /// Condition: the import of an attendance was not reversed, it was not retracted, and the consent was not withdrawn.
    pub(super) fn attendance_counts(&self, reversed: &ReversedImports) -> String {
        let is_not_reversed = self.import_not_reversed(reversed);
        let counts = format!("{} AND {is_not_reversed}", self.admits(Topic::Events));
        let retracted = format!("SELECT meeting_id, retracted_id FROM v_attendance_retractions WHERE {counts}");
        let superseded = format!("SELECT person_hi, person_lo, arrayJoin(supersedes) FROM v_consents WHERE kind = 'given' AND {counts}");
        let withdrawn = format!(
            "SELECT person_hi, person_lo FROM v_consents WHERE kind = 'withdrawn' AND {counts} \
             AND (person_hi, person_lo, event_id) NOT IN ({superseded})"
        );
        format!(
            "toUInt8({is_not_reversed} AND (meeting_id, event_id) NOT IN ({retracted}) AND (person_hi, person_lo) NOT IN ({withdrawn}))"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_reversed_imports_are_listed_as_a_query_may_have() {
        let as_of = "2026-03-16T07:00:00Z".parse().expect("an instant");
        let selection = Selection { campaign: "test".parse().expect("a campaign"), offsets: Vec::new(), as_of };
        let imports = |number: usize| -> ReversedImports {
            (0..number).map(|number| format!("00000000-0000-4000-8000-{number:012x}").parse().expect("an import")).collect()
        };
        assert_eq!(selection.import_not_reversed(&imports(0)), "1");
        let listed = selection.attendance_counts(&imports(MAX_LISTED_IMPORTS));
        assert!(!listed.contains("v_reversed_imports") && listed.len() < 128 * 1024, "{}", listed.len());
        let many = selection.import_not_reversed(&imports(MAX_LISTED_IMPORTS + 1));
        assert!(many.contains("SELECT import FROM v_reversed_imports") && !many.contains("toUUID"));
    }
}

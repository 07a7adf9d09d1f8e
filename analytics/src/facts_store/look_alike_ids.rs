//! Meeting ids that people take for one another: they differ only in case, separator, O and 0, or I, L and 1. A meeting sent under two ids
//! counts twice. The view `v_lookalike_meetings` lists them by the same rule.

use std::collections::HashMap;

use qamtu_schemas::id::MeetingId;

/// How many of some different ids look like another one.
pub(super) fn count<'a>(ids: impl Iterator<Item = &'a MeetingId>) -> u64 {
    let mut groups: HashMap<String, u64> = HashMap::new();
    for id in ids {
        *groups.entry(compared_form(id.as_str())).or_default() += 1;
    }
    groups.into_values().filter(|ids| *ids > 1).sum()
}

fn compared_form(id: &str) -> String {
    let compared = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        '_' | '.' => '-',
        other => other,
    };
    id.chars().map(compared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_without_case_separators_and_signs_that_look_the_same() {
        let ids = ["TRK-10", "trk_lO", "TRK.I0", "TRK-11", "TRK10", "KEN-1", "ken.1"];
        let ids: Vec<MeetingId> = ids.iter().map(|id| id.parse().expect("an id")).collect();
        assert_eq!(count(ids.iter()), 5);
    }
}

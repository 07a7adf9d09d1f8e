//! The rows of a slice: sums and people of each group, with bounds and the voters that they are compared to.

use std::collections::BTreeMap;

use super::{
    group_key::GroupKey, meeting_groups::MeetingGroup, people_counts::PeopleCounts, resolved_query::ResolvedQuery, row_voters::RowVoters,
};
use crate::{
    dimension::Dimension,
    facts_store::Catalog,
    figures::{Audience, MeetingFigures, MeetingSums, Residents, bounds},
    reach_status::ReachStatus,
};

/// What a row is about in one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A value, such as a unit's code.
    Value(String),
    /// Meetings or people without a value.
    Without,
    /// All of them. Not the sum of the other rows where people or meetings are in several.
    Total,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceRow<F> {
    /// In the order of [`SliceTable::by`].
    pub keys: Vec<RowKey>,
    /// What the meetings or people of the row amount to.
    pub figures: F,
}

/// Figures of a set of meetings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingRow {
    /// Fulfilment, audience and reach.
    pub figures: MeetingFigures,
    /// Different people.
    pub people: PeopleCounts,
    /// Whether the number of people is known.
    pub status: ReachStatus,
}

/// Figures of a set of people at a set of meetings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Contacts and reach.
    pub residents: Residents,
    /// Different people.
    pub people: PeopleCounts,
    /// Whether the number of people is known.
    pub status: ReachStatus,
}

/// Rows of one kind: the two kinds are compared to different voters, so no table mixes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceRows {
    /// Of meetings.
    Meetings(Vec<SliceRow<MeetingRow>>),
    /// Of people.
    People(Vec<SliceRow<PersonRow>>),
}

/// The result of a slice query. Rows are sorted by key; totals come last.
///
/// By one dimension, without filters on others, there is a row for every value that passes. Otherwise there are rows for those values and
/// pairs that a meeting has or, in a slice of people, an attendance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceTable {
    /// The dimensions that rows are grouped by.
    pub by: Vec<Dimension>,
    /// The rows.
    pub rows: SliceRows,
}

impl SliceTable {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.rows {
            SliceRows::Meetings(rows) => rows.len(),
            SliceRows::People(rows) => rows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Makes the rows of a table. Keys are numbers until the rows are sorted, in the order of [`ResolvedQuery::by`].
pub(crate) fn table(catalog: &Catalog, query: &ResolvedQuery, mut groups: Vec<MeetingGroup>) -> SliceTable {
    add_values_without_meetings(query, &mut groups);
    let mut voters = RowVoters::new(catalog, query);
    let rows = match query.is_of_people {
        false => {
            let mut rows: Vec<_> = groups.into_iter().map(|group| meeting_row(catalog, query, &mut voters, group)).collect();
            rows.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            SliceRows::Meetings(named_rows(query, rows))
        }
        true => {
            let mut rows: Vec<_> = groups.iter().flat_map(|group| person_rows(catalog, query, &mut voters, group)).collect();
            rows.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            SliceRows::People(named_rows(query, rows))
        }
    };
    SliceTable { by: query.by.clone(), rows }
}

/// Replaces numbers by the values of their dimensions.
fn named_rows<F>(query: &ResolvedQuery, rows: Vec<(Vec<GroupKey>, F)>) -> Vec<SliceRow<F>> {
    let name = |(dimension, key): (&Dimension, &GroupKey)| match key {
        GroupKey::Total => RowKey::Total,
        GroupKey::Without => RowKey::Without,
        GroupKey::Value(number) => {
            query.values(*dimension).get(*number as usize).map_or(RowKey::Without, |value| RowKey::Value(value.clone()))
        }
    };
    let row = |(keys, figures): (Vec<GroupKey>, F)| SliceRow { keys: query.by.iter().zip(&keys).map(name).collect(), figures };
    rows.into_iter().map(row).collect()
}

/// Adds a group for each value of the only dimension that no meeting has.
fn add_values_without_meetings(query: &ResolvedQuery, groups: &mut Vec<MeetingGroup>) {
    let ([dimension], true) = (&query.meeting_dimensions[..], query.lists_all_values) else { return };
    let dimension = Dimension::Meeting(*dimension);
    let mut missing = vec![true; query.values(dimension).len()];
    for group in groups.iter() {
        if let [GroupKey::Value(number)] = group.keys[..] {
            missing[number as usize] = false;
        }
    }
    let numbers = missing.iter().enumerate().filter(|(number, missing)| **missing && query.passes(dimension, *number));
    groups.extend(numbers.map(|(number, _)| MeetingGroup {
        keys: vec![GroupKey::Value(number as u32)],
        sums: MeetingSums::default(),
        people: Vec::new(),
    }));
}

fn meeting_row(catalog: &Catalog, query: &ResolvedQuery, voters: &mut RowVoters<'_>, group: MeetingGroup) -> (Vec<GroupKey>, MeetingRow) {
    let people = group.people.first().map_or_else(|| PeopleCounts::none(query.with_frequencies), |(_, people)| *people);
    let region = &catalog.voters.region;
    let reach = bounds::of_meetings(people.reached, &group.sums, voters.of(&group.keys).compared, region);
    let figures = MeetingFigures { fulfilment: group.sums.fulfilment, audience: Audience { reach, ..group.sums.audience } };
    let status = ReachStatus::of_figures(&figures).of_everybody(Some(people.reached), region);
    (group.keys, MeetingRow { figures, people, status })
}

/// One row for each group of people and for each union of groups.
fn person_rows(
    catalog: &Catalog,
    query: &ResolvedQuery,
    voters: &mut RowVoters<'_>,
    group: &MeetingGroup,
) -> Vec<(Vec<GroupKey>, PersonRow)> {
    let figures = MeetingFigures { fulfilment: group.sums.fulfilment.clone(), audience: group.sums.audience.clone() };
    let status_of = |reached| match reached {
        0 => ReachStatus::of_figures(&figures).of_everybody(Some(0), &catalog.voters.region),
        _ => ReachStatus::Identified,
    };
    let mut rows = Vec::new();
    for (person_keys, people) in unions(query, group) {
        let (mut of_meetings, mut of_people) = (group.keys.iter(), person_keys.iter());
        let next = |dimension: &Dimension| match dimension {
            Dimension::Meeting(_) => of_meetings.next(),
            Dimension::Person(_) => of_people.next(),
        };
        let keys: Vec<GroupKey> = query.by.iter().filter_map(next).copied().collect();
        let voters = voters.of(&keys);
        let reach = bounds::of_residents(people.reached, &group.sums.audience, voters.compared, voters.of_places.known());
        let residents = Residents { contacts: people.contacts, reach };
        rows.push((keys, PersonRow { residents, people, status: status_of(people.reached) }));
    }
    rows
}

/// Counts of groups of people and of their unions. A person is in one group of each dimension, so the counts add up.
fn unions(query: &ResolvedQuery, group: &MeetingGroup) -> BTreeMap<Vec<GroupKey>, PeopleCounts> {
    let dimensions = query.person_dimensions.len();
    let nobody = PeopleCounts::none(query.with_frequencies);
    let mut unions = BTreeMap::new();
    if query.with_totals || dimensions == 0 {
        unions.insert(vec![GroupKey::Total; dimensions], nobody);
    }
    if let ([(dimension, groups)], true) = (&query.person_dimensions[..], query.lists_all_values) {
        let shown = (0..groups - 1).filter(|number| query.passes(Dimension::Person(*dimension), *number));
        unions.extend(shown.map(|number| (vec![GroupKey::Value(number as u32)], nobody)));
    }
    for (number, counts) in &group.people {
        let own = query.person_keys(*number);
        for totals in 0..if query.with_totals { 1_u32 << dimensions } else { 1 } {
            let key = own.iter().enumerate().map(|(at, key)| if totals >> at & 1 == 1 { GroupKey::Total } else { *key });
            unions.entry(key.collect()).or_insert(nobody).add(counts);
        }
    }
    unions
}

//! Asks the servers and adds up their answers.

use std::collections::BTreeMap;

use clickhouse::Row;
use futures::future::try_join_all;
use serde::Deserialize;

use super::{
    ClickHouseSlices,
    load::Load,
    sql::{self, NONE},
};
use crate::{
    dimension::{Dimension, MeetingDimension},
    error::AnalyticsError,
    figures::MeetingSums,
    slice::{GroupKey, MeetingGroup, PeopleCounts, ResolvedQuery},
};

#[derive(Row, Deserialize)]
struct SumsRow {
    grouping: u8,
    keys: Vec<u32>,
    sums: Vec<u64>,
    eligible_minimum: u32,
}

#[derive(Row, Deserialize)]
struct PeopleRow {
    grouping: u8,
    keys: Vec<u32>,
    people: Vec<u32>,
    reached: u64,
    contacts: u64,
    first_reached: u64,
    frequencies: Vec<u64>,
}

/// The groups of meetings of a query, with their people.
pub(super) async fn groups(slices: &ClickHouseSlices, load: &Load, query: &ResolvedQuery) -> Result<Vec<MeetingGroup>, AnalyticsError> {
    let (sums, people) = (sql::sums(load.id, query), sql::people(load.id, query));
    let sums = slices.first().rows::<SumsRow>("the sums of a slice", &sums);
    let people = try_join_all(slices.servers.iter().map(|server| server.rows::<PeopleRow>("the people of a slice", &people)));
    let (sums, people) = tokio::try_join!(sums, people)?;
    let groupings = query.groupings();
    // A number that the catalog does not have, or a group without meetings, comes from rows that are not those of the load.
    let damaged = || AnalyticsError::LoadGone { load: load.id };
    let keys_of = |grouping: u8, keys: &[u32]| keys_of(query, groupings.get(usize::from(grouping))?, keys);
    let mut groups = BTreeMap::new();
    for row in &sums {
        let keys = keys_of(row.grouping, &row.keys).ok_or_else(damaged)?;
        groups.insert(keys, (meeting_sums(row), BTreeMap::new()));
    }
    for row in people.iter().flatten().filter(|row| row.reached > 0) {
        let keys = keys_of(row.grouping, &row.keys).ok_or_else(damaged)?;
        let (_, people) = groups.get_mut(&keys).ok_or_else(damaged)?;
        let nobody = PeopleCounts::none(query.with_frequencies);
        let group = query.person_group(&row.people).ok_or_else(damaged)?;
        people.entry(group).or_insert(nobody).add(&counts(row, query));
    }
    let group =
        |(keys, (sums, people)): (_, (_, BTreeMap<usize, PeopleCounts>))| MeetingGroup { keys, sums, people: people.into_iter().collect() };
    Ok(groups.into_iter().map(group).collect())
}

/// Keys in the order of the query's dimensions of meetings; none if there is no such value.
fn keys_of(query: &ResolvedQuery, is_grouped: &[bool], keys: &[u32]) -> Option<Vec<GroupKey>> {
    let mut numbers = keys.iter();
    let key = |(dimension, is_grouped): (&MeetingDimension, &bool)| match (is_grouped, is_grouped.then(|| numbers.next()).flatten()) {
        (false, _) => Some(GroupKey::Total),
        (true, Some(&NONE)) => Some(GroupKey::Without),
        (true, Some(number)) => query.has_value(Dimension::Meeting(*dimension), *number).then_some(GroupKey::Value(*number)),
        (true, None) => None,
    };
    query.meeting_dimensions.iter().zip(is_grouped).map(key).collect()
}

fn meeting_sums(row: &SumsRow) -> MeetingSums {
    let mut sums = MeetingSums { eligible_minimum: row.eligible_minimum.into(), ..MeetingSums::default() };
    for ((_, field), value) in MeetingSums::ALL.iter().zip(&row.sums) {
        *field(&mut sums) = *value;
    }
    sums
}

fn counts(row: &PeopleRow, query: &ResolvedQuery) -> PeopleCounts {
    let mut counts = PeopleCounts {
        reached: row.reached,
        contacts: row.contacts,
        first_reached: row.first_reached,
        ..PeopleCounts::none(query.with_frequencies)
    };
    counts.frequencies.iter_mut().flatten().zip(&row.frequencies).for_each(|(to, from)| *to = *from);
    counts
}

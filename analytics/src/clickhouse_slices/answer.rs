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
    let keys_of = |grouping: u8, keys: &[u32]| keys_of(groupings.get(usize::from(grouping)).map(Vec::as_slice).unwrap_or_default(), keys);
    let mut groups = BTreeMap::new();
    for row in &sums {
        groups.insert(keys_of(row.grouping, &row.keys), (meeting_sums(row), BTreeMap::new()));
    }
    for row in people.iter().flatten().filter(|row| row.reached > 0) {
        // A group without meetings has nobody, so every group is known here if the load is whole.
        let Some((_, people)) = groups.get_mut(&keys_of(row.grouping, &row.keys)) else {
            return Err(AnalyticsError::LoadGone { load: load.id });
        };
        let nobody = PeopleCounts::none(query.with_frequencies);
        people.entry(query.person_group(&row.people)).or_insert(nobody).add(&counts(row, query));
    }
    let group =
        |(keys, (sums, people)): (_, (_, BTreeMap<usize, PeopleCounts>))| MeetingGroup { keys, sums, people: people.into_iter().collect() };
    Ok(groups.into_iter().map(group).collect())
}

/// Keys in the order of the query's dimensions of meetings.
fn keys_of(is_grouped: &[bool], keys: &[u32]) -> Vec<GroupKey> {
    let mut keys = keys.iter();
    let mut key = |is_grouped: &bool| match is_grouped {
        false => GroupKey::Total,
        true => match keys.next() {
            Some(number) if *number != NONE => GroupKey::Value(*number),
            _ => GroupKey::Without,
        },
    };
    is_grouped.iter().map(&mut key).collect()
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

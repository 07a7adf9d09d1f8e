//! A resolved query as SQL. Words are numbers by now, so the text has nothing that a user wrote.
//!
//! A query has a part for each grouping: rows by all dimensions, and totals, which are counted again and never added up.

use uuid::Uuid;

use crate::{
    dimension::{MeetingDimension, PersonDimension},
    slice::ResolvedQuery,
};

/// Number of no meeting and no value.
pub(super) const NONE: u32 = u32::MAX;

/// What is added up over the meetings of each group: columns `grouping`, `keys`, `sums` and `eligible_minimum`.
pub(super) fn sums(load: Uuid, query: &ResolvedQuery) -> String {
    let part = |(number, is_grouped): (usize, Vec<bool>)| {
        let keys = Keys::of(query, &is_grouped);
        format!(
            "SELECT toUInt8({number}) AS grouping, {} AS keys, sumForEach(sums) AS sums, max(eligible_minimum) AS eligible_minimum FROM ({}) {}",
            keys.array(),
            meetings(load, query, &keys, "sums, eligible_minimum", None),
            keys.group_by(&[])
        )
    };
    query.groupings().into_iter().enumerate().map(part).collect::<Vec<_>>().join(" UNION ALL ")
}

/// The people of each group: columns `grouping`, `keys`, `people` (numbers of the groups by each dimension of people), `reached`, `contacts`,
/// `first_reached` and `frequencies`.
pub(super) fn people(load: Uuid, query: &ResolvedQuery) -> String {
    let part = |(number, is_grouped): (usize, Vec<bool>)| {
        let keys = Keys::of(query, &is_grouped);
        let of_people: Vec<&str> = query.person_dimensions.iter().map(|(dimension, _)| dimension.name()).collect();
        let source = attendances(load, query, &keys);
        let columns = format!("toUInt8({number}) AS grouping, {} AS keys, {} AS people", keys.array(), array(&of_people));
        if query.with_frequencies {
            let by_person: Vec<&str> = of_people.iter().copied().chain(["person"]).collect();
            let selected: Vec<&str> = keys.names.iter().map(String::as_str).chain(by_person.iter().copied()).collect();
            format!(
                "SELECT {columns}, count() AS reached, sum(times) AS contacts, sum(first) AS first_reached, \
                 [countIf(times = 1), countIf(times = 2), countIf(times = 3), countIf(times = 4), countIf(times >= 5)] AS frequencies \
                 FROM (SELECT {}, count() AS times, countIf(is_first) AS first FROM {source} {}) {}",
                selected.join(", "),
                keys.group_by(&by_person),
                keys.group_by(&of_people)
            )
        } else {
            format!(
                "SELECT {columns}, toUInt64(groupBitmap(person)) AS reached, count() AS contacts, countIf(is_first) AS first_reached, \
                 emptyArrayUInt64() AS frequencies FROM {source} {}",
                keys.group_by(&of_people)
            )
        }
    };
    query.groupings().into_iter().enumerate().map(part).collect::<Vec<_>>().join(" UNION ALL ")
}

/// The attendances of the meetings and people that pass, with the keys of their meetings.
fn attendances(load: Uuid, query: &ResolvedQuery, keys: &Keys) -> String {
    let of_people = |dimension: PersonDimension| {
        query.person_filter(dimension).map(|passing| format!(" AND {} IN ({})", dimension.name(), numbers(passing)))
    };
    let conditions: String = PersonDimension::ALL.into_iter().filter_map(of_people).collect();
    // Every attendance is at a counted meeting. Rows of plans have no number, so filters choose meetings by their reports.
    let of_meetings = match query.meeting_filters.is_empty() {
        true => String::new(),
        false => format!(" AND meeting IN (SELECT meeting FROM slice_meetings WHERE load = '{load}'{})", filters(query)),
    };
    let join = match keys.names.is_empty() {
        true => String::new(),
        false => {
            let counted = format!("meeting != {NONE}");
            format!(" ALL INNER JOIN ({}) AS meetings USING (meeting)", meetings(load, query, keys, "meeting", Some(&counted)))
        }
    };
    format!("slice_attendance{join} WHERE load = '{load}'{of_meetings}{conditions}")
}

/// The meetings that pass, with their keys and some columns. A meeting is repeated for each of its values.
fn meetings(load: Uuid, query: &ResolvedQuery, keys: &Keys, columns: &str, condition: Option<&str>) -> String {
    let condition = condition.map(|condition| format!(" AND {condition}")).unwrap_or_default();
    let keys: String = keys
        .names
        .iter()
        .zip(&keys.dimensions)
        .map(|(name, dimension)| {
            let values = column(*dimension);
            format!(", arrayJoin(if(empty({values}), [toUInt32({NONE})], {values})) AS {name}")
        })
        .collect();
    format!("SELECT {columns}{keys} FROM slice_meetings WHERE load = '{load}'{condition}{}", filters(query))
}

/// The conditions on meetings.
fn filters(query: &ResolvedQuery) -> String {
    let passes =
        |(dimension, passing): &(MeetingDimension, Vec<bool>)| format!(" AND hasAny({}, [{}])", column(*dimension), numbers(passing));
    query.meeting_filters.iter().map(passes).collect()
}

/// The values of a dimension of meetings.
fn column(dimension: MeetingDimension) -> String {
    format!("dimensions[{}]", dimension as usize + 1)
}

/// The numbers that pass, separated by commas; that of no value if none does.
fn numbers(passing: &[bool]) -> String {
    let numbers: Vec<String> = passing.iter().zip(0_u32..).filter(|(passes, _)| **passes).map(|(_, number)| number.to_string()).collect();
    let numbers = if numbers.is_empty() { vec![NONE.to_string()] } else { numbers };
    numbers.join(", ")
}

fn array(columns: &[&str]) -> String {
    if columns.is_empty() { "emptyArrayUInt32()".to_owned() } else { format!("[{}]", columns.join(", ")) }
}

/// The dimensions of meetings that one part groups by.
struct Keys {
    dimensions: Vec<MeetingDimension>,
    names: Vec<String>,
}

impl Keys {
    fn of(query: &ResolvedQuery, is_grouped: &[bool]) -> Self {
        let grouped = query.meeting_dimensions.iter().zip(is_grouped).filter(|(_, is_grouped)| **is_grouped);
        let dimensions: Vec<MeetingDimension> = grouped.map(|(dimension, _)| *dimension).collect();
        Self { names: dimensions.iter().map(|dimension| format!("key_{}", dimension.name())).collect(), dimensions }
    }

    fn array(&self) -> String {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        array(&names)
    }

    fn group_by(&self, others: &[&str]) -> String {
        let columns: Vec<&str> = self.names.iter().map(String::as_str).chain(others.iter().copied()).collect();
        if columns.is_empty() { String::new() } else { format!("GROUP BY {}", columns.join(", ")) }
    }
}

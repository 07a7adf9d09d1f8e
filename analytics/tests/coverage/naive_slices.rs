//! A naive count of slices by sets, which shares no counting code with the product.

use std::collections::{BTreeMap, BTreeSet};

use qamtu_analytics::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    slice::RowKey,
    slice_query::{Filter, SliceQuery},
};
use serde_json::Value;

use crate::{
    random_meetings::{Meeting, Place, Values},
    world::{birth_band, sex},
};

/// What the naive count has of a row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Naive {
    pub planned: u64,
    pub held: u64,
    pub gross: u64,
    pub weak: u64,
    pub unidentified: u64,
    pub reached: u64,
    pub contacts: u64,
    pub first_reached: u64,
    pub frequencies: [u64; 5],
}

impl Naive {
    /// Upper bound of the people at meetings: no more than the 220 voters of the region.
    pub fn upper(&self) -> u64 {
        self.reached.max((self.reached + self.unidentified).min(220))
    }
}

/// A plan or a report that was stored, with its attendees on the roll if it is a report.
pub struct Side<'a> {
    pub meeting: usize,
    pub values: Values,
    pub is_report: bool,
    pub source: &'a Meeting,
    pub people: BTreeSet<u64>,
}

fn residence(person: u64) -> &'static str {
    match person {
        1..=5 => "A-1",
        6 | 7 => "A-2",
        _ => "B-1",
    }
}

pub fn person_value(person: u64, dimension: PersonDimension) -> Option<String> {
    let value = match dimension {
        PersonDimension::Residence => residence(person).to_owned(),
        PersonDimension::ResidenceUnit => residence(person)[..1].to_owned(),
        PersonDimension::Birth => match birth_band(person) {
            0 => return None,
            band => format!("{band}-{}", band + 4),
        },
        PersonDimension::Sex => match serde_json::to_value(sex(person)).expect("a sex") {
            Value::String(sex) if sex != "u" => sex,
            _ => return None,
        },
    };
    Some(value)
}

pub fn sides(meetings: &[Meeting]) -> Vec<Side<'_>> {
    let side = |meeting: usize, source: &'_ Meeting, place: &Place, is_report: bool| {
        let mut values = place.values();
        let recorded = source.people.iter().collect::<BTreeSet<_>>().len();
        let evidence = match (source.heads, recorded) {
            (Some(_), 0) => "headcount",
            (Some(_), _) => "headcount+list",
            (None, 0) => "none",
            (None, _) => "list",
        };
        values.insert("evidence", if is_report { vec![evidence.to_owned()] } else { Vec::new() });
        values.insert("meeting", vec![format!("m{meeting:02}")]);
        (meeting, values, is_report)
    };
    let mut sides = Vec::new();
    for (number, source) in meetings.iter().enumerate() {
        let people: BTreeSet<u64> =
            source.people.iter().filter(|(person, strong)| *strong && *person <= 10).map(|(person, _)| *person).collect();
        for (place, is_report) in source.plan.iter().map(|plan| (plan, false)).chain(source.report.iter().map(|report| (report, true))) {
            let (meeting, values, is_report) = side(number, source, place, is_report);
            let people = if is_report { people.clone() } else { BTreeSet::new() };
            sides.push(Side { meeting, values, is_report, source, people });
        }
    }
    sides
}

/// Whether one of the values passes a filter.
pub fn passes(filter: &Filter, values: &[String]) -> bool {
    let text = filter.to_string();
    let (at_least, at_most) = (text.contains(">="), text.contains("<="));
    values.iter().any(|value| {
        let compare = |bound: &String| {
            if at_least {
                value >= bound
            } else if at_most {
                value <= bound
            } else {
                value == bound
            }
        };
        filter.values.iter().any(compare)
    })
}

fn matches_key(key: &RowKey, values: &[String]) -> bool {
    match key {
        RowKey::Total => true,
        RowKey::Without => values.is_empty(),
        RowKey::Value(value) => values.contains(value),
    }
}

/// Counts the meetings and people that have the keys of a row and pass all filters.
pub fn naive(sides: &[Side<'_>], query: &SliceQuery, keys: &[RowKey]) -> Naive {
    let of_meeting = |side: &&Side<'_>| {
        let values = |dimension: MeetingDimension| side.values[dimension.name()].as_slice();
        let filtered = query.filters.iter().all(|filter| match filter.dimension {
            Dimension::Meeting(dimension) => passes(filter, values(dimension)),
            Dimension::Person(_) => true,
        });
        filtered
            && query.by.iter().zip(keys).all(|(by, key)| match by {
                Dimension::Meeting(dimension) => matches_key(key, values(*dimension)),
                Dimension::Person(_) => true,
            })
    };
    let of_person = |person: &&u64| {
        let values = |dimension| Vec::from_iter(person_value(**person, dimension));
        let filtered = query.filters.iter().all(|filter| match filter.dimension {
            Dimension::Person(dimension) => passes(filter, &values(dimension)),
            Dimension::Meeting(_) => true,
        });
        filtered
            && query.by.iter().zip(keys).all(|(by, key)| match by {
                Dimension::Person(dimension) => matches_key(key, &values(*dimension)),
                Dimension::Meeting(_) => true,
            })
    };
    let mut first: BTreeMap<u64, (String, usize)> = BTreeMap::new();
    for side in sides.iter().filter(|side| side.is_report) {
        for person in &side.people {
            let at = (side.values["day"][0].clone(), side.meeting);
            first.entry(*person).and_modify(|earliest| *earliest = at.clone().min(earliest.clone())).or_insert(at);
        }
    }
    let mut naive = Naive::default();
    let mut times: BTreeMap<u64, usize> = BTreeMap::new();
    for side in sides.iter().filter(of_meeting) {
        naive.planned += u64::from(!side.is_report);
        naive.held += u64::from(side.is_report);
        if side.is_report {
            let recorded = side.source.people.iter().collect::<BTreeSet<_>>();
            naive.gross += u64::from(side.source.heads.unwrap_or(0)).max(recorded.len() as u64);
            let identified = recorded.iter().filter(|(_, strong)| *strong).count() as u64;
            naive.unidentified += u64::from(side.source.heads.unwrap_or(0)).max(recorded.len() as u64) - identified;
            naive.weak += recorded.iter().filter(|(_, strong)| !strong).count() as u64;
        }
        for person in side.people.iter().filter(of_person) {
            *times.entry(*person).or_default() += 1;
            naive.contacts += 1;
            naive.first_reached += u64::from(first[person].1 == side.meeting);
        }
    }
    naive.reached = times.len() as u64;
    times.values().for_each(|times| naive.frequencies[(*times).min(5) - 1] += 1);
    naive
}

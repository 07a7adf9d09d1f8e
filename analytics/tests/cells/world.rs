//! Small random campaigns of people and meetings, counted by brute force.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sample;

/// A person: residence, and the meetings they came to.
pub type Person = (usize, BTreeSet<usize>);

/// A meeting and who was there beside the people of the world.
#[derive(Debug, Clone)]
pub struct Meeting {
    pub unit: usize,
    pub week: usize,
    /// Held by the coalition of the whole region, not by its unit's.
    pub regional: bool,
    /// Its first audience, and another one.
    pub categories: (usize, Option<usize>),
    /// Strongly identified people from outside.
    pub outside: u64,
    /// Number of weakly identified people.
    pub weak: u64,
    /// Strongly identified people who did not state their age or home.
    pub unstated: u64,
    /// Heads beyond the list, if somebody counted them. None of them are beyond it where the headcount is no more than the list.
    pub heads: Option<u64>,
}

impl Meeting {
    /// Of the first week and audience, at which only eligible people came.
    pub fn of(unit: usize, regional: bool) -> Self {
        Self { unit, week: 0, regional, categories: (0, None), outside: 0, weak: 0, unstated: 0, heads: None }
    }

    pub fn is_for(&self, category: usize) -> bool {
        self.categories.0 == category || self.categories.1 == Some(category)
    }
}

/// A small campaign whose true counts are known.
#[derive(Debug, Clone)]
pub struct World {
    pub units: usize,
    pub meetings: Vec<Meeting>,
    pub people: Vec<Person>,
}

/// What is true of some meetings.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    pub held: u64,
    pub headcounts: u64,
    pub contacts: u64,
    pub reached: u64,
    pub outside: u64,
    pub weak: u64,
    pub unstated: u64,
    /// People who were counted only.
    pub extra: u64,
}

impl Truth {
    pub fn gross(&self) -> u64 {
        self.contacts + self.outside + self.weak + self.unstated + self.extra
    }
}

pub const WEEKS: usize = 3;
pub const CATEGORIES: [&str; 3] = ["AGRO", "LARGE_FAMILY", "STUDENT"];

fn meetings(units: usize, many: usize) -> impl Strategy<Value = Vec<Meeting>> {
    // In half of the worlds no meeting has a second audience, so that categories share the meetings out.
    (any::<bool>(), prop::sample::select(vec![3u64, 14, 40])).prop_flat_map(move |(overlap, most)| {
        let second = prop::option::weighted(0.4, 0..CATEGORIES.len()).prop_map(move |second| second.filter(|_| overlap));
        // Few people leave their age or home out, where any do; many heads are beyond a list, a few or none.
        let unstated = prop_oneof![3 => Just(0), 1 => 0..=most];
        let heads = prop::option::weighted(0.6, prop::sample::select(vec![0u64, 0, 1, 4, 9, 12, 20, 20]));
        let people = (0..=most, 0..=most, unstated);
        let meeting = (0..units, 0..WEEKS, prop::bool::weighted(0.4), (0..CATEGORIES.len(), second), people, heads);
        let meeting = meeting.prop_map(|(unit, week, regional, categories, (outside, weak, unstated), heads)| Meeting {
            unit,
            week,
            regional,
            categories,
            outside,
            weak,
            unstated,
            heads,
        });
        prop::collection::vec(meeting, many)
    })
}

pub fn worlds() -> impl Strategy<Value = World> {
    (2..5usize, 2..7usize).prop_flat_map(|(units, many)| {
        let person = (0..units, prop::collection::btree_set(0..many, 1..3));
        (meetings(units, many), prop::collection::vec(person, 0..150)).prop_map(move |(meetings, people)| World { units, meetings, people })
    })
}

/// Campaigns in which most counts of a meeting are zero, small, or just large enough. Shown zeros help the attacker most.
pub fn sparse() -> impl Strategy<Value = World> {
    let size = || prop::sample::select(vec![0u64, 0, 0, 0, 1, 3, 9, 12, 20]);
    (2..5usize, 2..7usize).prop_flat_map(move |(units, many)| {
        let crowds = prop::collection::vec((0..units, size(), size(), size(), size()), many);
        (meetings(units, many), crowds).prop_map(move |(mut meetings, crowds)| {
            let mut people: Vec<Person> = Vec::new();
            for (place, (home, eligible, outside, weak, unstated)) in crowds.into_iter().enumerate() {
                let meeting = &mut meetings[place];
                (meeting.outside, meeting.weak, meeting.unstated) = (outside, weak, unstated);
                people.extend((0..eligible).map(|_| (home, BTreeSet::from([place]))));
            }
            World { units, meetings, people }
        })
    })
}

impl World {
    pub fn at(&self, wanted: impl Fn(&Meeting) -> bool) -> Truth {
        let visits = |person: &Person| person.1.iter().filter(|meeting| wanted(&self.meetings[**meeting])).count() as u64;
        let held: Vec<&Meeting> = self.meetings.iter().filter(|meeting| wanted(meeting)).collect();
        Truth {
            held: held.len() as u64,
            headcounts: held.iter().filter(|meeting| meeting.heads.is_some()).count() as u64,
            contacts: self.people.iter().map(visits).sum(),
            reached: self.people.iter().filter(|person| visits(person) > 0).count() as u64,
            outside: held.iter().map(|meeting| meeting.outside).sum(),
            weak: held.iter().map(|meeting| meeting.weak).sum(),
            unstated: held.iter().map(|meeting| meeting.unstated).sum(),
            extra: held.iter().filter_map(|meeting| meeting.heads).sum(),
        }
    }

    pub fn residents(&self, unit: usize) -> u64 {
        self.people.iter().filter(|person| person.0 == unit).count() as u64
    }

    pub fn first_week(&self, person: &Person) -> usize {
        person.1.iter().map(|meeting| self.meetings[*meeting].week).min().unwrap_or(0)
    }

    fn meeting_figures(&self, wanted: impl Fn(&Meeting) -> bool) -> Value {
        let truth = self.at(wanted);
        let Truth { held, contacts, reached, outside, weak, unstated, extra, .. } = truth;
        let (gross, unidentified) = (truth.gross(), weak + unstated + extra);
        let figures = sample::Figures { planned: held, held, gross, identified: contacts + outside, contacts, reached, weak, unidentified };
        let mut row = figures.meeting_figures(5_000);
        row["audience"]["headcount_meetings"] = json!(truth.headcounts);
        row["audience"]["unstated"] = json!(unstated);
        row
    }

    pub fn coverage(&self) -> Value {
        let mut coverage = sample::coverage();
        let mut frequencies = [0u64; 5];
        self.people.iter().for_each(|person| frequencies[person.1.len().min(5) - 1] += 1);
        coverage["region"] = json!({"figures": self.meeting_figures(|_| true), "frequencies": frequencies, "attendance_without_report": 0, "ceiling": 5_000});
        let names = coverage["units"][0]["names"].clone();
        let unit = |unit: usize| {
            let contacts: usize = self.people.iter().filter(|person| person.0 == unit).map(|person| person.1.len()).sum();
            let reached = self.residents(unit);
            json!({
                "unit": format!("U{unit}"), "names": names, "kind": "city", "tile": {"row": 0, "column": unit},
                "figures": self.meeting_figures(|meeting| meeting.unit == unit),
                "residents": {"contacts": contacts, "reach": sample::reach(reached, reached + 20, 5_000)},
            })
        };
        let local = |unit: usize| {
            let figures = self.meeting_figures(|meeting| meeting.unit == unit && !meeting.regional);
            json!({"coalition": format!("U{unit}"), "names": names, "unit": format!("U{unit}"), "figures": figures})
        };
        let regional =
            json!({"coalition": "regional", "names": names, "unit": null, "figures": self.meeting_figures(|meeting| meeting.regional)});
        let category = |(place, code): (usize, &&str)| json!({"category": code, "names": names, "figures": self.meeting_figures(|meeting| meeting.is_for(place))});
        let units: Vec<Value> = (0..self.units).map(unit).collect();
        let coalitions: Vec<Value> = (0..self.units).map(local).chain([regional]).collect();
        let categories: Vec<Value> = CATEGORIES.iter().enumerate().map(category).collect();
        coverage["units"] = json!(units);
        coverage["coalitions"] = json!(coalitions);
        coverage["categories"] = json!(categories);
        coverage["weeks"] = self.weeks();
        coverage
    }

    fn weeks(&self) -> Value {
        let mut to_date = 0;
        (0..WEEKS)
            .map(|week| {
                let first = self.people.iter().filter(|person| self.first_week(person) == week).count() as u64;
                to_date += first;
                json!({
                    "week": format!("2026-W{:02}", week + 7), "monday": "2026-02-09", "first_reached": first, "reached_to_date": to_date,
                    "figures": self.meeting_figures(|meeting| meeting.week == week),
                })
            })
            .collect()
    }
}

/// Worlds that grow meeting by meeting: most people come to one meeting of their own unit, some to an earlier one too, and now and then
/// only a few come.
pub fn growing() -> impl Strategy<Value = World> {
    let size = || prop::sample::select(vec![0usize, 0, 12, 30, 30, 45]);
    (2..4usize, 2..5usize).prop_flat_map(move |(units, many)| {
        let crowds = prop::collection::vec((size(), size(), prop::sample::select(vec![0usize, 0, 0, 12, 3])), many);
        (meetings(units, many), crowds).prop_map(move |(mut meetings, crowds)| {
            let mut people: Vec<Person> = Vec::new();
            for (place, (alone, neighbours, again)) in crowds.into_iter().enumerate() {
                let home = meetings[place].unit;
                meetings[place].outside = if meetings[place].outside < 10 { 0 } else { meetings[place].outside };
                meetings[place].weak = if meetings[place].weak < 10 { 0 } else { meetings[place].weak };
                meetings[place].unstated = if meetings[place].unstated < 10 { 0 } else { meetings[place].unstated };
                people.iter_mut().take(again).for_each(|person| {
                    person.1.insert(place);
                });
                people.extend((0..alone).map(|_| (home, BTreeSet::from([place]))));
                people.extend((0..neighbours).map(|_| ((home + 1) % units, BTreeSet::from([place]))));
            }
            World { units, meetings, people }
        })
    })
}

impl World {
    /// The world before its last meetings: only so many of them are known.
    pub fn until(&self, meetings: usize) -> Self {
        let attended = |person: &Person| (person.0, person.1.iter().copied().filter(|meeting| *meeting < meetings).collect());
        let people = self.people.iter().map(attended).filter(|person: &Person| !person.1.is_empty()).collect();
        Self { units: self.units, meetings: self.meetings[..meetings].to_vec(), people }
    }
}

//! Random meetings with every dimension.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::subsequence};
use serde_json::{Value, json};

use crate::world::World;

/// The dimensions of a plan or report, as lists of values.
pub type Values = BTreeMap<&'static str, Vec<String>>;

#[derive(Debug, Clone)]
pub struct Place {
    pub unit: &'static str,
    pub precinct: Option<&'static str>,
    pub coalition: &'static str,
    pub categories: Vec<&'static str>,
    pub format: &'static str,
    pub language: &'static str,
    pub members: Vec<&'static str>,
    pub day: usize,
}

#[derive(Debug, Clone)]
pub struct Meeting {
    pub plan: Option<Place>,
    pub report: Option<Place>,
    pub heads: Option<u32>,
    /// Person, and whether they are strongly identified. People above 10 are not on the roll.
    pub people: Vec<(u64, bool)>,
}

const DAYS: [(&str, &str); 5] = [
    ("2026-02-16", "2026-W08"),
    ("2026-02-20", "2026-W08"),
    ("2026-02-23", "2026-W09"),
    ("2026-03-13", "2026-W11"),
    ("2026-03-14", "2026-W11"),
];
const MEMBERS: [(&str, Option<&str>); 4] = [("M1", Some("P1")), ("M2", Some("P1")), ("M3", Some("P2")), ("M4", None)];

fn place() -> impl Strategy<Value = Place> {
    let host = (prop::sample::select(vec!["A", "B"]), prop::option::of(prop::sample::select(vec!["A-1", "A-2", "B-1"])));
    let audience = subsequence(vec!["ELDER", "STAFF", "YOUTH"], 1..=3);
    let manner = (prop::sample::select(vec!["HALL", "YARD"]), prop::sample::select(vec!["kk", "ru"]));
    let members = subsequence(MEMBERS.map(|(member, _)| member).to_vec(), 0..=3);
    (host, prop::sample::select(vec!["CA", "R"]), audience, manner, members, 0..DAYS.len()).prop_map(
        |((unit, precinct), coalition, categories, (format, language), members, day)| Place {
            unit,
            precinct,
            coalition,
            categories,
            format,
            language,
            members,
            day,
        },
    )
}

pub fn meeting() -> impl Strategy<Value = Meeting> {
    let people = proptest::collection::vec((1..14_u64, prop::bool::weighted(0.85)), 0..14);
    let report = prop::option::weighted(0.85, place());
    (prop::option::of(place()), report, prop::option::of(0..30_u32), people).prop_map(|(plan, report, heads, people)| Meeting {
        plan,
        report,
        heads,
        people,
    })
}

impl Place {
    fn json(&self) -> Value {
        let mut place = World::place_of(self.unit, self.coalition, &self.categories, &format!("{}T07:00:00Z", DAYS[self.day].0));
        place["format"] = json!(self.format);
        place["language"] = json!(self.language);
        place["members"] = json!(self.members);
        if let Some(precinct) = self.precinct {
            place["precinct"] = json!(precinct);
        }
        place
    }

    pub fn values(&self) -> Values {
        let one = |value: &str| vec![value.to_owned()];
        let several = |values: BTreeSet<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let parties = self.members.iter().filter_map(|member| MEMBERS.iter().find(|(id, _)| id == member)?.1);
        BTreeMap::from([
            ("unit", one(self.unit)),
            ("precinct", self.precinct.iter().map(|precinct| (*precinct).to_owned()).collect()),
            ("coalition", one(self.coalition)),
            ("category", several(self.categories.iter().copied().collect())),
            ("format", one(self.format)),
            ("language", one(self.language)),
            ("member", several(self.members.iter().copied().collect())),
            ("party", several(parties.collect())),
            ("day", one(DAYS[self.day].0)),
            ("week", one(DAYS[self.day].1)),
        ])
    }
}

pub fn world(meetings: &[Meeting]) -> World {
    let mut world = World::new();
    for (member, party) in MEMBERS {
        let mut data = json!({"member": member, "revision": 1, "coalition": "CA"});
        if let Some(party) = party {
            data["party"] = json!(party);
        }
        world.event("member.joined", data);
    }
    for (number, meeting) in meetings.iter().enumerate() {
        let id = format!("m{number:02}");
        if let Some(plan) = &meeting.plan {
            world.planned(&id, plan.json());
        }
        if let Some(report) = &meeting.report {
            world.held(&id, report.json());
        }
        if let Some(heads) = meeting.heads {
            world.heads(&id, &[heads], None);
        }
        for (person, strong) in &meeting.people {
            if *strong { world.strong(&id, [*person]) } else { world.weak(&id, [*person]) }
        }
    }
    world
}

/// A meeting with every format, language and member that filters name.
pub fn everything() -> Meeting {
    let place = |format, language| Place {
        unit: "A",
        precinct: None,
        coalition: "CA",
        categories: vec!["YOUTH"],
        format,
        language,
        members: MEMBERS.map(|(member, _)| member).to_vec(),
        day: 0,
    };
    Meeting { plan: Some(place("YARD", "ru")), report: Some(place("HALL", "kk")), heads: None, people: vec![(3, true)] }
}

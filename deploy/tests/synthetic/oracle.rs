//! The figures of the oracle agree with each other and with the fold of the events.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use qamtu::submission::Identifier;
use qamtu_schemas::{
    Status,
    event::{Person, PseudonymStrength, Report},
    id::Pseudonym,
};
use serde_json::Value;

use crate::{
    assert_within, campaign, figure, full,
    observed::{ObservedMeeting, is_lawful, observed, pseudonym},
};

fn rows(list: &str) -> &'static [Value] {
    full().oracle.figures[list].as_array().unwrap()
}

#[test]
fn every_unit_has_meetings_and_every_list_is_complete() {
    assert_eq!((rows("units").len(), rows("categories").len()), (17, 18));
    for unit in rows("units") {
        assert!(unit["held"].as_u64() > Some(50) && unit["reached"].as_u64() > Some(1_000), "{unit}");
        assert!(unit["reached"].as_u64() <= unit["lower"].as_u64() && unit["lower"].as_u64() <= unit["upper"].as_u64(), "{unit}");
        assert!(unit["reached"].as_u64() <= unit["contacts"].as_u64(), "{unit}");
        assert!(unit["residents_reached"].as_u64() <= unit["residents_contacts"].as_u64(), "{unit}");
    }
    let sum = |list: &str, field: &str| rows(list).iter().map(|row| row[field].as_u64().unwrap()).sum::<u64>();
    for field in ["held", "gross", "contacts"] {
        assert_eq!(sum("units", field), sum("coalitions", field), "{field} by unit and by coalition");
        assert_eq!(sum("units", field), sum("weeks", field), "{field} by unit and by week");
    }
    assert_eq!(sum("units", "planned"), 1_959);
    assert_eq!(sum("coalitions", "planned"), 1_959);
    assert_eq!(sum("units", "voters"), 1_195_000);
    assert_eq!(sum("units", "residents_reached"), figure("/audience/reached"));
    assert_eq!(sum("units", "residents_contacts"), figure("/audience/contacts"));
    assert!(sum("units", "reached") > figure("/audience/reached"), "nobody attends outside their unit");
}

#[test]
fn figures_agree_with_each_other() {
    let audience = |name: &str| figure(&format!("/audience/{name}"));
    assert!(audience("reached") <= audience("contacts") && audience("contacts") <= audience("identified"));
    assert_eq!(audience("outside"), audience("identified") - audience("contacts"));
    assert!(audience("identified") + audience("weak") <= audience("gross"));
    assert_eq!(audience("upper"), audience("reached") + audience("unidentified"));
    let frequencies: Vec<u64> = rows("frequencies").iter().filter_map(Value::as_u64).collect();
    assert_eq!(frequencies.iter().sum::<u64>(), audience("reached"));
    assert_within("seen five times or more", frequencies[4], 150..=3_000);
    let plan = |name: &str| figure(&format!("/plan/{name}"));
    assert!(plan("held_planned") <= plan("due") && plan("due") + plan("cancelled") <= plan("planned"));
    // A held meeting is planned, extra, on an unlawful day, or was moved to a day on which nothing is due.
    let moved = |meeting: &ObservedMeeting| {
        let lawful = |report: &Report| is_lawful(report.starts);
        meeting.state.starts.is_some_and(|starts| !is_lawful(starts)) && meeting.state.report.as_ref().is_some_and(lawful)
    };
    assert_eq!(plan("held"), plan("held_planned") + plan("held_extra") + plan("unlawful") + observed().count(moved));
    assert_within("share of voters reached, permille", audience("reached") * 1_000 / 1_195_000, 60..=120);
    assert_within("meetings with nobody eligible", plan("nobody_eligible"), 5..=40);
    assert_within("precincts without a meeting", figure("/precincts_without_meeting"), 25..=60);
}

fn nobody_eligible(meeting: &ObservedMeeting) -> bool {
    meeting.state.headcount.is_some_and(|heads| heads.nobody_eligible)
}

/// The people of a held meeting who are recorded and have not withdrawn consent; none if only heads may be counted, or nobody was eligible.
fn people(meeting: &ObservedMeeting) -> BTreeSet<Person> {
    if meeting.is_revealing(&campaign().revealing()) || nobody_eligible(meeting) {
        return BTreeSet::new();
    }
    let attendees = meeting.state.attendance.values().map(|line| line.attendee);
    attendees.filter(|person| !observed().withdrawn.contains(&person.id)).collect()
}

/// Independent of the oracle: folds all events with the contract's fold.
#[test]
fn the_oracle_agrees_with_the_fold_of_the_events() {
    let roll: HashSet<Pseudonym> = full().roll.iins().iter().map(|iin| pseudonym(&Identifier::Iin(*iin))).collect();
    let (mut gross, mut identified, mut contacts, mut weak, mut uncounted) = (0, 0, 0, 0, 0);
    let mut reached: HashSet<Pseudonym> = HashSet::new();
    let mut held_by: BTreeMap<(&str, String), u64> = BTreeMap::new();
    let meetings = observed().meetings.values();
    for meeting in meetings.clone().filter(|meeting| meeting.state.status == Status::Held) {
        let people = people(meeting);
        let strong: Vec<&Person> = people.iter().filter(|person| person.strength == PseudonymStrength::Strong).collect();
        let eligible = strong.iter().filter(|person| roll.contains(&person.id));
        let heads = meeting.state.headcount.filter(|heads| !heads.nobody_eligible).map_or(0, |heads| heads.low.into());
        gross += heads.max(people.len() as u64);
        uncounted += u64::from(meeting.state.headcount.is_none() && people.is_empty());
        identified += strong.len() as u64;
        weak += (people.len() - strong.len()) as u64;
        contacts += eligible.clone().count() as u64;
        reached.extend(eligible.map(|person| person.id));
        let report = meeting.state.report.as_ref().unwrap();
        *held_by.entry(("unit", report.unit.to_string())).or_default() += 1;
        *held_by.entry(("coalition", report.coalition.to_string())).or_default() += 1;
        for category in BTreeSet::from_iter(std::iter::once(&report.category).chain(&report.secondary)) {
            *held_by.entry(("category", category.to_string())).or_default() += 1;
        }
    }
    let status = |status: Status| observed().count(|meeting| meeting.state.status == status);
    let found = [
        ("/audience/gross", gross),
        ("/audience/identified", identified),
        ("/audience/contacts", contacts),
        ("/audience/weak", weak),
        ("/audience/reached", reached.len() as u64),
        ("/audience/uncounted_meetings", uncounted),
        ("/plan/held", status(Status::Held)),
        ("/plan/cancelled", status(Status::Cancelled)),
        ("/plan/pending", status(Status::Pending)),
        ("/plan/contested", observed().count(|meeting| meeting.state.contested)),
        ("/plan/nobody_eligible", observed().count(|meeting| meeting.state.status == Status::Held && nobody_eligible(meeting))),
        ("/counts/meetings_known", meetings.len() as u64),
    ];
    for (path, value) in found {
        assert_eq!(value, figure(path), "{path}");
    }
    for (list, code) in [("units", "unit"), ("coalitions", "coalition"), ("categories", "category")] {
        for row in rows(list) {
            let held = held_by.get(&(code, row[code].as_str().unwrap().to_owned())).copied().unwrap_or(0);
            assert_eq!(row["held"], held, "{row}");
        }
    }
}

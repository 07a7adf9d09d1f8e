//! The figures of the recount, named as in `summary.json`, from what was counted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};

use super::{Counted, Meeting, Misreading, Sums, instant, newest, text};

pub(super) fn assemble(counted: &Counted) -> Value {
    let whole = counted.sums(|_| true);
    let mut exposure = [0u64; 5];
    whole.times.values().for_each(|times| exposure[(*times).min(5) as usize - 1] += 1);
    let unknown: Vec<&Meeting> = counted.meetings.iter().filter(|meeting| meeting.report.is_none()).collect();
    let mut touched: HashMap<&str, u64> = HashMap::new();
    for precinct in whole.times.keys().filter_map(|person| counted.home(person)) {
        *touched.entry(precinct).or_default() += 1;
    }
    let voters = |precinct: &str| counted.precincts.get(precinct).map(|(_, voters)| *voters);
    let named: HashSet<&str> = counted.held().map(|(_, report)| text(report, "precinct")).collect();
    json!({
        "campaign": counted.configured["campaign"],
        "synthetic": counted.configured["synthetic"],
        "definition": 3,
        "counts": counts(counted),
        "plan": plan(counted),
        "audience": {
            "gross": whole.gross, "identified": whole.identified, "contacts": whole.contacts, "reached": whole.reached(), "weak": whole.weak,
            "outside": whole.outside, "rest": whole.rest, "lower": whole.lower(), "upper": whole.upper(counted.voters(None)),
            "headcount_meetings": counted.held().filter(|(meeting, _)| meeting.heads.is_some()).count(),
            "identified_meetings": counted.held().filter(|(meeting, _)| !meeting.strong.is_empty()).count(),
            "uncounted_meetings": counted.held().filter(|(meeting, _)| meeting.heads.is_none() && meeting.gross() == 0).count(),
            "pending_attendance": unknown.iter().map(|meeting| (meeting.strong.len() + meeting.weak.len()) as u64).sum::<u64>(),
        },
        "exposure": exposure,
        "units": units(counted, &whole),
        "precincts_reached": touched.len(),
        "precincts_over": touched.iter().filter(|(precinct, people)| voters(precinct).is_some_and(|voters| **people > voters)).count(),
        "precincts_without_meeting": counted.precincts.keys().filter(|precinct| !named.contains(*precinct)).count(),
        "coalitions": coalitions(counted),
        "categories": categories(counted),
        "weeks": weeks(counted),
    })
}

fn counts(counted: &Counted) -> Value {
    let units: BTreeSet<&str> = newest(counted.all, "unit.defined", "unit").into_keys().collect();
    json!({
        "voters": counted.voters(None),
        "precincts": counted.precincts.len(),
        "units": units.len(),
        "members": newest(counted.all, "member.joined", "member").len(),
        "coalitions": newest(counted.all, "coalition.formed", "coalition").len(),
        "meetings_planned": counted.planned(|_| true),
        "meetings_known": counted.meetings.len(),
        "events": counted.all.len(),
        "roll_voters": counted.published.roll.len(),
        "roll_precincts": counted.published.roll_precincts.len(),
        "precincts_without_roll": counted.precincts.keys().filter(|precinct| !counted.published.roll_precincts.contains(**precinct)).count(),
    })
}

fn plan(counted: &Counted) -> Value {
    let campaign = counted.campaign;
    let lawful = |at: &Value| campaign.lawful(campaign.day(instant(at)));
    let is_due = |meeting: &&Meeting| counted.is_due(meeting);
    let meetings = counted.meetings;
    let is_done = |meeting: &&Meeting| counted.is_done(meeting);
    json!({
        "planned": counted.planned(|_| true),
        "due": meetings.iter().filter(is_due).count(),
        "held": counted.held().count(),
        "held_planned": meetings.iter().filter(is_due).filter(is_done).count(),
        "held_extra": counted.held().filter(|(meeting, _)| meeting.plan.is_none()).count(),
        "unlawful": counted.held().filter(|(_, report)| !lawful(&report["starts"])).count(),
        "cancelled": meetings.iter().filter(|meeting| meeting.plan.is_some() && meeting.report.is_none() && meeting.cancelled).count(),
        "moved": meetings.iter().filter(|meeting| meeting.plan.is_some() && meeting.moved).count(),
        "missing": meetings.iter().filter(is_due).filter(|meeting| meeting.report.is_none()).count(),
        "pending": meetings.iter().filter(|meeting| meeting.is_pending()).count(),
        "contested": meetings.iter().filter(|meeting| meeting.contested).count(),
    })
}

fn units(counted: &Counted, whole: &Sums) -> Value {
    let mut residents: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (person, times) in &whole.times {
        let unit = counted.home(person).and_then(|precinct| counted.precincts.get(precinct)).map_or("", |(unit, _)| unit);
        let entry = residents.entry(unit).or_default();
        entry.0 += 1;
        entry.1 += times;
    }
    newest(counted.all, "unit.defined", "unit")
        .into_keys()
        .map(|unit| {
            let sums = counted.sums(|report| text(report, "unit") == unit);
            let voters = counted.voters(Some(unit));
            let (reached, contacts) = residents.get(unit).copied().unwrap_or_default();
            let planned = || counted.meetings.iter().filter(|meeting| meeting.plan.is_some_and(|plan| text(plan, "unit") == unit));
            let place = |meeting: &Meeting| {
                let under_plan = counted.misread(Misreading::ContestedUnderPlan);
                let report = meeting.report.filter(|_| !under_plan || meeting.plan.is_none());
                report.or(meeting.plan).map_or("", |session| text(session, "unit")).to_owned()
            };
            json!({
                "unit": unit, "voters": voters, "planned": planned().count(), "held": sums.held, "gross": sums.gross,
                "cancelled": planned().filter(|meeting| meeting.report.is_none() && meeting.cancelled).count(),
                "missing": planned().filter(|meeting| meeting.report.is_none() && counted.is_due(meeting)).count(),
                "contested": counted.meetings.iter().filter(|meeting| meeting.contested && place(meeting) == unit).count(),
                "contacts": sums.contacts, "reached": sums.reached(), "weak": sums.weak, "outside": sums.outside, "rest": sums.rest, "lower": sums.lower(), "upper": sums.upper(counted.voters(None)),
                "residents_reached": reached, "residents_contacts": contacts,
            })
        })
        .collect()
}

fn coalitions(counted: &Counted) -> Value {
    newest(counted.all, "coalition.formed", "coalition")
        .into_keys()
        .map(|coalition| {
            let mine = |value: &Value| text(value, "coalition") == coalition;
            let sums = counted.sums(mine);
            json!({"coalition": coalition, "planned": counted.planned(mine), "held": sums.held, "gross": sums.gross, "contacts": sums.contacts, "reached": sums.reached()})
        })
        .collect()
}

fn categories(counted: &Counted) -> Value {
    let codes: BTreeSet<&str> =
        counted.configured["categories"].as_array().into_iter().flatten().map(|category| text(category, "code")).collect();
    codes
        .into_iter()
        .map(|code| {
            let sums = counted.sums(|report| {
                text(report, "category") == code
                    || report["secondary"].as_array().into_iter().flatten().any(|other| other.as_str() == Some(code))
            });
            json!({"category": code, "held": sums.held, "gross": sums.gross, "contacts": sums.contacts, "reached": sums.reached()})
        })
        .collect()
}

fn weeks(counted: &Counted) -> Value {
    let week = |report: &Value| counted.campaign.week(instant(&report["starts"]));
    let weeks: BTreeSet<String> = counted.held().map(|(_, report)| week(report)).collect();
    weeks
        .into_iter()
        .map(|this| {
            let sums = counted.sums(|report| week(report) == this);
            let until = counted.sums(|report| week(report) <= this);
            json!({"week": this, "held": sums.held, "gross": sums.gross, "contacts": sums.contacts, "reached": sums.reached(), "reached_to_date": until.reached()})
        })
        .collect()
}

//! Assembles the figures of the recount, named as in `summary.json`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{AudienceTotals, Meeting, RecountInput, RuleMutation, instant, newest, text};

pub(super) fn assemble(input: &RecountInput) -> Value {
    let whole = input.totals(|_| true);
    let mut frequencies = [0u64; 5];
    whole.times.values().for_each(|times| frequencies[(*times).min(5) as usize - 1] += 1);
    let without_report: Vec<&Meeting> = input.meetings.iter().filter(|meeting| meeting.report.is_none()).collect();
    let mut reached_by_precinct: HashMap<&str, u64> = HashMap::new();
    for precinct in whole.times.keys().filter_map(|person| input.residence_precinct(person)) {
        *reached_by_precinct.entry(precinct).or_default() += 1;
    }
    let voters = |precinct: &str| input.precincts.get(precinct).map(|(_, voters)| *voters);
    let named: HashSet<&str> = input.held().map(|(_, report)| text(report, "precinct")).collect();
    json!({
        "campaign": input.configured["campaign"],
        "synthetic": input.configured["synthetic"],
        "definition": 6,
        "counts": counts(input),
        "plan": plan(input),
        "audience": {
            "gross": whole.gross, "identified": whole.identified, "contacts": whole.contacts, "reached": whole.reached(), "weak": whole.weak,
            "outside": whole.outside, "unidentified": whole.unidentified, "lower": whole.lower(), "upper": whole.upper(input.voters(None)),
            "headcount_meetings": input.held().filter(|(meeting, _)| meeting.headcount.is_some()).count(),
            "identified_meetings": input.held().filter(|(meeting, _)| !meeting.strong.is_empty()).count(),
            "uncounted_meetings": input.held().filter(|(meeting, _)| meeting.headcount.is_none() && meeting.gross() == 0).count(),
            "attendance_without_report": without_report.iter().map(|meeting| (meeting.strong.len() + meeting.weak.len()) as u64).sum::<u64>(),
        },
        "frequencies": frequencies,
        "units": units(input, &whole),
        "precincts_reached": reached_by_precinct.len(),
        "precincts_over": reached_by_precinct.iter().filter(|(precinct, people)| voters(precinct).is_some_and(|voters| **people > voters)).count(),
        "precincts_without_meeting": input.precincts.keys().filter(|precinct| !named.contains(*precinct)).count(),
        "coalitions": coalitions(input),
        "categories": categories(input),
        "weeks": weeks(input),
    })
}

fn counts(input: &RecountInput) -> Value {
    let units: BTreeSet<&str> = newest(input.all, "unit.defined", "unit").into_keys().collect();
    json!({
        "voters": input.voters(None),
        "precincts": input.precincts.len(),
        "units": units.len(),
        "members": newest(input.all, "member.joined", "member").len(),
        "coalitions": newest(input.all, "coalition.formed", "coalition").len(),
        "meetings_planned": input.planned(|_| true),
        "meetings_known": input.meetings.len(),
        "events": input.all.len(),
        "roll_voters": input.files.roll.len(),
        "roll_precincts": input.files.roll_precincts.len(),
        "precincts_without_roll": input.precincts.keys().filter(|precinct| !input.files.roll_precincts.contains(**precinct)).count(),
    })
}

fn plan(input: &RecountInput) -> Value {
    let campaign = input.campaign;
    let lawful = |at: &Value| campaign.lawful(campaign.day(instant(at)));
    let is_due = |meeting: &&Meeting| input.is_due(meeting);
    let meetings = input.meetings;
    let fulfils_plan = |meeting: &&Meeting| input.fulfils_plan(meeting);
    let reported_within = |hours: i64| {
        let is_within = |meeting: &&Meeting| {
            let delay = meeting.report.zip(meeting.reported).map(|(report, received)| received.duration_since(instant(&report["starts"])));
            delay.is_some_and(|delay| delay <= SignedDuration::from_hours(hours))
        };
        meetings.iter().filter(is_due).filter(is_within).count()
    };
    json!({
        "planned": input.planned(|_| true),
        "due": meetings.iter().filter(is_due).count(),
        "held": input.held().count(),
        "held_planned": meetings.iter().filter(is_due).filter(fulfils_plan).count(),
        "held_extra": input.held().filter(|(meeting, _)| meeting.plan.is_none()).count(),
        "unlawful": input.held().filter(|(_, report)| !lawful(&report["starts"])).count(),
        "cancelled": meetings.iter().filter(|meeting| meeting.plan.is_some() && meeting.report.is_none() && meeting.cancelled).count(),
        "moved": meetings.iter().filter(|meeting| meeting.plan.is_some() && meeting.moved).count(),
        "missing": meetings.iter().filter(is_due).filter(|meeting| meeting.report.is_none()).count(),
        "on_time": reported_within(24),
        "late": meetings.iter().filter(is_due).filter(|meeting| meeting.report.is_some()).count() - reported_within(24),
        "within_72_hours": reported_within(72),
        "pending": meetings.iter().filter(|meeting| meeting.is_pending()).count(),
        "contested": meetings.iter().filter(|meeting| meeting.contested).count(),
        "nobody_eligible": input.held().filter(|(meeting, _)| meeting.nobody_eligible).count(),
    })
}

fn units(input: &RecountInput, whole: &AudienceTotals) -> Value {
    let mut residents: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (person, times) in &whole.times {
        let unit = input.residence_precinct(person).and_then(|precinct| input.precincts.get(precinct)).map_or("", |(unit, _)| unit);
        let entry = residents.entry(unit).or_default();
        entry.0 += 1;
        entry.1 += times;
    }
    newest(input.all, "unit.defined", "unit")
        .into_keys()
        .map(|unit| {
            let totals = input.totals(|report| text(report, "unit") == unit);
            let voters = input.voters(Some(unit));
            let (reached, contacts) = residents.get(unit).copied().unwrap_or_default();
            let planned = || input.meetings.iter().filter(|meeting| meeting.plan.is_some_and(|plan| text(plan, "unit") == unit));
            let unit_of = |meeting: &Meeting| {
                let under_plan = input.is_mutated(RuleMutation::ContestedUnderPlan);
                let report = meeting.report.filter(|_| !under_plan || meeting.plan.is_none());
                report.or(meeting.plan).map_or("", |details| text(details, "unit")).to_owned()
            };
            json!({
                "unit": unit, "voters": voters, "planned": planned().count(), "held": totals.held, "gross": totals.gross,
                "cancelled": planned().filter(|meeting| meeting.report.is_none() && meeting.cancelled).count(),
                "missing": planned().filter(|meeting| meeting.report.is_none() && input.is_due(meeting)).count(),
                "contested": input.meetings.iter().filter(|meeting| meeting.contested && unit_of(meeting) == unit).count(),
                "contacts": totals.contacts, "reached": totals.reached(), "weak": totals.weak, "outside": totals.outside, "unidentified": totals.unidentified, "lower": totals.lower(), "upper": totals.upper(input.voters(None)),
                "residents_reached": reached, "residents_contacts": contacts,
            })
        })
        .collect()
}

fn coalitions(input: &RecountInput) -> Value {
    newest(input.all, "coalition.formed", "coalition")
        .into_keys()
        .map(|coalition| {
            let mine = |value: &Value| text(value, "coalition") == coalition;
            let totals = input.totals(mine);
            json!({"coalition": coalition, "planned": input.planned(mine), "held": totals.held, "gross": totals.gross, "contacts": totals.contacts, "reached": totals.reached()})
        })
        .collect()
}

fn categories(input: &RecountInput) -> Value {
    let codes: BTreeSet<&str> =
        input.configured["categories"].as_array().into_iter().flatten().map(|category| text(category, "code")).collect();
    codes
        .into_iter()
        .map(|code| {
            let totals = input.totals(|report| {
                text(report, "category") == code
                    || report["secondary"].as_array().into_iter().flatten().any(|other| other.as_str() == Some(code))
            });
            json!({"category": code, "held": totals.held, "gross": totals.gross, "contacts": totals.contacts, "reached": totals.reached()})
        })
        .collect()
}

fn weeks(input: &RecountInput) -> Value {
    let week = |report: &Value| input.campaign.week(instant(&report["starts"]));
    let weeks: BTreeSet<String> = input.held().map(|(_, report)| week(report)).collect();
    weeks
        .into_iter()
        .map(|this| {
            let totals = input.totals(|report| week(report) == this);
            let until = input.totals(|report| week(report) <= this);
            json!({"week": this, "held": totals.held, "gross": totals.gross, "contacts": totals.contacts, "reached": totals.reached(), "reached_to_date": until.reached()})
        })
        .collect()
}

//! The state of one meeting after all its events, by the published definition or with one of its rules mutated.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{RuleMutation, instant, kind, number, text};

/// The events that no other event supersedes; if they form cycles only, the one with the highest id.
pub(super) fn not_superseded<'a>(events: &[&'a Value]) -> Vec<&'a Value> {
    let superseded: HashSet<&str> = events
        .iter()
        .flat_map(|event| event["data"]["supersedes"].as_array().into_iter().flatten().map(move |id| (event, id)))
        .filter(|(event, id)| event["id"] != **id)
        .filter_map(|(_, id)| id.as_str())
        .collect();
    let mut left: Vec<&Value> = events.iter().copied().filter(|event| !superseded.contains(text(event, "id"))).collect();
    left.sort_by_key(|event| text(event, "id"));
    if left.is_empty() {
        let replacing = events.iter().copied().filter(|event| event["data"]["supersedes"].as_array().is_some_and(|ids| !ids.is_empty()));
        left.extend(replacing.max_by_key(|event| text(event, "id")));
    }
    left
}

/// The state of a meeting after all its events.
#[derive(Default)]
pub(super) struct Meeting<'a> {
    pub(super) id: &'a str,
    pub(super) plan: Option<&'a Value>,
    pub(super) starts: Option<Timestamp>,
    pub(super) moved: bool,
    pub(super) report: Option<&'a Value>,
    /// When its first report was received.
    pub(super) reported: Option<Timestamp>,
    /// Its report has a start after the instant of the calculation.
    pub(super) premature: bool,
    pub(super) cancelled: bool,
    pub(super) contested: bool,
    pub(super) headcount: Option<(u64, u64, u64)>,
    /// The headcount says that nobody in the room was a voter.
    pub(super) nobody_eligible: bool,
    pub(super) strong: HashSet<&'a str>,
    pub(super) weak: HashSet<&'a str>,
    pub(super) attendances: u64,
}

impl Meeting<'_> {
    pub(super) fn is_pending(&self) -> bool {
        self.plan.is_none() && self.report.is_none() && !self.premature && !self.cancelled
    }
    pub(super) fn gross(&self) -> u64 {
        self.headcount.map_or(0, |headcount| headcount.0).max((self.strong.len() + self.weak.len()) as u64)
    }
    pub(super) fn unidentified(&self) -> u64 {
        self.headcount.map_or(0, |headcount| headcount.1).max((self.strong.len() + self.weak.len()) as u64) - self.strong.len() as u64
    }
}

fn headcount(event: &Value) -> (u64, u64, u64) {
    let data = &event["data"];
    let counts: Vec<u64> = match data["counts"].as_array() {
        Some(counts) => counts.iter().map(|count| number(&count["people"])).collect(),
        None => vec![number(&data["people"])],
    };
    let (low, high) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    (low, high, number(&data["eligible_minimum"]))
}

/// The inputs to counting a meeting, apart from its own events.
pub(super) struct CountingRules<'a> {
    pub(super) withdrawn: HashSet<&'a str>,
    pub(super) revealing: HashSet<&'a str>,
    pub(super) as_of: Timestamp,
    pub(super) mutation: Option<RuleMutation>,
}

impl CountingRules<'_> {
    fn is_mutated(&self, mutation: RuleMutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Whether a plan or a report has a revealing category.
    fn reveals(&self, details: &Value) -> bool {
        let secondary = details["secondary"].as_array().into_iter().flatten().filter_map(Value::as_str);
        self.revealing.contains(text(details, "category"))
            || (!self.is_mutated(RuleMutation::FirstCategoryReveals) && secondary.into_iter().any(|other| self.revealing.contains(other)))
    }

    /// Whether names are ignored at a meeting with these plans and reports in force; the last report counts.
    fn headcounts_only(&self, plans: &[&Value], reports: &[&Value]) -> bool {
        let reports = match self.mutation {
            Some(RuleMutation::NamesCountAtHeadsOnly) => return false,
            Some(RuleMutation::PlanReveals) => &[],
            Some(RuleMutation::HoldingReportReveals) => &reports[reports.len().saturating_sub(1)..],
            _ => reports,
        };
        plans.iter().chain(reports).any(|details| self.reveals(details))
    }
}

pub(super) fn meeting<'a>(events: &[&'a Value], rules: &CountingRules<'_>) -> Meeting<'a> {
    let of = |kinds: &[&str]| -> Vec<&'a Value> { events.iter().copied().filter(|event| kinds.contains(&kind(event))).collect() };
    let plans = of(&["meeting.planned"]);
    let plan = if rules.is_mutated(RuleMutation::LastReceivedPlanHolds) {
        plans.iter().copied().max_by_key(|event| instant(&event["receivedtime"]))
    } else {
        not_superseded(&plans).last().copied()
    };
    let mut meeting = Meeting { plan: plan.map(|event| &event["data"]["plan"]), ..Meeting::default() };
    if let Some(last) = not_superseded(&of(&["meeting.planned", "meeting.rescheduled"])).last() {
        meeting.moved = kind(last) == "meeting.rescheduled";
        meeting.starts = Some(instant(if meeting.moved { &last["data"]["starts"] } else { &last["data"]["plan"]["starts"] }));
    }
    if meeting.moved && rules.is_mutated(RuleMutation::MoveReplacesPlan) {
        meeting.plan = None;
    }
    let reopened: HashSet<&str> = of(&["meeting.planned", "meeting.rescheduled"])
        .iter()
        .flat_map(|event| event["data"]["supersedes"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let mut statements = of(&["meeting.held", "meeting.cancelled", "meeting.corrected"]);
    statements.retain(|event| kind(event) != "meeting.cancelled" || !reopened.contains(text(event, "id")));
    let with_report = statements.iter().filter(|event| event["data"]["report"].is_object());
    meeting.reported = with_report.map(|event| instant(&event["receivedtime"])).min();
    let statements = not_superseded(&statements);
    let reports: Vec<&Value> = statements.iter().map(|event| &event["data"]["report"]).filter(|report| report.is_object()).collect();
    meeting.report = reports.last().copied();
    let cancellations = statements.iter().filter(|event| kind(event) == "meeting.cancelled").count();
    let is_open = rules.is_mutated(RuleMutation::CorrectedToNoneIsOpen);
    meeting.cancelled = if is_open { cancellations > 0 } else { reports.len() < statements.len() };
    let counts = not_superseded(&of(&["headcount.reported", "headcount.recounted"]));
    meeting.headcount = counts.last().map(|event| headcount(event));
    meeting.nobody_eligible = counts.last().is_some_and(|event| event["data"]["nobody_eligible"] == true);
    let without_voters = meeting.nobody_eligible && !rules.is_mutated(RuleMutation::NobodyEligibleIsAudience);
    if without_voters {
        meeting.headcount = Some((0, 0, 0));
    }
    meeting.contested = reports.len() > 1 || counts.len() > 1 || (meeting.cancelled && meeting.report.is_some());
    let plans: Vec<&Value> = not_superseded(&of(&["meeting.planned"])).iter().map(|event| &event["data"]["plan"]).collect();
    let headcounts_only = without_voters || rules.headcounts_only(&plans, &reports);
    // A report is ignored until its meeting begins.
    let reported = meeting.report.filter(|report| instant(&report["starts"]) <= rules.as_of);
    meeting.premature = meeting.report.is_some() && reported.is_none();
    meeting.report = reported;
    if meeting.cancelled && rules.is_mutated(RuleMutation::CancellationWins) {
        meeting.report = None;
    }
    let retracted: HashSet<&str> = of(&["attendance.retracted"])
        .iter()
        .flat_map(|event| event["data"]["retracts"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    for event in of(&["attendance.recorded"]) {
        let person = &event["data"]["attendee"];
        if retracted.contains(text(event, "id")) || rules.withdrawn.contains(text(person, "id")) {
            continue;
        }
        meeting.attendances += 1;
        if headcounts_only {
            continue;
        }
        let set = if text(person, "strength") == "strong" { &mut meeting.strong } else { &mut meeting.weak };
        set.insert(text(person, "id"));
    }
    meeting
}

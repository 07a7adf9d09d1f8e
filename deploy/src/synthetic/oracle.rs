//! What the generator knows to be true: the figures that the whole path must come to, and the fate of everything sent.
//!
//! Guarantees: counted from the truth of the meetings, before and beside every event; shares no code with the fold of events or with the
//! coverage calculation. It follows the published definition, version 3.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    World,
    meeting::{Anomaly, Brief, Meeting, Outcome},
    people::Who,
    stream::{Counts, EventStream},
};

/// What must come out.
#[derive(Debug, Clone, Serialize)]
pub struct Oracle {
    /// The figures, named as in `summary.json`.
    pub figures: Value,
    /// What was sent and what must become of it.
    pub stream: Counts,
}

/// Works everything out.
pub(super) fn oracle(world: &World<'_>, meetings: &[Meeting], told: &EventStream, seed: u64) -> Oracle {
    let rooms: Vec<Room<'_>> = meetings.iter().map(|meeting| Room::of(world, meeting, &told.withdrawn)).collect();
    let truth = Truth { world, rooms: &rooms, today: world.clock.day(world.clock.ends) };
    let mut figures = json!({
        "campaign": world.campaign.id,
        "synthetic": true,
        "seed": seed,
        "as_of": world.clock.ends,
        "definition": 3,
        "counts": truth.counts(told.counts.accepted),
        "plan": truth.plan(),
        "units": truth.units(),
        "coalitions": truth.coalitions(),
        "categories": truth.categories(),
        "weeks": truth.weeks(),
    });
    truth.whole(&mut figures);
    Oracle { figures, stream: told.counts.clone() }
}

/// A meeting's room as it is known in the end.
struct Room<'a> {
    meeting: &'a Meeting,
    strong: BTreeSet<u32>,
    weak: usize,
    eligible: Vec<u32>,
    low: u64,
    high: u64,
    stated_minimum: u64,
    /// By the end of the stream it has begun.
    begun: bool,
}

impl<'a> Room<'a> {
    fn of(world: &World<'_>, meeting: &'a Meeting, withdrawn: &BTreeSet<Who>) -> Self {
        let lines = if heads_only(world, meeting) { &[][..] } else { &meeting.lines };
        let people: BTreeSet<Who> = lines.iter().filter_map(|line| line.holds()).filter(|who| !withdrawn.contains(who)).collect();
        let strong: BTreeSet<u32> =
            people.iter().filter_map(|who| if let Who::Strong(person) = who { Some(*person) } else { None }).collect();
        let eligible = strong.iter().copied().filter(|person| (*person as usize) < world.roll.len()).collect();
        let heads = meeting.heads;
        Self {
            weak: people.len() - strong.len(),
            strong,
            eligible,
            begun: meeting.report.starts <= world.clock.ends,
            low: heads.map_or(0, |heads| heads.low().into()),
            high: heads.map_or(0, |heads| heads.high().into()),
            stated_minimum: heads.and_then(|heads| heads.eligible_minimum).unwrap_or(0).into(),
            meeting,
        }
    }

    fn recorded(&self) -> u64 {
        (self.strong.len() + self.weak) as u64
    }

    /// People in the room who are not strongly identified.
    fn rest(&self) -> u64 {
        self.high.max(self.recorded()) - self.strong.len() as u64
    }

    /// What was stated, unless more people are known to be from outside than that leaves room for.
    fn eligible_minimum(&self) -> u64 {
        self.stated_minimum.min(self.eligible.len() as u64 + self.rest())
    }

    fn held(&self) -> bool {
        self.meeting.outcome == Outcome::Held && self.begun
    }

    /// Do several answers to one question stand?
    fn is_contested(&self) -> bool {
        matches!(
            self.meeting.anomaly,
            Anomaly::TwoReports
                | Anomaly::TwoCounts
                | Anomaly::CancelledYetHeld
                | Anomaly::OtherUnit { contested: true }
                | Anomaly::RevealedLate { rival: true }
        )
    }

    /// The unit of the report, else that of the plan.
    fn unit(&self) -> Option<usize> {
        if self.held() { Some(self.meeting.report.unit) } else { self.meeting.plan.as_ref().map(|plan| plan.unit) }
    }

    /// Does any event of it stand?
    fn known(&self) -> bool {
        self.held() || self.meeting.plan.is_some() || self.meeting.heads.is_some() || self.recorded() > 0
    }
}

/// Does the plan or a report that stands name a revealing category, first or second? Then names are not looked at.
fn heads_only(world: &World<'_>, meeting: &Meeting) -> bool {
    if meeting.anomaly == (Anomaly::RevealedLate { rival: true }) {
        return true;
    }
    let report = (meeting.outcome == Outcome::Held).then_some(&meeting.report);
    let reveals = |category: usize| world.campaign.categories[category].revealing;
    meeting.plan.iter().chain(report).any(|brief| reveals(brief.category) || brief.secondary.is_some_and(reveals))
}

/// Sums over some rooms.
#[derive(Default)]
struct Sum {
    held: u64,
    gross: u64,
    identified: u64,
    weak: u64,
    contacts: u64,
    rest: u64,
    minimum: u64,
    people: BTreeMap<u32, u64>,
}

impl Sum {
    fn reached(&self) -> u64 {
        self.people.len() as u64
    }
    fn lower(&self) -> u64 {
        self.reached().max(self.minimum)
    }
    /// The cap is the region's voters in every slice: people attend outside their unit.
    fn upper(&self, voters_of_the_region: u64) -> u64 {
        self.lower().max(voters_of_the_region.min(self.reached() + self.rest))
    }
}

struct Truth<'a> {
    world: &'a World<'a>,
    rooms: &'a [Room<'a>],
    today: Date,
}

impl Truth<'_> {
    fn held(&self) -> impl Iterator<Item = &Room<'_>> {
        self.rooms.iter().filter(|room| room.held())
    }

    fn sum(&self, keep: impl Fn(&Brief) -> bool) -> Sum {
        let mut sum = Sum::default();
        for room in self.held().filter(|room| keep(&room.meeting.report)) {
            sum.held += 1;
            sum.gross += room.low.max(room.recorded());
            sum.identified += room.strong.len() as u64;
            sum.weak += room.weak as u64;
            sum.contacts += room.eligible.len() as u64;
            sum.rest += room.rest();
            sum.minimum = sum.minimum.max(room.eligible_minimum());
            room.eligible.iter().for_each(|person| *sum.people.entry(*person).or_default() += 1);
        }
        sum
    }

    fn planned(&self, keep: impl Fn(&Brief) -> bool) -> u64 {
        self.rooms.iter().filter_map(|room| room.meeting.plan.as_ref()).filter(|plan| keep(plan)).count() as u64
    }

    fn voters(&self, unit: Option<usize>) -> u64 {
        let here = self.world.roll.precincts.iter().filter(|precinct| unit.is_none_or(|unit| unit == precinct.unit));
        here.filter_map(|precinct| precinct.counts.last()).map(|voters| u64::from(*voters)).sum()
    }

    fn lawful(&self, day: Date) -> bool {
        let days = self.world.campaign.calendar;
        days.opens <= day && day <= days.closes
    }

    fn counts(&self, accepted: u64) -> Value {
        json!({
            "voters": self.voters(None),
            "precincts": self.world.roll.precincts.len(),
            "units": self.world.campaign.units.len(),
            "members": self.world.people.members.len(),
            "coalitions": self.world.campaign.coalitions.len(),
            "meetings_planned": self.planned(|_| true),
            "meetings_known": self.rooms.iter().filter(|room| room.known()).count(),
            "events": accepted,
            "roll_voters": self.world.roll.len(),
            "roll_precincts": self.world.roll.precincts.len(),
            "precincts_without_roll": self.world.roll.precincts.iter().filter(|precinct| precinct.voters.is_empty()).count(),
            "rejected": 0,
            "conflicts": 0,
        })
    }

    fn plan(&self) -> Value {
        let day = |room: &Room<'_>| self.world.clock.day(room.meeting.report.starts);
        let number = |keep: &dyn Fn(&Room<'_>) -> bool| self.rooms.iter().filter(|room| keep(room)).count();
        let planned = |room: &Room<'_>| room.meeting.plan.is_some();
        let due = |room: &Room<'_>| self.is_due(room);
        json!({
            "planned": number(&planned),
            "due": number(&due),
            "held": number(&|room| room.held()),
            "held_planned": number(&|room| room.held() && due(room) && self.lawful(day(room))),
            "held_extra": number(&|room| room.held() && !planned(room)),
            "unlawful": number(&|room| room.held() && !self.lawful(day(room))),
            "cancelled": number(&|room| room.meeting.outcome == Outcome::Cancelled),
            "moved": number(&|room| !room.meeting.moves.is_empty()),
            "missing": number(&|room| due(room) && !room.held()),
            "pending": number(&|room| room.known() && room.meeting.outcome == Outcome::Unreported && !planned(room)),
            "contested": number(&|room| room.is_contested()),
        })
    }

    fn is_due(&self, room: &Room<'_>) -> bool {
        let day = room.meeting.planned_start().map(|starts| self.world.clock.day(starts));
        room.meeting.outcome != Outcome::Cancelled && day.is_some_and(|day| day <= self.today && self.lawful(day))
    }

    /// The audience of the whole campaign, and what hangs on it.
    fn whole(&self, figures: &mut Value) {
        let all = self.sum(|_| true);
        let mut exposure = [0_u64; 5];
        all.people.values().for_each(|times| exposure[(*times).clamp(1, 5) as usize - 1] += 1);
        let pending: u64 = self.rooms.iter().filter(|room| !room.held()).map(|room| room.recorded()).sum();
        let mut reached: BTreeMap<usize, u32> = BTreeMap::new();
        all.people.keys().for_each(|person| *reached.entry(self.world.roll.residence_of(*person)).or_default() += 1);
        let over = |(precinct, people): &(&usize, &u32)| Some(*people) > self.world.roll.precincts[**precinct].counts.last();
        let named: BTreeSet<usize> = self.held().filter_map(|room| room.meeting.report.precinct).collect();
        figures["audience"] = json!({
            "gross": all.gross,
            "identified": all.identified,
            "contacts": all.contacts,
            "reached": all.reached(),
            "weak": all.weak,
            "outside": all.identified - all.contacts,
            "rest": all.rest,
            "lower": all.lower(),
            "upper": all.upper(self.voters(None)),
            "headcount_meetings": self.held().filter(|room| room.meeting.heads.is_some()).count(),
            "identified_meetings": self.held().filter(|room| !room.strong.is_empty()).count(),
            "uncounted_meetings": self.held().filter(|room| room.meeting.heads.is_none() && room.recorded() == 0).count(),
            "pending_attendance": pending,
        });
        figures["exposure"] = json!(exposure);
        figures["precincts_reached"] = json!(reached.len());
        figures["precincts_over"] = json!(reached.iter().filter(over).count());
        figures["precincts_without_meeting"] = json!(self.world.roll.precincts.len() - named.len());
    }

    fn units(&self) -> Value {
        let mut residents = vec![(0_u64, 0_u64); self.world.campaign.units.len()];
        for (person, times) in &self.sum(|_| true).people {
            let unit = self.world.roll.precincts[self.world.roll.residence_of(*person)].unit;
            residents[unit].0 += 1;
            residents[unit].1 += times;
        }
        let mut order: Vec<usize> = (0..self.world.campaign.units.len()).collect();
        order.sort_by_key(|unit| &self.world.campaign.units[*unit].code);
        let planned_here = |unit| self.rooms.iter().filter(move |room| room.meeting.plan.as_ref().is_some_and(|plan| plan.unit == unit));
        let one = |unit: usize| {
            let here = self.sum(|report| report.unit == unit);
            let voters = self.voters(Some(unit));
            json!({
                "unit": self.world.campaign.units[unit].code,
                "voters": voters,
                "planned": self.planned(|plan| plan.unit == unit),
                "cancelled": planned_here(unit).filter(|room| room.meeting.outcome == Outcome::Cancelled).count(),
                "missing": planned_here(unit).filter(|room| self.is_due(room) && !room.held()).count(),
                "contested": self.rooms.iter().filter(|room| room.is_contested() && room.unit() == Some(unit)).count(),
                "held": here.held,
                "gross": here.gross,
                "contacts": here.contacts,
                "reached": here.reached(),
                "weak": here.weak,
                "outside": here.identified - here.contacts,
                "rest": here.rest,
                "lower": here.lower(),
                "upper": here.upper(self.voters(None)),
                "residents_reached": residents[unit].0,
                "residents_contacts": residents[unit].1,
            })
        };
        order.into_iter().map(one).collect()
    }

    fn coalitions(&self) -> Value {
        let mut order: Vec<usize> = (0..self.world.campaign.coalitions.len()).collect();
        order.sort_by_key(|coalition| &self.world.campaign.coalitions[*coalition].id);
        let one = |coalition: usize| {
            let theirs = self.sum(|report| report.coalition == coalition);
            json!({
                "coalition": self.world.campaign.coalitions[coalition].id,
                "planned": self.planned(|plan| plan.coalition == coalition),
                "held": theirs.held,
                "gross": theirs.gross,
                "contacts": theirs.contacts,
                "reached": theirs.reached(),
            })
        };
        order.into_iter().map(one).collect()
    }

    fn categories(&self) -> Value {
        let mut order: Vec<usize> = (0..self.world.campaign.categories.len()).collect();
        order.sort_by_key(|category| &self.world.campaign.categories[*category].code);
        let one = |category: usize| {
            let theirs = self.sum(|report| report.category == category || report.secondary == Some(category));
            json!({
                "category": self.world.campaign.categories[category].code,
                "held": theirs.held,
                "gross": theirs.gross,
                "contacts": theirs.contacts,
                "reached": theirs.reached(),
            })
        };
        order.into_iter().map(one).collect()
    }

    fn weeks(&self) -> Value {
        let week = |report: &Brief| self.world.clock.week(report.starts);
        let weeks: BTreeSet<String> = self.held().map(|room| week(&room.meeting.report)).collect();
        let one = |this: &String| {
            let theirs = self.sum(|report| week(report) == *this);
            json!({
                "week": this,
                "held": theirs.held,
                "gross": theirs.gross,
                "contacts": theirs.contacts,
                "reached": theirs.reached(),
                "reached_to_date": self.sum(|report| week(report) <= *this).reached(),
            })
        };
        weeks.iter().map(one).collect()
    }
}

//! The expected figures by unit, coalition, category and week.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{AudienceTotals, ExpectedFigures};
use crate::synthetic::meeting::{GeneratedDetails, MeetingOutcome};

impl ExpectedFigures<'_> {
    pub fn units(&self) -> Value {
        let units = &self.world.campaign.units;
        let (mut residents_reached, mut residents_contacts) = (vec![0_u64; units.len()], vec![0_u64; units.len()]);
        for (person, times) in &self.totals(|_| true).people {
            let unit = self.world.roll.precincts[self.world.roll.residence_of(*person)].unit;
            residents_reached[unit] += 1;
            residents_contacts[unit] += times;
        }
        let one = |unit: usize| {
            let planned_here =
                || self.meetings.iter().filter(|expected| expected.meeting.plan.as_ref().is_some_and(|plan| plan.unit == unit));
            let here = self.totals(|report| report.unit == unit);
            let figures = json!({
                "unit": units[unit].code,
                "voters": self.voters(Some(unit)),
                "planned": planned_here().count(),
                "cancelled": planned_here().filter(|expected| expected.meeting.outcome == MeetingOutcome::Cancelled).count(),
                "missing": planned_here().filter(|expected| self.is_due(expected) && !expected.held()).count(),
                "contested": self.meetings.iter().filter(|expected| expected.is_contested() && expected.unit() == Some(unit)).count(),
                "weak": here.weak,
                "outside": here.identified - here.contacts,
                "unidentified": here.unidentified,
                "lower": here.lower(),
                "upper": here.upper(self.voters(None)),
                "residents_reached": residents_reached[unit],
                "residents_contacts": residents_contacts[unit],
            });
            with_audience(figures, &here)
        };
        by_code(units, |unit| &unit.code).map(one).collect()
    }

    pub fn coalitions(&self) -> Value {
        let coalitions = &self.world.campaign.coalitions;
        let one = |index: usize| {
            let planned = self.planned(|plan| plan.coalition == index);
            let figures = json!({"coalition": coalitions[index].id, "planned": planned});
            with_audience(figures, &self.totals(|report| report.coalition == index))
        };
        by_code(coalitions, |coalition| &coalition.id).map(one).collect()
    }

    pub fn categories(&self) -> Value {
        let categories = &self.world.campaign.categories;
        let one = |index: usize| {
            let theirs = self.totals(|report| report.category == index || report.secondary == Some(index));
            with_audience(json!({"category": categories[index].code}), &theirs)
        };
        by_code(categories, |category| &category.code).map(one).collect()
    }

    pub fn weeks(&self) -> Value {
        let week = |report: &GeneratedDetails| self.world.clock.week(report.starts);
        let weeks: BTreeSet<String> = self.held().map(|expected| week(&expected.meeting.report)).collect();
        let one = |this: &String| {
            let reached_to_date = self.totals(|report| week(report) <= *this).reached();
            let figures = json!({"week": this, "reached_to_date": reached_to_date});
            with_audience(figures, &self.totals(|report| week(report) == *this))
        };
        weeks.iter().map(one).collect()
    }
}

/// The indexes of a list, in the order of its codes.
fn by_code<T, C: Ord>(list: &[T], code: impl Fn(&T) -> &C) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|a, b| code(&list[*a]).cmp(code(&list[*b])));
    order.into_iter()
}

/// Adds the figures that every breakdown has.
fn with_audience(mut figures: Value, totals: &AudienceTotals) -> Value {
    figures["held"] = totals.held.into();
    figures["gross"] = totals.gross.into();
    figures["contacts"] = totals.contacts.into();
    figures["reached"] = totals.reached().into();
    figures
}

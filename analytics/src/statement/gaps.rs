//! Missing data: each gap says what is missing, its consequence, and what to send.
//!
//! Guarantees: whenever the headline, a share or the map lacks a number because data is missing, a gap says so. Withheld numbers are no
//! gaps.

use qamtu_schemas::id::UnitCode;
use serde::Serialize;

use super::figure_formatter::FigureFormatter;
use crate::{access::Scope, published::PublishedUnit, reach_status::ReachStatus};

/// Section of missing data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataGaps {
    /// The title of the list.
    pub title: String,
    /// Gaps, those with the widest consequences first; empty if nothing is missing.
    pub list: Vec<DataGap>,
}

/// Data that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataGap {
    /// What is missing, and the consequence.
    pub reason: String,
    /// Instruction for whoever sends the data.
    pub action: String,
}

pub(super) fn gaps(fmt: &FigureFormatter<'_>) -> DataGaps {
    let published = fmt.published;
    let gap = |reason: &'static str, action: &'static str| DataGap { reason: fmt.message(reason), action: fmt.message(action) };
    let mut list = Vec::new();
    if published.counts.units == 0 && published.reader.scope == Scope::Region {
        list.push(gap("gap-units", "gap-units-action"));
    }
    if let Some(units) = unknown_units(fmt) {
        let args = [("units", units.into())];
        list.push(DataGap { reason: fmt.message_with("gap-reader-units", &args), action: fmt.message("gap-reader-units-action") });
    }
    if !published.total.denominator.is_known() {
        list.push(gap("gap-voters", "gap-voters-action"));
    } else if let Some(units) = units_without_voters(fmt) {
        list.push(DataGap {
            reason: fmt.message_with("gap-unit-voters", &[("units", units.into())]),
            action: fmt.message("gap-voters-action"),
        });
    }
    match published.total.status() {
        ReachStatus::NoMeetings => list.push(gap("gap-meetings", "gap-meetings-action")),
        ReachStatus::Uncounted => list.push(gap("gap-counts", "gap-counts-action")),
        ReachStatus::CountedOnly => list.push(gap("gap-identified", "gap-identified-action")),
        ReachStatus::Unrecognised | ReachStatus::Identified => {}
    }
    DataGaps { title: fmt.message("gaps-title"), list }
}

/// Codes of units in the reader's scope that are not defined; none if all are.
fn unknown_units(fmt: &FigureFormatter<'_>) -> Option<String> {
    let Scope::Units(units) = &fmt.published.reader.scope else { return None };
    let is_known = |code: &&UnitCode| fmt.published.units.iter().any(|unit| unit.unit == **code && unit.names.is_some());
    let unknown: Vec<&str> = units.iter().filter(|code| !is_known(code)).map(UnitCode::as_str).collect();
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

fn units_without_voters(fmt: &FigureFormatter<'_>) -> Option<String> {
    let unknown = |(_, unit): &(String, &PublishedUnit)| !unit.denominator.is_known();
    let names: Vec<String> = fmt.units_by_name().into_iter().filter(unknown).map(|(name, _)| name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

//! What is not known yet: each gap says what is missing, what follows from it, and what to send.
//!
//! Guarantees: whenever the headline, a share or the map lacks a number for want of data, a gap says so. What is withheld is no gap.

use qamtu_schemas::id::UnitCode;
use serde::Serialize;

use super::pen::Pen;
use crate::{access::Scope, knowledge::Knowledge, published::Unit};

/// What is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// The title of the list.
    pub title: String,
    /// The gaps, the one with the widest consequences first; empty if nothing is missing.
    pub list: Vec<Gap>,
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What is missing, and what follows from it.
    pub reason: String,
    /// What to do.
    pub action: String,
}

pub(super) fn gaps(pen: &Pen<'_>) -> Gaps {
    let (words, published) = (pen.words, pen.published);
    let gap = |reason: &'static str, action: &'static str| Gap { reason: words.say(reason), action: words.say(action) };
    let mut list = Vec::new();
    if published.counts.units == 0 && published.reader.scope == Scope::Region {
        list.push(gap("gap-units", "gap-units-action"));
    }
    if let Some(units) = unknown_units(pen) {
        let args = [("units", units.into())];
        list.push(Gap { reason: words.say_with("gap-reader-units", &args), action: words.say("gap-reader-units-action") });
    }
    if !published.whole.denominator.is_known() {
        list.push(gap("gap-voters", "gap-voters-action"));
    } else if let Some(units) = units_without_voters(pen) {
        list.push(Gap { reason: words.say_with("gap-unit-voters", &[("units", units.into())]), action: words.say("gap-voters-action") });
    }
    match Knowledge::of_whole(&published.whole) {
        Knowledge::NoMeetings => list.push(gap("gap-meetings", "gap-meetings-action")),
        Knowledge::Uncounted => list.push(gap("gap-counts", "gap-counts-action")),
        Knowledge::CountedOnly => list.push(gap("gap-identified", "gap-identified-action")),
        Knowledge::Unrecognised | Knowledge::Identified => {}
    }
    Gaps { title: words.say("gaps-title"), list }
}

/// Units that the reader was given and that nobody has defined.
fn unknown_units(pen: &Pen<'_>) -> Option<String> {
    let Scope::Units(units) = &pen.published.reader.scope else { return None };
    let is_known = |code: &&UnitCode| pen.published.units.iter().any(|unit| unit.unit == **code && unit.names.is_some());
    let unknown: Vec<&str> = units.iter().filter(|code| !is_known(code)).map(UnitCode::as_str).collect();
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

fn units_without_voters(pen: &Pen<'_>) -> Option<String> {
    let unknown = |(_, unit): &(String, &Unit)| !unit.denominator.is_known();
    let names: Vec<String> = pen.units_by_name().into_iter().filter(unknown).map(|(name, _)| name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

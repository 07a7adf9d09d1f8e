//! The precincts where no meeting can be held, in words.

use qamtu_schemas::event::UnreachableReason;

use super::figure_formatter::FigureFormatter;
use crate::coverage::UnreachablePrecinct;

/// Precincts that are named; those with the most voters come first.
const NAMED: usize = 5;

/// How many there are, and which ones and why; none if meetings can be held everywhere.
pub(super) fn unreachable(fmt: &FigureFormatter<'_>) -> Option<(u64, String)> {
    let mut precincts: Vec<&UnreachablePrecinct> = fmt.published.unreachable.iter().collect();
    if precincts.is_empty() {
        return None;
    }
    precincts.sort_by_key(|precinct| std::cmp::Reverse(precinct.voters));
    let mut places: Vec<String> = precincts.iter().take(NAMED).map(|precinct| place(fmt, precinct)).collect();
    if let Some(more) = precincts.len().checked_sub(NAMED).filter(|more| *more > 0) {
        places.push(fmt.message_with("trust-unreachable-more", &[("count", fmt.count(more as u64).into())]));
    }
    let voters: u64 = precincts.iter().filter_map(|precinct| precinct.voters).sum();
    let args = [("voters", fmt.count(voters).into()), ("n", voters.into()), ("places", places.join("; ").into())];
    Some((precincts.len() as u64, fmt.message_with("trust-unreachable-detail", &args)))
}

/// Unit and number of a precinct, since when no meeting can be held there, and why.
fn place(fmt: &FigureFormatter<'_>, precinct: &UnreachablePrecinct) -> String {
    let unit = precinct.unit.as_ref().map(|code| {
        let defined = fmt.published.units.iter().find(|unit| unit.unit == *code);
        fmt.name(defined.and_then(|unit| unit.names.as_ref()), code)
    });
    let number = precinct.number.map_or_else(|| precinct.precinct.to_string(), |number| number.to_string());
    let is_recent = precinct.since.year() == fmt.today().year();
    let day = if is_recent { fmt.locale.from_day(precinct.since) } else { fmt.locale.from_day_of_year(precinct.since) };
    let reason = fmt.message(reason(precinct.reason));
    let args = [("number", number.into()), ("day", day.into()), ("reason", reason.into())];
    match unit {
        Some(unit) => fmt.message_with("trust-unreachable-place", &[&args[..], &[("unit", unit.into())]].concat()),
        None => fmt.message_with("trust-unreachable-unknown-place", &args),
    }
}

/// Key of the text of a reason.
pub(crate) fn reason(reason: UnreachableReason) -> &'static str {
    match reason {
        UnreachableReason::Road => "unreachable-road",
        UnreachableReason::Disaster => "unreachable-disaster",
        UnreachableReason::Quarantine => "unreachable-quarantine",
        UnreachableReason::Venue => "unreachable-venue",
        UnreachableReason::Absence => "unreachable-absence",
        UnreachableReason::Other => "unreachable-other",
    }
}

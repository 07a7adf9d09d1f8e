//! Who was in the room, and what is known of it: sheets with names, heads counted, or both.
//!
//! People come from around the venue, by a propensity of their own, often with somebody of their household; some from another unit,
//! from outside the region, or under age. A revealing audience is only counted.

use std::{collections::HashSet, ops::Range};

use super::{
    World,
    dice::Dice,
    meeting::{Brief, Flaw, Heads, Home, Line, Meeting, Outcome},
    people::{PHONES, Stranger, Who},
};

/// Evidence by meeting: a whole sheet, a sheet of a part, heads only.
const WHOLE: f64 = 0.62;
const PART: f64 = 0.08;
/// People who attend again and again.
const ACTIVISTS: usize = 200;
/// People brought along from one's household.
const BROUGHT_ALONG: f64 = 0.3;

/// Fills the rooms of all meetings that are held.
pub(super) fn fill(world: &World<'_>, meetings: &mut [Meeting], dice: &mut Dice) {
    let sizes = sizes(world, meetings, dice);
    let held = meetings.iter_mut().filter(|meeting| meeting.outcome == Outcome::Held);
    for (meeting, people) in held.zip(sizes) {
        let (named, counted) = evidence(world, meeting, people, dice);
        meeting.lines = sheet(world, meeting, named, dice);
        if counted {
            let exact = named == people;
            meeting.heads = Some(heads(if exact { meeting.lines.len() as u32 } else { people }, exact, dice));
        }
    }
    activists(world, meetings, dice);
}

/// How many people come to each meeting that is held. Drawn by format, then scaled to what the formats promise for so many meetings, so
/// that no seed has a campaign of another size only because it drew a few large halls more.
fn sizes(world: &World<'_>, meetings: &[Meeting], dice: &mut Dice) -> Vec<u32> {
    let held: Vec<&Meeting> = meetings.iter().filter(|meeting| meeting.outcome == Outcome::Held).collect();
    let style = |meeting: &Meeting| &world.scenario.formats[meeting.report.format];
    let drawn: Vec<f64> = held.iter().map(|meeting| dice.log_normal(style(meeting).median, style(meeting).sigma)).collect();
    let formats = &world.scenario.formats;
    let shares: f64 = formats.iter().map(|format| f64::from(format.share)).sum();
    let people: f64 =
        formats.iter().map(|format| f64::from(format.share) * format.median * (format.sigma * format.sigma / 2.0).exp()).sum();
    let scale = people / shares * drawn.len() as f64 / drawn.iter().sum::<f64>();
    let fit = |(meeting, drawn): (&&Meeting, &f64)| {
        let catchment = catchment(world, meeting);
        ((drawn * scale) as u32).clamp(5, 1_500).min((catchment.end - catchment.start) / 2)
    };
    held.iter().zip(&drawn).map(fit).collect()
}

/// The voters around a meeting: those of its precinct and its neighbours, or of the whole unit.
pub(super) fn catchment(world: &World<'_>, meeting: &Meeting) -> Range<u32> {
    let wanted = world.scenario.formats[meeting.report.format].precincts as usize;
    let unit = &world.roll.units[meeting.report.unit];
    let Some(precinct) = meeting.report.precinct.filter(|_| 0 < wanted && wanted < unit.len()) else {
        return world.roll.voters_of(meeting.report.unit);
    };
    let first = precinct.saturating_sub(wanted / 2).clamp(unit.start, unit.end - wanted);
    world.roll.precincts[first].voters.start..world.roll.precincts[first + wanted - 1].voters.end
}

/// Would being there tell belief, origin or health?
pub(super) fn revealing(world: &World<'_>, brief: &Brief) -> bool {
    std::iter::once(brief.category).chain(brief.secondary).any(|category| world.campaign.categories[category].revealing)
}

/// How many of the people are named, and whether heads are counted. Small meetings more often count heads only.
fn evidence(world: &World<'_>, meeting: &Meeting, people: u32, dice: &mut Dice) -> (u32, bool) {
    if revealing(world, &meeting.report) {
        return (0, true);
    }
    let median = world.scenario.formats[meeting.report.format].median;
    // The revealing audiences are counted only; that is made up for here.
    let whole = WHOLE * if f64::from(people) < median { 0.98 } else { 1.26 };
    let dice_says = dice.unit();
    if dice_says < whole {
        (people, dice.chance(0.45))
    } else if dice_says < whole + PART {
        ((f64::from(people) * (0.4 + 0.4 * dice.unit())) as u32, true)
    } else {
        (0, true)
    }
}

fn sheet(world: &World<'_>, meeting: &Meeting, people: u32, dice: &mut Dice) -> Vec<Line> {
    let catchment = catchment(world, meeting);
    let mut seen = HashSet::with_capacity(people as usize);
    let mut lines = Vec::with_capacity(people as usize);
    let mut tries = people * 40;
    while lines.len() < people as usize && tries > 0 {
        tries -= 1;
        let who = somebody(world, meeting, &catchment, dice);
        if seen.insert(who) {
            lines.push(line(world, who, meeting.report.unit, dice));
        }
        if let Who::Strong(voter) = who
            && world.people.off_roll(voter).is_none()
            && lines.len() < people as usize
            && dice.chance(BROUGHT_ALONG)
        {
            let household = world.roll.household(voter);
            let other = Who::Strong(dice.between(household.start.into(), i64::from(household.end) - 1) as u32);
            if seen.insert(other) {
                lines.push(line(world, other, meeting.report.unit, dice));
            }
        }
    }
    lines
}

/// Somebody in the room.
fn somebody(world: &World<'_>, meeting: &Meeting, catchment: &Range<u32>, dice: &mut Dice) -> Who {
    let unit = meeting.report.unit;
    let stranger = |wanted: fn(Stranger, usize, &World<'_>) -> bool, dice: &mut Dice| {
        world.people.stranger(|kind| wanted(kind, unit, world), dice).map(Who::Strong)
    };
    let found = match dice.weighted([0.03, 0.03, 0.01, 0.005, 0.0015, 0.02, 0.9035].into_iter()) {
        0 => Some(Who::Weak(dice.below(PHONES as usize) as u32)),
        1 => stranger(|kind, _, _| kind == Stranger::Minor, dice),
        2 => stranger(|kind, _, _| kind == Stranger::Elsewhere, dice),
        3 => stranger(|kind, _, _| kind == Stranger::Unregistered, dice),
        4 => stranger(|kind, unit, world| matches!(kind, Stranger::MovedAway(from) if world.roll.units[unit].contains(&from)), dice),
        5 if world.roll.units.len() > 1 => {
            let others: Vec<usize> = (0..world.roll.units.len()).filter(|other| *other != unit).collect();
            let other = world.roll.voters_of(*dice.pick(&others));
            Some(Who::Strong(world.roll.attendee(&other, dice)))
        }
        _ => None,
    };
    found.unwrap_or_else(|| Who::Strong(world.roll.attendee(catchment, dice)))
}

/// What the sheet says of somebody at a meeting in a unit.
pub(super) fn line(world: &World<'_>, who: Who, unit: usize, dice: &mut Dice) -> Line {
    let stated = dice.weighted([0.5, 0.3, 0.2].into_iter());
    let of_precinct = |precinct: usize| match stated {
        0 => Home::Precinct(precinct),
        1 => Home::Unit(world.roll.precincts[precinct].unit),
        _ => Home::Unknown,
    };
    let asked = dice.chance(0.9);
    let (home, adult) = match who {
        Who::Weak(_) => (if stated == 2 { Home::Unknown } else { Home::Unit(unit) }, asked.then_some(true)),
        Who::Strong(person) => match world.people.off_roll(person) {
            None => (of_precinct(world.roll.precinct_of(person)), asked.then_some(true)),
            Some(Stranger::Elsewhere) => (Home::Outside, asked.then_some(true)),
            Some(Stranger::Unregistered) => (Home::Unknown, asked.then_some(true)),
            Some(Stranger::Minor) => (Home::Unit(unit), Some(false)),
            Some(Stranger::MovedAway(precinct)) => (of_precinct(precinct), asked.then_some(true)),
        },
    };
    Line { who, home, adult, flaw: Flaw::Sound }
}

/// Counts heads: with a sheet of everybody nearly right; else a little high and often in round numbers.
pub(super) fn heads(people: u32, exact: bool, dice: &mut Dice) -> Heads {
    let one = |dice: &mut Dice| {
        let guess = if exact {
            f64::from(people) * if dice.chance(0.7) { 1.0 } else { dice.log_normal(1.0, 0.03) }
        } else {
            f64::from(people) * dice.log_normal(1.083, 0.15)
        };
        let step = match guess as u32 {
            0..40 => 5.0,
            40..120 => 10.0,
            120..400 => 50.0,
            _ => 100.0,
        };
        let heaped = if !exact && dice.chance(0.6) { (guess / step).round() * step } else { guess.round() };
        heaped.max(1.0) as u32
    };
    let first = one(dice);
    let old_form = dice.chance(0.1);
    let second = (!old_form && dice.chance(0.25)).then(|| one(dice));
    let low = second.map_or(first, |second| first.min(second));
    let eligible_minimum = (!old_form && low >= 10 && dice.chance(0.4)).then(|| low * 6 / 10);
    Heads { first, second, eligible_minimum, old_form }
}

/// Some people attend six times and more, in their own unit.
fn activists(world: &World<'_>, meetings: &mut [Meeting], dice: &mut Dice) {
    let mut by_unit: Vec<Vec<usize>> = vec![Vec::new(); world.roll.units.len()];
    for (index, meeting) in meetings.iter().enumerate().filter(|(_, meeting)| !meeting.lines.is_empty()) {
        by_unit[meeting.report.unit].push(index);
    }
    let voters = world.roll.len() as f64;
    for (unit, held) in by_unit.iter_mut().enumerate() {
        let range = world.roll.voters_of(unit);
        let number = (ACTIVISTS as f64 * f64::from(range.end - range.start) / voters).round() as usize;
        for _ in 0..number {
            let who = Who::Strong(world.roll.attendee(&range, dice));
            let times = dice.between(6, 12) as usize;
            dice.shuffle(held);
            for index in held.iter().take(times) {
                if meetings[*index].lines.iter().all(|line| line.who != who) {
                    let line = line(world, who, unit, dice);
                    meetings[*index].lines.push(line);
                }
            }
        }
    }
}

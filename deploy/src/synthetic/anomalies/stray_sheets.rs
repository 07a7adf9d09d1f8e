//! Sheets that belong to no report: under meeting ids that never become known, and of planned meetings that are never reported.

use crate::synthetic::{
    World, audience,
    meeting::{Anomaly, GeneratedLine, GeneratedMeeting, MeetingOutcome},
    people::Attendee,
    rng::SeededRng,
};

/// Sheets under unknown meeting ids.
const STRAY_SHEETS: u32 = 12;
/// Meetings without a report whose sheet arrives nevertheless.
const SHEETS_WITHOUT_REPORT: usize = 5;

/// Adds sheets to unreported meetings, and meetings that consist of a sheet only.
pub(super) fn add(world: &World<'_>, meetings: &mut Vec<GeneratedMeeting>, rng: &mut SeededRng) {
    let silent = |meeting: &GeneratedMeeting| meeting.outcome == MeetingOutcome::Unreported && !audience::revealing(world, &meeting.report);
    for meeting in meetings.iter_mut().filter(|meeting| silent(meeting)).take(SHEETS_WITHOUT_REPORT) {
        meeting.lines = local_lines(world, meeting.report.unit, rng);
        meeting.anomaly = Anomaly::StraySheet;
    }
    for number in 0..STRAY_SHEETS {
        let mut stray = meetings[rng.below(meetings.len())].clone();
        let unit = stray.report.unit;
        // INVARIANT: a unit's code, a hyphen and a number are a valid code.
        stray.id = format!("{}-{}", world.campaign.units[unit].code, 9_001 + number).parse().expect("a meeting id");
        stray.lines = local_lines(world, unit, rng);
        stray.moves.clear();
        stray.plan = None;
        stray.outcome = MeetingOutcome::Unreported;
        stray.headcount = rng.chance(0.5).then(|| audience::count_heads(stray.lines.len() as u32, true, rng));
        stray.anomaly = Anomaly::StraySheet;
        meetings.push(stray);
    }
}

/// Lines of 5 to 15 voters of a unit.
fn local_lines(world: &World<'_>, unit: usize, rng: &mut SeededRng) -> Vec<GeneratedLine> {
    let among = world.roll.voters_of(unit);
    let mut people: Vec<u32> = (0..rng.between(5, 15)).map(|_| world.roll.draw_voter(&among, rng)).collect();
    people.sort_unstable();
    people.dedup();
    people.into_iter().map(|voter| audience::sheet_line(world, Attendee::Strong(voter), unit, rng)).collect()
}

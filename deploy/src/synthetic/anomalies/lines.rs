//! Anomalies of the lines of attendance sheets: mistyped national ids, misspelt units, and lines that are retracted.

use crate::{
    submission::Iin,
    synthetic::{
        World, audience, iin,
        meeting::{GeneratedLine, GeneratedMeeting, LineAnomaly, StatedResidence},
        people::Attendee,
        rng::SeededRng,
        roll::GeneratedRoll,
    },
};

/// Shares of lines: 1.2 % wrong digits, 0.4 % transposed digits, 1 % unknown units, 1 % retracted.
const SHARES: [f64; 5] = [0.012, 0.004, 0.01, 0.01, 0.964];

/// Chooses the anomalies of all lines, and adds the lines that are retracted.
pub(super) fn decide(world: &mut World<'_>, meetings: &mut [GeneratedMeeting], rng: &mut SeededRng) {
    let voter_index = VoterIndex::of(&world.roll);
    for meeting in meetings.iter_mut() {
        let mut mistaken = 0;
        for line in &mut meeting.lines {
            match rng.weighted(SHARES.into_iter()) {
                0 => line.anomaly = mistyped(world, line.attendee, rng),
                1 => transposed(world, &voter_index, line, rng),
                2 if matches!(line.residence, StatedResidence::Unit(_) | StatedResidence::Precinct(_)) => {
                    line.anomaly = LineAnomaly::MisspeltUnit
                }
                3 => mistaken += 1,
                _ => {}
            }
        }
        let catchment = world.roll.voters_of(meeting.report.unit);
        for _ in 0..mistaken {
            let attendee = Attendee::Strong(world.roll.draw_voter(&catchment, rng));
            if meeting.lines.iter().all(|line| line.attendee != attendee) {
                let line = audience::sheet_line(world, attendee, meeting.report.unit, rng);
                meeting.lines.push(GeneratedLine { anomaly: LineAnomaly::Retracted, ..line });
            }
        }
    }
}

/// A national id with one wrong digit and therefore a wrong check digit.
fn mistyped(world: &World<'_>, attendee: Attendee, rng: &mut SeededRng) -> LineAnomaly {
    let Attendee::Strong(person) = attendee else { return LineAnomaly::None };
    let number = world.people.iin(person, &world.roll).0;
    let typed = (0..100).map(|_| {
        let power = 10_u64.pow(rng.below(12) as u32);
        let digit = number / power % 10;
        number - digit * power + (digit + rng.between(1, 9).unsigned_abs()) % 10 * power
    });
    let bad = typed.map(Iin).find(|iin| !iin::is_valid(*iin));
    bad.map_or(LineAnomaly::None, |typed| LineAnomaly::Mistyped { typed, corrected: rng.chance(0.7) })
}

/// Swaps two neighbouring digits. If the check digit is still valid, another person is recorded, or an id that nobody has.
fn transposed(world: &mut World<'_>, voter_index: &VoterIndex, line: &mut GeneratedLine, rng: &mut SeededRng) {
    let Attendee::Strong(person) = line.attendee else { return };
    let number = world.people.iin(person, &world.roll).0;
    let power = 10_u64.pow(rng.below(11) as u32);
    let (low, high) = (number / power % 10, number / power / 10 % 10);
    if low == high {
        return;
    }
    let typed = Iin(number - low * power - high * power * 10 + high * power + low * power * 10);
    if iin::is_valid(typed) {
        let known = voter_index.voter(typed).or_else(|| world.people.find_off_roll(typed));
        line.attendee = Attendee::Strong(known.unwrap_or_else(|| world.people.add_mistyped(typed)));
    } else {
        line.anomaly = LineAnomaly::Mistyped { typed, corrected: rng.chance(0.7) };
    }
}

/// The voters of the roll, sorted by national id.
struct VoterIndex(Vec<(Iin, u32)>);

impl VoterIndex {
    fn of(roll: &GeneratedRoll) -> Self {
        let mut all: Vec<(Iin, u32)> = roll.iins().iter().copied().zip(0..).collect();
        all.sort_unstable();
        Self(all)
    }

    fn voter(&self, iin: Iin) -> Option<u32> {
        self.0.binary_search_by_key(&iin, |(iin, _)| *iin).ok().map(|index| self.0[index].1)
    }
}

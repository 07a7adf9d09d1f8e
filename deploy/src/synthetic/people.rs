//! The members of the coalitions, and attendees who are not on the roll.
//!
//! The number of members is exactly that of the campaign file. Nobody off the roll has the national id of a voter.

use qamtu_schemas::{
    event::Sex,
    id::{MemberId, PartyCode},
};

use super::{
    iin::{Issuer, birthday},
    rng::{RngStream, SeededRng},
    roll::GeneratedRoll,
};
use crate::{
    campaign::{Campaign, Scenario},
    submission::{Identifier, Iin, Phone},
};

/// A member of a coalition, who holds meetings.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub id: MemberId,
    pub coalition: usize,
    pub party: Option<PartyCode>,
    /// Relative number of meetings: Zipf within the coalition.
    pub workload: f64,
    /// Never sends a report.
    pub silent: bool,
}

/// Why somebody is not on the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OffRollReason {
    /// From Shymkent, which is not part of the region.
    OutsideRegion,
    /// Not registered in the region; residence not stated.
    Unregistered,
    /// Under 18 years old.
    Minor,
    /// Only on the first version of this precinct's roll.
    MovedAway(usize),
}

#[derive(Debug)]
struct OffRollPerson {
    iin: Iin,
    reason: OffRollReason,
}

/// All members, and all attendees who are not on the roll.
#[derive(Debug)]
pub(super) struct GeneratedPeople {
    pub members: Vec<Member>,
    off_roll: Vec<OffRollPerson>,
    on_roll: u32,
}

/// Who attended: an index into the roll and, beyond its end, into the people off the roll; or the number of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Attendee {
    Strong(u32),
    Weak(u32),
}

const OUTSIDE_REGION: usize = 1_100;
const UNREGISTERED: usize = 500;
const MINORS: usize = 2_200;
pub(super) const PHONES: u32 = 3_000;

impl GeneratedPeople {
    pub fn draw(campaign: &Campaign, scenario: &Scenario, seed: u64, roll: &GeneratedRoll, issuer: &mut Issuer) -> Self {
        let mut rng = SeededRng::new(seed, RngStream::People);
        let vote_year = campaign.calendar.vote.year();
        let mut off_roll = Vec::new();
        let reasons =
            [(OUTSIDE_REGION, OffRollReason::OutsideRegion), (UNREGISTERED, OffRollReason::Unregistered), (MINORS, OffRollReason::Minor)];
        for (number, reason) in reasons {
            for _ in 0..number {
                let (youngest, oldest) = if reason == OffRollReason::Minor { (14, 17) } else { (19, 70) };
                let born = birthday(vote_year - rng.between(youngest, oldest) as i16, 12, &mut rng);
                let sex = if rng.chance(0.5) { Sex::Male } else { Sex::Female };
                off_roll.push(OffRollPerson { iin: issuer.issue(born, sex), reason });
            }
        }
        for (precinct, gone) in &roll.moved_away {
            off_roll.extend(gone.iter().map(|iin| OffRollPerson { iin: *iin, reason: OffRollReason::MovedAway(*precinct) }));
        }
        Self { members: members(campaign, scenario, &mut rng), off_roll, on_roll: roll.number_of_voters() as u32 }
    }

    /// Draws a person who is off the roll for a wanted reason.
    pub fn draw_off_roll(&self, wanted: impl Fn(OffRollReason) -> bool, rng: &mut SeededRng) -> Option<u32> {
        let mut tries = (0..200).map(|_| rng.below(self.off_roll.len()));
        tries.find(|index| wanted(self.off_roll[*index].reason)).map(|index| self.on_roll + index as u32)
    }

    /// Why a person is not on the roll; `None` for a voter.
    pub fn off_roll_reason(&self, person: u32) -> Option<OffRollReason> {
        person.checked_sub(self.on_roll).map(|index| self.off_roll[index as usize].reason)
    }

    /// Adds a person whose id came from a typing error with a valid check digit.
    pub fn add_mistyped(&mut self, typed: Iin) -> u32 {
        self.off_roll.push(OffRollPerson { iin: typed, reason: OffRollReason::Unregistered });
        self.on_roll + self.off_roll.len() as u32 - 1
    }

    /// Finds a person off the roll by national id.
    pub fn find_off_roll(&self, iin: Iin) -> Option<u32> {
        self.off_roll.iter().position(|person| person.iin == iin).map(|index| self.on_roll + index as u32)
    }

    /// The identifier of an attendee on a sheet.
    pub fn identifier(&self, attendee: Attendee, roll: &GeneratedRoll) -> Identifier {
        match attendee {
            // No network has the prefix 000.
            Attendee::Weak(phone) => Identifier::Phone(Phone(70_000_000_000 + u64::from(phone))),
            Attendee::Strong(person) => Identifier::Iin(self.iin(person, roll)),
        }
    }

    /// The national id of a strongly identified person.
    pub fn iin(&self, person: u32, roll: &GeneratedRoll) -> Iin {
        match person.checked_sub(self.on_roll) {
            Some(index) => self.off_roll[index as usize].iin,
            None => roll.iins()[person as usize],
        }
    }
}

fn members(campaign: &Campaign, scenario: &Scenario, rng: &mut SeededRng) -> Vec<Member> {
    let mut members = Vec::new();
    for (coalition, definition) in campaign.coalitions.iter().enumerate() {
        let unit = definition.unit.as_ref().and_then(|code| campaign.units.iter().find(|unit| unit.code == *code));
        let size = unit.map_or(scenario.regional_members, |unit| unit.synthetic.map_or(0, |size| size.members));
        for rank in 0..size {
            // INVARIANT: a letter, a hyphen and a number are a valid code.
            let id = format!("M-{:03}", members.len() + 1).parse().expect("a member id");
            let party = rng.chance(f64::from(scenario.members_with_party) / 100.0).then(|| {
                let index = rng.weighted(scenario.party_shares.values().map(|share| f64::from(*share)));
                scenario.party_shares.keys().nth(index).cloned()
            });
            let workload = 1.0 / f64::from(rank + 3);
            members.push(Member { id, coalition, party: party.flatten(), workload, silent: rng.chance(0.03) });
        }
    }
    members
}

//! The roll as submissions, one per precinct and version.

use std::sync::Arc;

use jiff::SignedDuration;
use qamtu_schemas::{
    event::{PrecinctEnrolled, PseudonymStrength, RollEntry},
    id::EventId,
};

use super::GeneratedRoll;
use crate::{
    campaign::{Campaign, Scenario},
    submission::{Identifier, Iin, Payload, Submission},
    synthetic::{
        clock::Clock,
        rng::{RngStream, SeededRng},
    },
};

impl GeneratedRoll {
    /// One submission per precinct and version, in order of arrival. Generated lazily, since each is large.
    pub fn submissions<'a>(&'a self, campaign: &'a Campaign, scenario: &'a Scenario, seed: u64) -> impl Iterator<Item = Submission> + 'a {
        let clock = Clock::new(campaign, scenario);
        let mut rng = SeededRng::new(seed, RngStream::RollIds);
        let id = Arc::new(campaign.id.clone());
        let again = clock.at(scenario.counts.get(1).copied().unwrap_or(scenario.first_meeting), 9);
        let first =
            (0..self.precincts.len()).map(move |precinct| (precinct, 1, clock.begins + SignedDuration::from_secs(3_600 + precinct as i64)));
        let second = self.moved_away.keys().map(move |precinct| (*precinct, 2, again + SignedDuration::from_secs(*precinct as i64)));
        first.chain(second).map(move |(precinct, version, received)| Submission {
            id: EventId(rng.id(received)),
            source: "roll-import".into(),
            time: received,
            recordedtime: None,
            receivedtime: Some(received),
            campaign: id.clone(),
            import: None,
            data: Payload::Roll(self.enrolled(precinct, version)),
        })
    }

    fn enrolled(&self, precinct: usize, version: u32) -> PrecinctEnrolled<Identifier> {
        let listed = &self.precincts[precinct];
        let mut voters: Vec<Iin> = listed.voters.clone().map(|voter| self.iins[voter as usize]).collect();
        if version == 1
            && let Some(gone) = self.moved_away.get(&precinct)
        {
            voters.truncate(voters.len() - gone.len());
            voters.extend(gone);
        }
        let twice = self.listed_twice.get(&precinct).into_iter().flatten();
        voters.extend(twice.map(|voter| self.iins[*voter as usize]));
        let entry = |iin: Iin| RollEntry(Identifier::Iin(iin), self.birth_band(iin), iin.sex());
        PrecinctEnrolled {
            precinct: listed.id.clone(),
            version,
            strength: PseudonymStrength::Strong,
            voters: voters.into_iter().map(entry).collect(),
        }
    }

    /// First year of the five-year band of the year of birth.
    fn birth_band(&self, iin: Iin) -> u16 {
        let this = self.vote_year.unsigned_abs();
        let century = this - this % 100;
        let year = century + iin.year_digits() as u16;
        let born = if year + 17 < this { year } else { year - 100 };
        born - born % 5
    }
}

//! Generates a synthetic campaign at full size: the roll, a stream of events with all kinds of anomalies, and the expected figures.
//!
//! Campaign file and seed determine every byte. Every national id has a century digit that no living person has. The oracle is computed
//! from the final facts of the meetings, not from the events.
//!
//! The stages are the functions of [`generate`]: roll and people, meetings, audience, anomalies, stream, oracle.

use crate::{
    campaign::{Campaign, Scenario},
    submission::Submission,
};

mod anomalies;
mod audience;
mod clock;
mod corrections;
mod emit_headcounts;
mod emit_meetings;
mod emit_plans;
mod emit_reports;
mod emit_sheets;
mod emit_verification;
pub mod emitter;
pub mod iin;
mod meeting;
mod meetings;
mod misspelling;
pub mod oracle;
mod people;
mod reference;
mod rng;
pub mod roll;
pub mod stream;

use clock::Clock;
use people::GeneratedPeople;
use reference::Venue;
use rng::{RngStream, SeededRng};

pub use emitter::{ExpectedOutcome, GeneratedSubmission};
pub use oracle::Oracle;
pub use roll::GeneratedRoll;

/// The generated campaign before its meetings, which all later stages read.
struct World<'a> {
    campaign: &'a Campaign,
    scenario: &'a Scenario,
    clock: Clock,
    roll: GeneratedRoll,
    people: GeneratedPeople,
    venues: Vec<Venue>,
}

/// A generated campaign: roll, event stream and oracle.
#[derive(Debug)]
pub struct Synthetic {
    /// Precincts and registered voters.
    pub roll: GeneratedRoll,
    /// All submissions except the roll, in order of arrival.
    pub stream: Vec<GeneratedSubmission>,
    /// Expected figures and counts.
    pub oracle: Oracle,
    campaign: Campaign,
    scenario: Scenario,
    seed: u64,
}

impl Synthetic {
    /// The submissions of the roll, in order of arrival, generated lazily.
    pub fn roll_submissions(&self) -> impl Iterator<Item = Submission> + '_ {
        self.roll.submissions(&self.campaign, &self.scenario, self.seed)
    }

    /// Number of submissions at the start of the stream that are reference data, which all others refer to.
    pub fn reference_len(&self) -> usize {
        let first_meeting = |sent: &GeneratedSubmission| matches!(sent.submission.kind().kind, qamtu_schemas::Kind::MeetingPlanned);
        self.stream.iter().position(first_meeting).unwrap_or(self.stream.len())
    }
}

/// Generates the campaign of a seed; `None` if the campaign file has no `[synthetic]` table.
pub fn generate(campaign: &Campaign, seed: u64) -> Option<Synthetic> {
    let scenario = campaign.synthetic.as_ref()?;
    let clock = Clock::new(campaign, scenario);
    let mut issuer = iin::Issuer::new();
    let roll = GeneratedRoll::draw(campaign, scenario, seed, &mut issuer);
    let people = GeneratedPeople::draw(campaign, scenario, seed, &roll, &mut issuer);
    let mut rng = SeededRng::new(seed, RngStream::Meetings);
    let venues = reference::venues(campaign, &roll, &mut rng);
    let mut world = World { campaign, scenario, clock, roll, people, venues };
    let mut meetings = meetings::draw(&world, &mut rng);
    audience::fill(&world, &mut meetings, &mut SeededRng::new(seed, RngStream::Audience));
    let imports = anomalies::decide(&mut world, &mut meetings, &mut SeededRng::new(seed, RngStream::Anomalies));
    let stream = stream::generate(&world, &meetings, &imports, seed);
    let oracle = oracle::compute(&world, &meetings, &stream, seed);
    Some(Synthetic { roll: world.roll, stream: stream.sent, oracle, campaign: campaign.clone(), scenario: scenario.clone(), seed })
}

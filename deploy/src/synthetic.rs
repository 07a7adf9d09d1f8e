//! An invented campaign at full size: the roll, a stream of everything the field sends with all its anomalies, and what must come of it.
//!
//! Guarantees: everything follows from the campaign file and the seed, byte for byte; every number of a person has a century digit that
//! no living person has; the oracle is worked out from the truth of the meetings, not from the events. Leaves sending to the demo.
//!
//! The stages are the functions of [`generate`]: roll and people, meetings, audience, anomalies, stream, oracle.

use crate::{
    campaign::{Campaign, Scenario},
    submission::Submission,
};

mod anomalies;
mod audience;
mod clock;
mod emit_meetings;
mod emit_sheets;
pub mod emitter;
mod headcounts;
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
use people::People;
use reference::Venue;
use rng::{RngStream, SeededRng};

pub use emitter::{ExpectedOutcome, GeneratedSubmission};
pub use oracle::Oracle;
pub use roll::Roll;

/// What everything else leans on.
struct World<'a> {
    campaign: &'a Campaign,
    scenario: &'a Scenario,
    clock: Clock,
    roll: Roll,
    people: People,
    venues: Vec<Venue>,
}

/// An invented campaign.
#[derive(Debug)]
pub struct Synthetic {
    /// Every voter.
    pub roll: Roll,
    /// Everything sent but the roll, in order of arrival.
    pub stream: Vec<GeneratedSubmission>,
    /// What must come of it.
    pub oracle: Oracle,
    campaign: Campaign,
    scenario: Scenario,
    seed: u64,
}

impl Synthetic {
    /// The submissions of the roll, in order of arrival, made one by one.
    pub fn roll_submissions(&self) -> impl Iterator<Item = Submission> + '_ {
        self.roll.submissions(&self.campaign, &self.scenario, self.seed)
    }

    /// How many of the first submissions of the stream everything else leans on: the reference data of the first morning.
    pub fn reference_len(&self) -> usize {
        let first_meeting = |sent: &GeneratedSubmission| matches!(sent.submission.kind().kind, qamtu_schemas::Kind::MeetingPlanned);
        self.stream.iter().position(first_meeting).unwrap_or(self.stream.len())
    }
}

/// Makes the campaign of this seed; `None` if the campaign file invents nothing.
pub fn generate(campaign: &Campaign, seed: u64) -> Option<Synthetic> {
    let scenario = campaign.synthetic.as_ref()?;
    let clock = Clock::new(campaign, scenario);
    let mut issuer = iin::Issuer::new();
    let roll = Roll::draw(campaign, scenario, seed, &mut issuer);
    let people = People::draw(campaign, scenario, seed, (&roll, &mut issuer));
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

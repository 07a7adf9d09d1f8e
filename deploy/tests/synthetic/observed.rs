//! What the submissions say, by the decoder and the folds of the event contract.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::OnceLock,
};

use qamtu::{
    submission::{Identifier, Payload, Submission},
    synthetic::ExpectedOutcome,
};
use qamtu_schemas::{
    Data, Envelope, Event, MeetingFold, MeetingState, Reference,
    event::{AttendanceRecorded, Person, PseudonymStrength, Report},
    id::{BodyHash, CategoryCode, EventId, MeetingId, Pseudonym},
};

use crate::{campaign, full};

/// The accepted submissions, in order of arrival.
pub fn accepted() -> impl Iterator<Item = &'static Submission> {
    full().stream.iter().filter(|sent| sent.expected == ExpectedOutcome::Accepted).map(|sent| &sent.submission)
}

/// The submissions that ingest must refuse, each with its problem code.
pub fn refused() -> impl Iterator<Item = (&'static str, &'static Submission)> {
    full().stream.iter().filter_map(|sent| match sent.expected {
        ExpectedOutcome::Refused(code) => Some((code, &sent.submission)),
        _ => None,
    })
}

/// The number of an identifier as pseudonym.
pub fn pseudonym(identifier: &Identifier) -> Pseudonym {
    let (Identifier::Iin(qamtu::submission::Iin(number)) | Identifier::Phone(qamtu::submission::Phone(number))) = identifier;
    Pseudonym(u128::from(*number).to_be_bytes())
}

/// The event that ingest would store; none for rolls and consents.
fn stored(submission: &Submission) -> Option<Event> {
    let stored = match &submission.data {
        Payload::Attendance(line) => serde_json::to_vec(&AttendanceRecorded {
            meeting: line.meeting.clone(),
            attendee: Person {
                id: pseudonym(&line.attendee),
                strength: match line.attendee {
                    Identifier::Iin(_) => PseudonymStrength::Strong,
                    Identifier::Phone(_) => PseudonymStrength::Weak,
                },
            },
            consent: line.consent.clone(),
            residence: line.residence.clone(),
            adult: line.adult,
            sheet: line.sheet.clone(),
        }),
        Payload::Plain(_) | Payload::OldHeadcount(_) => serde_json::to_vec(&submission.data),
        _ => return None,
    };
    let data = qamtu_schemas::decode::payload(submission.kind(), &stored.unwrap(), "/data").unwrap();
    let envelope = Envelope {
        id: submission.id,
        kind: submission.kind(),
        source: submission.source.parse().ok()?,
        time: submission.time,
        recordedtime: submission.recordedtime,
        receivedtime: submission.receivedtime?,
        campaign: (*submission.campaign).clone(),
        import: submission.import,
        bodyhash: BodyHash([0; 16]),
    };
    Some(Event { envelope, data })
}

/// A meeting as its accepted events show it.
pub struct ObservedMeeting {
    /// Its events, in order of arrival.
    pub events: Vec<Event>,
    /// What they amount to.
    pub state: MeetingState,
}

impl ObservedMeeting {
    /// Pairs of an event and another one that it replaces.
    pub fn replacements(&self) -> impl Iterator<Item = (&Event, &Event)> {
        self.events.iter().flat_map(|new| {
            let old = |id: &EventId| self.events.iter().find(|event| event.envelope.id == *id);
            new.data.supersedes().iter().filter_map(move |id| Some((new, old(id)?)))
        })
    }

    /// The events that no other event of the meeting replaces.
    pub fn in_force(&self) -> impl Iterator<Item = &Event> {
        let replaced: HashSet<EventId> = self.replacements().map(|(_, old)| old.envelope.id).collect();
        self.events.iter().filter(move |event| !replaced.contains(&event.envelope.id))
    }

    /// Whether a category at whose meetings only heads may be counted is in force.
    pub fn is_revealing(&self, revealing: &BTreeSet<&CategoryCode>) -> bool {
        self.state.audiences.iter().any(|category| revealing.contains(category))
    }
}

/// The report of an event, first or corrected.
pub fn report(event: &Event) -> Option<&Report> {
    match &event.data {
        Data::MeetingHeld(held) => Some(&held.report),
        Data::MeetingCorrected(corrected) => corrected.report.as_ref(),
        _ => None,
    }
}

/// The campaign as its accepted events show it.
pub struct Observed {
    pub reference: Reference,
    pub meetings: BTreeMap<MeetingId, ObservedMeeting>,
    /// People whose withdrawal of consent is in force.
    pub withdrawn: BTreeSet<Pseudonym>,
}

impl Observed {
    /// Number of meetings that satisfy a condition.
    pub fn count(&self, condition: impl Fn(&ObservedMeeting) -> bool) -> u64 {
        self.meetings.values().filter(|meeting| condition(meeting)).count() as u64
    }
}

/// The events of the campaign, folded once.
pub fn observed() -> &'static Observed {
    static OBSERVED: OnceLock<Observed> = OnceLock::new();
    OBSERVED.get_or_init(|| {
        let mut reference = Reference::default();
        let mut by_meeting: BTreeMap<MeetingId, Vec<Event>> = BTreeMap::new();
        let mut withdrawals: BTreeMap<EventId, Pseudonym> = BTreeMap::new();
        for submission in accepted() {
            match &submission.data {
                Payload::ConsentWithdrawn(data) => drop(withdrawals.insert(submission.id, pseudonym(&data.person))),
                Payload::ConsentGiven(data) => withdrawals.retain(|id, _| !data.supersedes.contains(id)),
                _ => {}
            }
            let Some(event) = stored(submission) else { continue };
            match event.data.meeting().cloned() {
                Some(meeting) => by_meeting.entry(meeting).or_default().push(event),
                None => drop(reference.apply(&event)),
            }
        }
        let folded = by_meeting.into_iter().map(|(id, events)| {
            let mut fold = MeetingFold::default();
            events.iter().cloned().for_each(|event| fold.insert(event));
            (id, ObservedMeeting { state: fold.state(reference.reversed()), events })
        });
        let meetings = folded.collect();
        Observed { meetings, withdrawn: withdrawals.into_values().collect(), reference }
    })
}

/// Whether a meeting's local day is a lawful campaign day.
pub fn is_lawful(starts: jiff::Timestamp) -> bool {
    let calendar = campaign().calendar;
    (calendar.opens..=calendar.closes).contains(&starts.to_zoned(campaign().zone()).date())
}

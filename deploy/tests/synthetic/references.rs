//! The stream: its order, its references, and the reason of every expected outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use qamtu::{
    submission::{Payload, Submission},
    synthetic::{ExpectedOutcome, GeneratedSubmission},
};
use qamtu_schemas::{Kind, id::EventId};
use serde_json::Value;

use crate::{assert_within, campaign, figure, full, observed::accepted};

#[test]
fn the_stream_is_in_order_and_every_expected_outcome_is_justified() {
    let stream = &full().stream;
    assert!(stream.windows(2).all(|pair| pair[0].submission.receivedtime <= pair[1].submission.receivedtime));
    let mut first: HashMap<EventId, &Submission> = HashMap::new();
    let without_arrival = |submission: &Submission| Submission { receivedtime: None, ..submission.clone() };
    for GeneratedSubmission { submission, expected } in stream {
        let earlier = first.get(&submission.id);
        match expected {
            ExpectedOutcome::Accepted => assert!(first.insert(submission.id, submission).is_none(), "{} twice", submission.id),
            ExpectedOutcome::Duplicate => assert_eq!(earlier.map(|earlier| without_arrival(earlier)), Some(without_arrival(submission))),
            ExpectedOutcome::Conflict => assert!(earlier.is_some_and(|earlier| without_arrival(earlier) != without_arrival(submission))),
            ExpectedOutcome::Refused(_) => assert!(earlier.is_none(), "{} was taken before it is refused", submission.id),
        }
        assert!(submission.recordedtime <= submission.receivedtime, "{}", submission.id);
    }
    let reference = full().reference_len();
    assert_within("reference data sent first", reference as u64, 1_000..=6_000);
    let named = |sent: &GeneratedSubmission| matches!(&sent.submission.data, Payload::Attendance(_));
    assert!(!stream[..reference].iter().any(named), "a sheet before the reference data");
}

/// The demo compares these counts with those of ingest.
#[test]
fn the_oracle_counts_every_submission_by_its_expected_outcome() {
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for sent in &full().stream {
        let name = match sent.expected {
            ExpectedOutcome::Accepted => "accepted",
            ExpectedOutcome::Duplicate => "duplicate",
            ExpectedOutcome::Conflict => "conflict",
            ExpectedOutcome::Refused(code) => code,
        };
        *outcomes.entry(name).or_default() += 1;
    }
    let counts = &full().oracle.stream;
    let mut expected = counts.refused.clone();
    expected.extend([("accepted", counts.accepted), ("duplicate", counts.duplicates), ("conflict", counts.conflicts)]);
    assert_eq!(outcomes, expected);
    assert_eq!((counts.sent, counts.roll), (full().stream.len() as u64, full().roll_submissions().count() as u64));
    assert_eq!(figure("/counts/events"), counts.accepted);
}

/// Codes and ids that events define, by the name of the field that refers to them.
#[derive(Default)]
struct Defined(BTreeMap<&'static str, BTreeSet<String>>);

impl Defined {
    fn add(&mut self, field: &'static str, code: impl ToString) {
        self.0.entry(field).or_default().insert(code.to_string());
    }

    /// Checks the references below a value; returns the first that is not defined.
    fn unknown(&self, value: &Value) -> Option<String> {
        let known = |field: &str, code: &Value| match (self.0.get(field), code.as_str()) {
            (Some(codes), Some(code)) => codes.contains(code),
            _ => true,
        };
        match value {
            Value::Object(fields) => fields.iter().find_map(|(field, value)| {
                let mut codes = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter();
                codes.find(|code| !known(field, code)).map(|code| format!("{field} {code}")).or_else(|| self.unknown(value))
            }),
            Value::Array(values) => values.iter().find_map(|value| self.unknown(value)),
            _ => None,
        }
    }
}

#[test]
fn every_id_that_an_event_refers_to_exists() {
    let mut defined = Defined::default();
    let scenario = campaign().synthetic.as_ref().unwrap();
    scenario.themes.iter().for_each(|theme| defined.add("theme", theme));
    for id in accepted().map(|submission| submission.id) {
        ["supersedes", "retracts"].into_iter().for_each(|field| defined.add(field, id));
    }
    for submission in accepted() {
        let data = serde_json::to_value(&submission.data).unwrap();
        let list = |name: &str| data[name].as_array().into_iter().flatten().map(|each| each["code"].as_str().unwrap());
        // What an event defines is known to itself and to later events.
        let own = |field: &str| data[field].as_str().unwrap();
        match submission.kind().kind {
            Kind::CampaignConfigured => {
                list("categories").for_each(|code| ["category", "secondary"].into_iter().for_each(|field| defined.add(field, code)));
                list("formats").for_each(|code| defined.add("format", code));
                list("parties").for_each(|code| defined.add("party", code));
                list("languages").for_each(|code| defined.add("language", code));
            }
            Kind::UnitDefined => defined.add("unit", own("unit")),
            Kind::CoalitionFormed => defined.add("coalition", own("coalition")),
            Kind::PrecinctCounted => defined.add("precinct", own("precinct")),
            Kind::MemberJoined => ["member", "members"].into_iter().for_each(|field| defined.add(field, own("member"))),
            Kind::VenueDescribed => defined.add("venue", own("venue")),
            Kind::ImportAccepted => defined.add("import", own("import")),
            _ => {}
        }
        assert_eq!(defined.unknown(&data), None, "{} {}", submission.kind(), submission.id);
    }
    let referred = [
        "category",
        "coalition",
        "format",
        "import",
        "language",
        "members",
        "party",
        "precinct",
        "retracts",
        "secondary",
        "supersedes",
        "theme",
        "unit",
        "venue",
    ];
    assert!(referred.iter().all(|field| defined.0.contains_key(field)), "{:?}", defined.0.keys());
    let imports: BTreeSet<String> = accepted().filter_map(|submission| submission.import).map(|import| import.to_string()).collect();
    assert_eq!(imports, defined.0["import"], "imports of events, and accepted imports");
}

//! Properties of validation: it terminates on every input, and never shows an identifier.

use std::sync::LazyLock;

use proptest::prelude::*;
use qamtu_schemas::decode;
use serde_json::{Value, json};

use super::*;
use crate::{
    pseudonym::{self, CampaignKey},
    submission,
};

const IIN: &str = "850615101233";

fn now() -> Timestamp {
    "2026-02-20T12:00:00Z".parse().unwrap()
}

/// A campaign with one unit.
static KNOWN: LazyLock<CampaignData> = LazyLock::new(|| {
    let names = json!({"kk": "C", "ru": "C", "en": "C"});
    let code = |code: &str| json!({"code": code, "names": names});
    let configured = json!({
        "campaign": "c", "revision": 1, "names": names, "synthetic": false, "time_zone": "Asia/Almaty", "opens": "2026-02-12",
        "closes": "2026-03-13", "silence_day": "2026-03-14", "vote_day": "2026-03-15", "planned_meetings": 1, "planned_reach": 1,
        "categories": [code("YOUTH")], "formats": [code("HALL")], "parties": [], "languages": [code("kk")],
    });
    let unit = json!({"unit": "TRK", "revision": 1, "kato": "611010000", "kind": "city", "names": names, "tile": {"row": 0, "column": 0}});
    let mut known = CampaignData::default();
    for (at, (kind, data)) in [("campaign.configured", configured), ("unit.defined", unit)].into_iter().enumerate() {
        let event = json!({
            "specversion": "1.0", "id": format!("00000000-0000-4000-8000-00000000000{at}"), "type": format!("qamtu.{kind}.v1"),
            "source": "s", "time": "2026-02-01T00:00:00Z", "receivedtime": "2026-02-01T00:00:00Z", "campaign": "c",
            "bodyhash": "a".repeat(32), "data": data,
        });
        known.apply(&decode::decode_structured(event.to_string().as_bytes()).unwrap());
    }
    known
});

fn validate(bytes: &[u8]) -> Result<ValidatedEvent, Rejection> {
    let mut submission = submission::read(bytes)?;
    let layers = [&*KNOWN];
    let known = KnownState(&layers);
    known_campaign(&submission, &known)?;
    pseudonym::replace(submission.kind.kind, &mut submission.data, &CampaignKey::new(vec![1; 32]))?;
    super::validate(&mut submission, &known, now())
}

fn sample() -> Value {
    json!({
        "specversion": "1.0", "id": "00000000-0000-4000-8000-000000000009", "type": "qamtu.attendance.recorded.v1", "source": "s",
        "time": "2026-02-13T10:00:00Z", "recordedtime": "2026-02-13T10:01:00Z", "campaign": "c",
        "data": {"meeting": "m", "attendee": {"iin": IIN}, "consent": "n", "residence": {"unit": "TRK"}, "adult": true},
    })
}

#[test]
fn a_good_submission_becomes_an_event_that_decodes_to_itself() {
    let validated = validate(sample().to_string().as_bytes()).unwrap_or_else(|rejection| panic!("{rejection:?}"));
    let headers = validated.encoded.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let event = qamtu_schemas::decode(headers, Some(&validated.encoded.value)).unwrap();
    assert_eq!((event.envelope.id, event.envelope.bodyhash), (validated.identity.id, validated.identity.hash));
    assert_eq!(event.envelope.receivedtime, now());
    assert_eq!(validated.warning, Some(Warning::UnknownMeeting));
    assert!(!format!("{validated:?}").contains("8506"));
}

#[test]
fn every_example_of_the_contract_is_parsed_and_validated() {
    let contracts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/contracts");
    let mut read = 0;
    for folder in std::fs::read_dir(contracts).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        for version in std::fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
            for example in std::fs::read_dir(version.path()).unwrap().flatten() {
                let mut event: Value = serde_json::from_slice(&std::fs::read(example.path()).unwrap()).unwrap();
                let event_fields = event.as_object_mut().unwrap();
                event_fields.remove("bodyhash");
                event_fields.remove("receivedtime");
                let text = event.to_string();
                assert!(submission::read(text.as_bytes()).is_ok(), "{}", example.path().display());
                if let Err(rejection) = validate(text.as_bytes()) {
                    assert!(
                        rejection.code.as_str().starts_with("unknown-") || rejection.code == ProblemCode::SyntheticFixed,
                        "{rejection:?}"
                    );
                }
                read += 1;
            }
        }
    }
    assert!(read > 40, "{read} examples");
}

/// The sample with one value replaced, removed or added.
fn mutated() -> impl Strategy<Value = Value> {
    let values = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!(IIN)),
        Just(json!({"iin": IIN})),
        Just(json!([IIN, {"iin": IIN}])),
        Just(json!("2026-02-13T10:00:00Z")),
        prop::sample::select(qamtu_schemas::Kind::ALL).prop_map(|kind| json!(format!("qamtu.{}.v1", kind.name()))),
    ];
    let pointers = prop::sample::select(vec![
        "",
        "/id",
        "/type",
        "/source",
        "/time",
        "/recordedtime",
        "/campaign",
        "/data",
        "/data/meeting",
        "/data/attendee",
        "/data/attendee/iin",
        "/data/consent",
        "/data/residence",
        "/data/residence/unit",
        "/data/adult",
    ]);
    (pointers, prop::option::of("[a-z]{1,8}|[0-9]{12}"), values).prop_map(|(pointer, name, value)| {
        let mut event = sample();
        match (event.pointer_mut(pointer), name) {
            (Some(Value::Object(fields)), Some(name)) => drop(fields.insert(name, value)),
            (Some(slot), _) => *slot = value,
            (None, _) => {}
        }
        event
    })
}

proptest! {
    #[test]
    fn any_bytes_are_validated(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = validate(&bytes);
    }

    #[test]
    fn mutated_submissions_are_validated_and_never_shown(event in mutated(), cut in 0..1000_usize) {
        let text = event.to_string();
        for bytes in [text.as_bytes(), &text.as_bytes()[..cut.min(text.len())]] {
            match validate(bytes) {
                Err(rejection) => {
                    let shown = format!("{rejection:?}");
                    prop_assert!(!shown.contains(IIN), "{}", shown);
                }
                Ok(validated) => {
                    let headers = validated.encoded.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
                    prop_assert!(qamtu_schemas::decode(headers, Some(&validated.encoded.value)).is_ok());
                    let shown = format!("{validated:?}");
                    prop_assert!(!shown.contains(IIN));
                }
            }
        }
    }
}

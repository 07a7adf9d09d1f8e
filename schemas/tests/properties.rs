//! Properties of all events, in every order, and of all inputs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, option, prelude::*, sample::subsequence, strategy::ValueTree};
use qamtu_schemas::{
    Data, DecodeError, Event, EventType, MeetingFold, Reference,
    decode::{decode, decode_structured, payload},
    encode::{canonical, encode, structured},
    id::{BodyHash, EventId, ImportId, MeetingId, Pseudonym},
    testing::strategies::{code, data, event, import_id, meeting_events, reference_events, text},
    text::{Text, contains_national_id, redact},
};
use serde_json::{Value, json};

fn fold(events: &[Event]) -> MeetingFold {
    let mut fold = MeetingFold::default();
    events.iter().for_each(|event| fold.insert(event.clone()));
    fold
}

fn reference(events: &[Event]) -> Reference {
    let mut reference = Reference::default();
    for event in events {
        reference.apply(event);
    }
    reference
}

fn is_attendance(event: &Event) -> bool {
    matches!(event.data, Data::AttendanceRecorded(_))
}

/// Of each event of a meeting the body that was received first.
fn unique(events: &[Event]) -> Vec<Event> {
    let mut first: BTreeMap<(bool, EventId), &Event> = BTreeMap::new();
    for event in events {
        let winning = first.entry((is_attendance(event), event.envelope.id)).or_insert(event);
        if event.envelope.precedence() < winning.envelope.precedence() {
            *winning = event;
        }
    }
    first.into_values().cloned().collect()
}

/// Events, and the same events shuffled, with some of them repeated.
fn shuffled_with_repeats(events: impl Strategy<Value = Vec<Event>>) -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
    events.prop_flat_map(|events| {
        let again = subsequence(events.clone(), 0..=events.len());
        let other = again.prop_map({
            let events = events.clone();
            move |again| events.iter().cloned().chain(again).collect::<Vec<_>>()
        });
        (Just(events), other.prop_shuffle())
    })
}

fn imports() -> impl Strategy<Value = BTreeSet<ImportId>> {
    vec(import_id(), 0..3).prop_map(|ids| ids.into_iter().collect())
}

proptest! {
    #[test]
    fn a_meeting_is_the_same_in_any_order_and_with_any_repetition((events, other) in shuffled_with_repeats(meeting_events()), reversed in imports()) {
        let once = fold(&unique(&events));
        prop_assert_eq!(&fold(&events), &once);
        prop_assert_eq!(&fold(&other), &once);
        prop_assert_eq!(fold(&other).state(&reversed), once.state(&reversed));
    }

    #[test]
    fn reversed_imports_are_absent(events in meeting_events(), reversed in imports()) {
        let left: Vec<Event> =
            unique(&events).into_iter().filter(|event| event.envelope.import.is_none_or(|import| !reversed.contains(&import))).collect();
        prop_assert_eq!(fold(&events).state(&reversed), fold(&left).state(&BTreeSet::new()));
    }

    #[test]
    fn reference_data_is_the_same_in_any_order_and_with_any_repetition((events, other) in shuffled_with_repeats(reference_events())) {
        let once = reference(&unique(&events));
        prop_assert_eq!(&reference(&events), &once);
        prop_assert_eq!(&reference(&other), &once);
    }

    #[test]
    fn events_are_read_as_they_were_written(event in event(data())) {
        let value = canonical(&event.data).unwrap();
        let encoded = encode(&event.envelope, &event.data, value.clone());
        let headers = encoded.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        prop_assert_eq!(decode(headers, Some(&encoded.value)), Ok(event.clone()));
        let bytes = structured(&event.envelope, &value).unwrap();
        prop_assert_eq!(decode_structured(&bytes), Ok(event));
    }

    #[test]
    fn ids_are_read_as_they_are_shown(code in code::<MeetingId>(), bytes in any::<[u8; 16]>()) {
        prop_assert_eq!(code.to_string().parse(), Ok(code));
        prop_assert_eq!(Pseudonym(bytes).to_string().parse(), Ok(Pseudonym(bytes)));
        prop_assert_eq!(BodyHash(bytes).to_string().parse(), Ok(BodyHash(bytes)));
        let id = EventId(uuid::Uuid::from_u128(u128::from_be_bytes(bytes) | 1));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn no_text_makes_an_id_or_a_text_panic(text in "\\PC*") {
        let _ = (text.parse::<MeetingId>(), text.parse::<EventId>(), text.parse::<Pseudonym>(), text.parse::<EventType>());
        let shown = Text::new(&text).map(|text| text.to_string());
        prop_assert!(shown.is_err() || shown == Ok(text));
    }

    #[test]
    fn redaction_leaves_no_id(text in id_in_text()) {
        prop_assert!(contains_national_id(&text), "not found in {text:?}");
        prop_assert!(Text::new(&text).is_err());
        let once = redact(&text);
        prop_assert!(!contains_national_id(&once), "left in {once:?}");
        prop_assert_eq!(redact(&once), once);
    }

    #[test]
    fn no_uuid_is_taken_for_a_national_id(digits in "[0-9]{8}-[0-9]{4}-[1-8][0-9]{3}-[89][0-9]{3}-[0-9]{12}", before in "|import/|17 ") {
        prop_assert!(Text::new(&(before + &digits)).is_ok());
    }

    #[test]
    fn redaction_is_idempotent_and_finds_nothing_elsewhere(text in "[0-9 a-fxА-я:./-]{0,80}") {
        let once = redact(&text);
        prop_assert_eq!(redact(&once), once.clone());
        prop_assert_eq!(once == text, !contains_national_id(&text));
    }

    #[test]
    fn no_bytes_make_decoding_panic(
        headers in vec((header_name(), vec(any::<u8>(), 0..40)), 0..12),
        value in option::of(vec(any::<u8>(), 0..200)),
    ) {
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        prop_assert!(decode(headers, value.as_deref()).is_err());
        let _ = decode_structured(&value.unwrap_or_default());
    }

    #[test]
    fn no_json_makes_decoding_panic(kind in 0..EventType::all().count(), value in any_json(), event in event(data())) {
        let kind = EventType::all().nth(kind).unwrap();
        check_error(payload(kind, value.to_string().as_bytes(), "/data").map(drop))?;
        // One field of a valid event replaced by arbitrary JSON.
        let mut event: Value = serde_json::from_slice(&structured(&event.envelope, &canonical(&event.data).unwrap()).unwrap()).unwrap();
        for place in ["id", "time", "data", "import"] {
            let before = event[place].clone();
            event[place] = value.clone();
            check_error(decode_structured(event.to_string().as_bytes()).map(drop))?;
            event[place] = before;
        }
        let fields: Vec<String> = event["data"].as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let before = event["data"][&field].clone();
            event["data"][&field] = value.clone();
            check_error(decode_structured(event.to_string().as_bytes()).map(drop))?;
            event["data"][&field] = before;
        }
    }
}

/// Checks that an error is short, has a JSON pointer and contains no national id.
fn check_error(result: Result<(), DecodeError>) -> Result<(), TestCaseError> {
    if let Err(error) = result {
        let (pointer, text) = (error.pointer().into_owned(), error.to_string());
        prop_assert!(pointer.is_empty() || pointer.starts_with('/'), "{}", pointer);
        prop_assert!(text.chars().count() < 2000, "{}", text);
        prop_assert!(!contains_national_id(&text), "{}", text);
    }
    Ok(())
}

/// A national id, with or without separators, between other words.
fn id_in_text() -> impl Strategy<Value = String> {
    let date = (0..100_u32, 1..=12_u32, 1..=31_u32).prop_map(|(year, month, day)| format!("{year:02}{month:02}{day:02}"));
    let digits = (date, "[0-9]{6}").prop_map(|(date, rest)| date + &rest);
    let cuts = subsequence((1..12_usize).collect::<Vec<_>>(), 0..=4);
    let joiner = prop_oneof![Just(" "), Just("-"), Just("."), Just("/"), Just(" - "), Just("\u{00A0}"), Just("\u{2011}")];
    let number = (digits, cuts, joiner).prop_map(|(digits, cuts, joiner)| {
        let mut out = String::new();
        for (at, digit) in digits.char_indices() {
            if cuts.contains(&at) {
                out.push_str(joiner);
            }
            out.push(digit);
        }
        out
    });
    let before = prop_oneof![Just(""), Just("ЖСН "), Just("ИИН"), Just("card"), Just("№"), Just("17 "), Just("a: "), Just("2026-02-13 ")];
    let after = prop_oneof![Just(""), Just("."), Just(" 17 адам"), Just("-1"), Just("қ"), Just("d"), Just(" a1")];
    (before, number, after).prop_map(|(before, number, after)| format!("{before}{number}{after}"))
}

fn header_name() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] =
        &["id", "type", "source", "specversion", "time", "receivedtime", "recordedtime", "campaign", "import", "bodyhash"];
    prop_oneof![proptest::sample::select(KNOWN).prop_map(|name| format!("ce_{name}")), "(ce_)?\\PC{0,12}"]
}

/// Arbitrary JSON values, nested.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        text().prop_map(|text| json!(text)),
        Just(json!("850615101233")),
        Just(json!("2026-02-13T15:00:00+05:00")),
        code::<MeetingId>().prop_map(|code| json!(code)),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop_oneof!["meeting|plan|supersedes|unit|850615101233", "\\PC{0,8}"];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn of_two_bodies_the_earliest_received_wins() {
    let strategy = (meeting_events(), meeting_events());
    proptest!(|((events, others) in strategy)| {
        // Gives pairs of events from both lists the same id.
        for (first, second) in events.iter().zip(&others).filter(|(first, second)| is_attendance(first) == is_attendance(second)) {
            let mut second = second.clone();
            second.envelope.id = first.envelope.id;
            let earliest = if first.envelope.precedence() <= second.envelope.precedence() { first } else { &second };
            let alone = fold(std::slice::from_ref(earliest));
            prop_assert_eq!(&fold(&[first.clone(), second.clone()]), &alone);
            prop_assert_eq!(&fold(&[second.clone(), first.clone()]), &alone);
        }
    });
}

#[test]
fn every_kind_is_made_by_the_strategies() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut made = BTreeSet::new();
    for _ in 0..2000 {
        let data: Data = data().new_tree(&mut runner).unwrap().current();
        made.insert(data.kind());
    }
    assert_eq!(made.len(), qamtu_schemas::Kind::ALL.len());
}

//! Decoding errors with their pointers and messages; hostile input.

use qamtu_schemas::{DecodeError, EventType, decode, decode::decode_structured, decode::payload, text::contains_national_id};
use serde_json::{Value, json};

fn attendance() -> Value {
    json!({
        "specversion": "1.0",
        "id": "018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10",
        "type": "qamtu.attendance.recorded.v1",
        "source": "/phones/17",
        "time": "2026-02-20T15:00:00+05:00",
        "receivedtime": "2026-02-20T10:05:00.000125Z",
        "campaign": "turkistan-2026",
        "bodyhash": "abcdefghijklmnopabcdefghijklmnop",
        "data": {
            "meeting": "TRK-2026-0220-0042",
            "attendee": {"id": "abcdefghijklmnopabcdefghijklmnop", "strength": "strong"},
            "consent": "2026-02-a",
            "residence": {"precinct": "TRK-014"},
            "sheet": {"sheet": "TRK-S0042", "line": 17}
        }
    })
}

fn decode_error(event: &str) -> DecodeError {
    decode_structured(event.as_bytes()).expect_err(event)
}

/// Pointer and message of the error when this field of a valid event is set to this value, or removed.
fn error_at(place: &str, value: Option<Value>) -> (String, String) {
    let mut event = attendance();
    let (parent, field) = place.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    match value {
        Some(value) => parent.insert(field.to_owned(), value),
        None => parent.remove(field),
    };
    let error = decode_error(&event.to_string());
    (error.pointer().into_owned(), error.to_string())
}

#[test]
fn attributes_of_others_are_accepted_and_dropped() {
    let plain = decode_structured(attendance().to_string().as_bytes()).unwrap();
    let mut event = attendance();
    for (name, value) in [
        ("traceparent", json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
        ("tracestate", json!("x=1")),
        ("datacontenttype", json!("application/json")),
        ("subject", json!("TRK-2026-0220-0042")),
        ("dataschema", json!("https://example.kz/schemas/attendance.json")),
        ("partitionkey", json!("turkistan-2026/TRK-2026-0220-0042")),
        ("knativearrivaltime", json!("2026-02-20T10:05:00Z")),
        ("sequence", json!(17)),
        ("urgent", json!(false)),
        ("nothing", Value::Null),
    ] {
        event[name] = value;
    }
    assert_eq!(decode_structured(event.to_string().as_bytes()).unwrap(), plain);
    assert_eq!(plain.envelope.time.to_string(), "2026-02-20T10:00:00Z");

    let data = attendance()["data"].to_string();
    let mut headers: Vec<(String, Vec<u8>)> = attendance()
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "data")
        .map(|(name, value)| (format!("ce_{name}"), value.as_str().unwrap().into()))
        .collect();
    headers.push(("content-type".to_owned(), "application/json".into()));
    for (name, value) in
        [("subject", &b"m"[..]), ("dataschema", b"urn:x"), ("partitionkey", b"k"), ("anybodys", b"\xff"), ("anybodys", b"")]
    {
        headers.push((format!("ce_{name}"), value.into()));
    }
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    assert_eq!(decode(headers, Some(data.as_bytes())).unwrap(), plain);
}

#[test]
fn names_that_cloudevents_does_not_allow_are_named() {
    for name in ["recordedTime", "recorded_time", "", "received-time", "қатысу"] {
        let mut event = attendance();
        event[name] = json!("2026-02-20T10:05:00Z");
        let error = decode_error(&event.to_string());
        assert!(error.to_string().contains("no attribute name") && error.pointer() == format!("/{name}"), "{error}");
    }
}

#[test]
fn flaws_are_named_by_place() {
    let cases = [
        ("/data/meeting", None, "/data/meeting", "missing field `meeting`"),
        ("/data/sheet/line", None, "/data/sheet/line", "missing field `line`"),
        ("/data", None, "/data", "attribute data is missing"),
        ("/time", None, "/time", "attribute time is missing"),
        ("/data/opinion", Some(json!("for")), "/data/opinion", "unknown field"),
        ("/data/attendee/name", Some(json!("x")), "/data/attendee/name", "unknown field"),
        ("/data/a~b", Some(json!(1)), "/data/a~0b", "unknown field"),
        ("/data/sheet/line", Some(json!(0)), "/data/sheet/line", "must be 1 or more"),
        ("/data/sheet/line", Some(json!(-1)), "/data/sheet/line", "a whole number from 0 to 4294967295 is expected"),
        ("/data/sheet/line", Some(json!(1.5)), "/data/sheet/line", "a whole number from 0 to 4294967295 is expected"),
        ("/data/sheet/line", Some(json!(4_294_967_296_u64)), "/data/sheet/line", "a whole number from 0 to 4294967295 is expected"),
        ("/data/sheet", Some(json!(["TRK-S0042", 17])), "/data/sheet", "an object is expected"),
        ("/data/residence", Some(json!("moon")), "/data/residence", "one of unknown, outside, unit, precinct is expected"),
        ("/data/residence", Some(json!({"unit": 7})), "/data/residence/unit", "a string is expected"),
        ("/data/residence", Some(json!({"outside": null})), "/data/residence", "as a string"),
        ("/data/residence", Some(json!({"unit": "TRK", "precinct": "TRK-014"})), "/data/residence", "one field only"),
        ("/data/attendee/strength", Some(json!({"strong": null})), "/data/attendee/strength", "as a string"),
        ("/data/meeting", Some(json!("850615101233")), "/data/meeting", "12 digits"),
        ("/data/meeting", Some(json!("кездесу")), "/data/meeting", "1 to 48 characters"),
        ("/data/attendee/id", Some(json!("850615101233")), "/data/attendee/id", "32 letters"),
        ("/id", Some(json!("1")), "/id", "must be a UUID"),
        ("/id", Some(json!("00000000-0000-0000-0000-000000000000")), "/id", "must be a UUID"),
        ("/id", Some(json!(7)), "/id", "must be a string"),
        ("/import", Some(Value::Null), "/import", "must be a string"),
        ("/source", Some(json!("/phones/850615101233")), "/source", "national id"),
        ("/source", Some(json!("")), "/source", "blank"),
        ("/type", Some(json!("qamtu.vote.cast.v1")), "/type", "unknown event type"),
        ("/type", Some(json!("qamtu.attendance.recorded.v2")), "/type", "has versions 1 to 1"),
        ("/type", Some(json!("qamtu.attendance.recorded.v01")), "/type", "has versions 1 to 1"),
        ("/specversion", Some(json!("0.3")), "/specversion", "must be 1.0"),
        ("/time", Some(json!("1970-01-01T00:00:00Z")), "/time", "2000 to 2100"),
        ("/time", Some(json!("2026-02-20T15:00:00+99:00")), "/time", "RFC 3339"),
        ("/receivedtime", Some(json!("2026-02-20T10:05:00.000000125Z")), "/receivedtime", "six decimals"),
        ("/bodyhash", Some(json!("x")), "/bodyhash", "32 letters"),
    ];
    for (place, value, pointer, reason) in cases {
        let shown = format!("{place} = {value:?}");
        let (found, text) = error_at(place, value);
        assert_eq!(found, pointer, "{shown}: {text}");
        assert!(text.contains(reason), "{shown}: {text}");
        assert!(!text.contains(" at line "), "{shown}: {text}");
    }
}

#[test]
fn rules_between_fields_are_named_by_place() {
    let error_at = |kind: &str, data: Value| {
        let kind: EventType = format!("qamtu.{kind}").parse().unwrap();
        payload(kind, data.to_string().as_bytes(), "/data").expect_err("refused").pointer().into_owned()
    };
    let counts = |people: &[u32]| people.iter().map(|people| json!({"counter": "1", "people": people})).collect::<Vec<_>>();
    assert_eq!(error_at("headcount.reported.v1", json!({"meeting": "m", "people": 100_001})), "/data/people");
    assert_eq!(error_at("headcount.reported.v2", json!({"meeting": "m", "counts": []})), "/data/counts");
    assert_eq!(error_at("headcount.reported.v2", json!({"meeting": "m", "counts": counts(&[100_001])})), "/data/counts/0/people");
    assert_eq!(error_at("headcount.reported.v2", json!({"meeting": "m", "counts": counts(&[1, 1])})), "/data/counts/1/counter");
    let minimum = json!({"meeting": "m", "counts": counts(&[5]), "eligible_minimum": 6});
    assert_eq!(error_at("headcount.reported.v2", minimum), "/data/eligible_minimum");
    let nobody = json!({"meeting": "m", "counts": counts(&[5]), "eligible_minimum": 1, "nobody_eligible": true});
    assert_eq!(error_at("headcount.reported.v2", nobody.clone()), "/data/eligible_minimum");
    let mut recounted = nobody;
    recounted["supersedes"] = json!(["0b8e6a52-6f0e-4a57-9d0a-3f1c2b7d9e04"]);
    assert_eq!(error_at("headcount.recounted.v1", recounted), "/data/eligible_minimum");
    assert_eq!(error_at("meeting.corrected.v1", json!({"meeting": "m", "supersedes": []})), "/data/supersedes");
    assert_eq!(error_at("survey.reported.v1", json!({"survey": "s", "asked": 1, "reached": 2, "method": "x"})), "/data/reached");
    let voter = |band: u16| json!(["abcdefghijklmnopabcdefghijklmnop", band, "f"]);
    let roll = json!({"precinct": "p", "version": 1, "strength": "strong", "voters": [voter(0), voter(1987)]});
    assert_eq!(error_at("precinct.enrolled.v1", roll), "/data/voters/1/1");
    let short = json!({"precinct": "p", "version": 1, "strength": "strong", "voters": [["abcdefghijklmnopabcdefghijklmnop", 0]]});
    assert_eq!(error_at("precinct.enrolled.v1", short), "/data/voters/0");
}

#[test]
fn fields_and_attributes_stand_once() {
    let once = attendance().to_string();
    let twice = |field: &str, value: &str| decode_error(&once.replacen('{', &format!("{{\"{field}\":{value},"), 1));
    assert_eq!(twice("id", "\"018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10\"").to_string(), "attribute id: is given twice");
    assert_eq!(twice("data", "{}").to_string(), "attribute data: is given twice");
    let data = r#"{"meeting":"m","meeting":"n"}"#;
    let error = payload("qamtu.meeting.cancelled.v1".parse().unwrap(), data.as_bytes(), "/data").unwrap_err();
    assert_eq!(error.to_string(), "/data/meeting: duplicate field `meeting`");
    let header = ("ce_id", &b"018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10"[..]);
    assert_eq!(decode([header, header], Some(b"{}")).unwrap_err().to_string(), "attribute id: is given twice");
}

#[test]
fn numbers_are_written_as_whole_numbers() {
    for number in ["1.0", "1e3", "-0", "01", "0x1", "\"1\"", "NaN", "1e999"] {
        let data = format!(r#"{{"meeting":"m","people":{number}}}"#);
        assert!(payload("qamtu.headcount.reported.v1".parse().unwrap(), data.as_bytes(), "").is_err(), "{number}");
    }
}

#[test]
fn errors_show_no_national_id_and_little_of_anything() {
    let id = "850615101233";
    for place in ["/data/meeting", "/data/850615101233", "/ID850615101233", "/data/residence", "/type", "/time", "/id", "/source"] {
        for value in [json!(id), json!({id: id}), json!([id]), json!(850_615_101_233_u64), json!(format!("{id} ").repeat(100_000))] {
            let mut event = attendance();
            let (parent, field) = place.rsplit_once('/').unwrap();
            event.pointer_mut(parent).unwrap()[field] = value;
            let error = decode_error(&event.to_string());
            let text = format!("{error} {error:?} {}", error.pointer());
            assert!(!contains_national_id(&text) && !text.contains(id), "{place}: {text}");
            assert!(text.len() < 2000, "{place}: {} bytes", text.len());
        }
    }
}

#[test]
fn hostile_input_is_refused_in_a_moment() {
    let good = attendance();
    let in_event = |field: &str, value: &str| {
        let mut event = good.clone();
        event[field] = json!("HERE");
        event.to_string().replace("\"HERE\"", value)
    };
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    let long = format!("\"{}\"", "һ".repeat(5_000_000));
    let values = [deep("[", "]"), deep("{\"data\":", "}"), "[".repeat(10_000), "\"\\ud800\"".to_owned(), long, "1".repeat(10_000_000)];
    for value in values {
        assert!(decode_structured(value.as_bytes()).is_err());
        for field in ["id", "data"] {
            assert!(decode_structured(in_event(field, &value).as_bytes()).is_err(), "{field}");
        }
        let other = decode_structured(in_event("other", &value).as_bytes());
        assert!(other.is_err() || !value.starts_with(['[', '{']), "only plain values are dropped");
        // Large values only for two types, as ten megabytes for every type would be slow.
        for kind in EventType::all().take(if value.len() > 1_000_000 { 2 } else { usize::MAX }) {
            assert!(payload(kind, value.as_bytes(), "").is_err(), "{kind}");
            assert!(payload(kind, format!("{{\"meeting\":{value}}}").as_bytes(), "").is_err(), "{kind}");
        }
    }
    let whole = good.to_string().into_bytes();
    for end in 0..whole.len() {
        assert!(decode_structured(&whole[..end]).is_err(), "cut at {end}");
    }
    for (at, _) in whole.iter().enumerate() {
        let mut bytes = whole.clone();
        bytes[at] = 0xFF;
        assert!(decode_structured(&bytes).is_err(), "invalid UTF-8 at {at}");
    }
    assert!(decode_structured(&[&whole[..], b"{}"].concat()).is_err(), "something after the end");
    assert_eq!(decode([("ce_id", &[0xFF][..])], Some(b"{}")).unwrap_err().label(), "invalid-attribute");
    assert_eq!(decode([], None), Err(DecodeError::Empty));
}

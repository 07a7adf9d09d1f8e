//! Invalid events, each with its refusal.

use serde_json::{Value, json};

use super::sample::{IIN, attendance, campaign, event, headcount, held, planned, precinct, unit, with};

/// An invalid event: name of the case, event, and the expected status, code and pointer.
pub struct InvalidEvent(pub &'static str, pub Value, pub (u16, &'static str, &'static str));

/// All invalid events.
pub fn all() -> impl Iterator<Item = InvalidEvent> {
    [envelopes(), payloads(), look_alikes(), bounds(), references(), persons()].into_iter().flatten()
}

/// The event with the value at a JSON pointer replaced.
pub fn changed(mut event: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    let parent = event.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
    match parent {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.into(),
        other => other[name] = value.into(),
    }
    event
}

fn envelopes() -> Vec<InvalidEvent> {
    let good = || headcount("m-open", 5);
    let without = |name: &str| {
        let mut event = good();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    vec![
        InvalidEvent("unknown type", with(good(), "type", "qamtu.meeting.burnt.v1"), (422, "unknown-type", "/type")),
        InvalidEvent("foreign type", with(good(), "type", "com.example.thing"), (422, "unknown-type", "/type")),
        InvalidEvent("future version", with(good(), "type", "qamtu.headcount.reported.v3"), (422, "unknown-version", "/type")),
        InvalidEvent("a misspelt attribute", with(good(), "recordedTime", "x"), (422, "unknown-attribute", "/recordedTime")),
        InvalidEvent("an attribute that is an object", with(good(), "subject", json!({})), (422, "invalid-attribute", "/subject")),
        InvalidEvent("no id", without("id"), (422, "missing-attribute", "/id")),
        InvalidEvent("wrong id", with(good(), "id", "17"), (422, "invalid-attribute", "/id")),
        InvalidEvent("unhyphenated id", with(good(), "id", "018f6b1e7a4c7d1b9a510c2f4f6e8a10"), (422, "invalid-attribute", "/id")),
        InvalidEvent("a number as id", with(good(), "id", 17), (422, "invalid-attribute", "/id")),
        InvalidEvent("no data", without("data"), (422, "missing-attribute", "/data")),
        InvalidEvent("wrong specversion", with(good(), "specversion", "0.3"), (422, "invalid-attribute", "/specversion")),
        InvalidEvent("wrong campaign code", with(good(), "campaign", "a b"), (422, "invalid-attribute", "/campaign")),
        InvalidEvent("unknown campaign", with(good(), "campaign", "elsewhere"), (422, "unknown-campaign", "/campaign")),
        InvalidEvent("a local time", with(good(), "time", "2026-02-13T15:00:00"), (422, "invalid-attribute", "/time")),
        InvalidEvent("a day that is none", with(good(), "time", "2026-02-30T15:00:00Z"), (422, "invalid-attribute", "/time")),
        InvalidEvent("the far future", with(good(), "time", "2099-01-01T00:00:00Z"), (422, "future-time", "/time")),
        InvalidEvent(
            "written down in the future",
            with(good(), "recordedtime", "2099-01-01T00:00:00Z"),
            (422, "future-time", "/recordedtime"),
        ),
        InvalidEvent("written down before", with(good(), "recordedtime", "2026-02-11T00:00:00Z"), (422, "wrong-order", "/recordedtime")),
        InvalidEvent("a simulated clock", with(good(), "receivedtime", "2026-02-13T15:00:00Z"), (422, "simulated-clock", "/receivedtime")),
        InvalidEvent("a body hash", with(good(), "bodyhash", "a".repeat(32)), (422, "forbidden-attribute", "/bodyhash")),
        InvalidEvent("wrong import", with(good(), "import", "b"), (422, "invalid-attribute", "/import")),
        InvalidEvent("another media type", with(good(), "datacontenttype", "text/xml"), (422, "invalid-attribute", "/datacontenttype")),
        InvalidEvent("a national id as source", with(good(), "source", IIN), (422, "national-id", "/source")),
        InvalidEvent("a national id in pieces as source", with(good(), "source", "form/850615:101233"), (422, "national-id", "/source")),
        InvalidEvent("a phone as source", with(good(), "source", "+77011234567"), (422, "phone-number", "/source")),
    ]
}

fn payloads() -> Vec<InvalidEvent> {
    let plan = || planned("m-9", "YOUTH");
    let note = |text: String| event("meeting.cancelled.v1", json!({"meeting": "m-open", "reason": text}));
    vec![
        InvalidEvent("unknown field", changed(plan(), "/data/plan/wheather", "fine"), (422, "unknown-field", "/data/plan/wheather")),
        InvalidEvent("missing field", event("meeting.cancelled.v1", json!({})), (422, "missing-field", "/data/meeting")),
        InvalidEvent(
            "wrong type of field",
            changed(plan(), "/data/plan/expected", "many"),
            (422, "invalid-payload", "/data/plan/expected"),
        ),
        InvalidEvent("negative", changed(plan(), "/data/plan/expected", -1), (422, "invalid-payload", "/data/plan/expected")),
        InvalidEvent("a fraction", changed(plan(), "/data/plan/expected", 1.5), (422, "invalid-payload", "/data/plan/expected")),
        InvalidEvent("wrong code", changed(plan(), "/data/plan/unit", "T K"), (422, "invalid-payload", "/data/plan/unit")),
        InvalidEvent("too many heads", headcount("m-open", 100_001), (422, "invalid-payload", "/data/counts/0/people")),
        InvalidEvent("a national id in text", note(format!("ask {IIN}")), (422, "national-id", "/data/reason")),
        InvalidEvent("in groups", note("ask 8506 1510 1233".to_owned()), (422, "national-id", "/data/reason")),
        InvalidEvent("full-width", note("８５０６１５１０１２３３".to_owned()), (422, "national-id", "/data/reason")),
        InvalidEvent("Arabic-Indic behind a word", note("card٨٥٠٦١٥١٠١٢٣٣".to_owned()), (422, "national-id", "/data/reason")),
        InvalidEvent("behind a word", note(format!("ID{IIN}")), (422, "national-id", "/data/reason")),
        InvalidEvent("with points", note("8506.1510.1233".to_owned()), (422, "national-id", "/data/reason")),
        InvalidEvent("as a code", event("meeting.cancelled.v1", json!({"meeting": IIN})), (422, "national-id", "/data/meeting")),
        InvalidEvent("in pieces with commas", note("8506,1510,1233".to_owned()), (422, "national-id", "/data/reason")),
        InvalidEvent("in Devanagari digits", note("८५०६१५१०१२३३".to_owned()), (422, "national-id", "/data/reason")),
        InvalidEvent(
            "as keycaps",
            note(IIN.chars().flat_map(|digit| [digit, '\u{FE0F}', '\u{20E3}']).collect()),
            (422, "national-id", "/data/reason"),
        ),
        InvalidEvent("beside another digit", note(format!("1{IIN}")), (422, "national-id", "/data/reason")),
        InvalidEvent(
            "in pieces as a code",
            event("meeting.cancelled.v1", json!({"meeting": "850615-101233"})),
            (422, "national-id", "/data/meeting"),
        ),
        InvalidEvent("a phone in text", note("8 701 123 45 67".to_owned()), (422, "phone-number", "/data/reason")),
        InvalidEvent(
            "a phone as a code",
            event("meeting.cancelled.v1", json!({"meeting": "8-701-123-45-67"})),
            (422, "phone-number", "/data/meeting"),
        ),
        InvalidEvent(
            "a phone in a name",
            changed(unit("NEW"), "/data/names/kk", "Кентау +77011234567"),
            (422, "phone-number", "/data/names/kk"),
        ),
        InvalidEvent("a long text", note("x".repeat(501)), (422, "invalid-payload", "/data/reason")),
        InvalidEvent(
            "closes before it opens",
            changed(campaign(false), "/data/closes", "2026-02-01"),
            (422, "invalid-payload", "/data/closes"),
        ),
        InvalidEvent(
            "votes on the day of silence",
            changed(campaign(false), "/data/vote_day", "2026-03-14"),
            (422, "invalid-payload", "/data/vote_day"),
        ),
        InvalidEvent("a campaign for another", changed(campaign(false), "/data/campaign", "d"), (422, "invalid-payload", "/data/campaign")),
        InvalidEvent("real made synthetic", campaign(true), (422, "synthetic-fixed", "/data/synthetic")),
    ]
}

/// Ids that look like a known one.
fn look_alikes() -> Vec<InvalidEvent> {
    let like = |pointer| (422, "look-alike-id", pointer);
    let names = json!({"kk": "R", "ru": "R", "en": "R"});
    let coalition = json!({"coalition": "REGIONAL", "revision": 1, "names": names});
    let member = json!({"member": "M-1", "revision": 1, "coalition": "regional"});
    let venue = json!({"venue": "v-1", "revision": 1, "unit": "TRK", "name": "Hall"});
    vec![
        InvalidEvent("a plan in capitals", planned("M-OPEN", "YOUTH"), like("/data/meeting")),
        InvalidEvent("a report in capitals", held("M-Open", "YOUTH"), like("/data/meeting")),
        InvalidEvent("a sheet in capitals", attendance("M-OPEN", json!({"iin": IIN})), like("/data/meeting")),
        InvalidEvent("with a Cyrillic letter", headcount("m-оpen", 5), like("/data/meeting")),
        InvalidEvent("with a space behind", headcount("m-open ", 5), like("/data/meeting")),
        InvalidEvent("with a sign nobody sees", headcount("m-open\u{200B}", 5), like("/data/meeting")),
        InvalidEvent("with a zero for a letter", planned("m-0PEN", "YOUTH"), like("/data/meeting")),
        InvalidEvent("a unit in small letters", unit("trk"), like("/data/unit")),
        InvalidEvent("a precinct in small letters", precinct("trk-014"), like("/data/precinct")),
        InvalidEvent("a precinct with a letter for a digit", precinct("TRK-O14"), like("/data/precinct")),
        InvalidEvent("a coalition in capitals", event("coalition.formed.v1", coalition), like("/data/coalition")),
        InvalidEvent("a member in capitals", event("member.joined.v1", member), like("/data/member")),
        InvalidEvent("a venue in small letters", event("venue.described.v1", venue), like("/data/venue")),
        InvalidEvent("another campaign", with(changed(campaign(false), "/data/campaign", "C"), "campaign", "C"), like("/data/campaign")),
    ]
}

/// Times and tiles outside the plausibility limits.
fn bounds() -> Vec<InvalidEvent> {
    let before = json!(["018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10"]);
    let outside = |pointer| (422, "outside-campaign", pointer);
    let report = changed(held("m-9", "YOUTH"), "/data/report/starts", "2025-01-07T23:59:00+05:00");
    let moved = json!({"meeting": "m-open", "supersedes": before, "starts": "2026-03-16T00:00:00+05:00"});
    let corrected = json!({"meeting": "m-open", "supersedes": before, "report": report["data"]["report"]});
    vec![
        InvalidEvent(
            "another century",
            changed(planned("m-9", "YOUTH"), "/data/plan/starts", "2099-02-13T15:00:00+05:00"),
            outside("/data/plan/starts"),
        ),
        InvalidEvent("moved behind the vote", event("meeting.rescheduled.v1", moved), outside("/data/starts")),
        InvalidEvent(
            "held in another century",
            changed(held("m-9", "YOUTH"), "/data/report/starts", "2099-02-13T15:00:00+05:00"),
            (422, "future-time", "/data/report/starts"),
        ),
        InvalidEvent("held long before", report, outside("/data/report/starts")),
        InvalidEvent("corrected to long before", event("meeting.corrected.v1", corrected), outside("/data/report/starts")),
        InvalidEvent("a far row", changed(unit("NEW"), "/data/tile/row", 32), (422, "invalid-payload", "/data/tile/row")),
        InvalidEvent("a far column", changed(unit("NEW"), "/data/tile/column", 255), (422, "invalid-payload", "/data/tile/column")),
    ]
}

fn references() -> Vec<InvalidEvent> {
    let plan = || planned("m-9", "YOUTH");
    let lives = |residence: Value| changed(attendance("m-open", json!({"iin": IIN})), "/data/residence", residence);
    vec![
        InvalidEvent("unit", changed(plan(), "/data/plan/unit", "XXX"), (422, "unknown-unit", "/data/plan/unit")),
        InvalidEvent("a phone as unit", changed(plan(), "/data/plan/unit", "77011234567"), (422, "phone-number", "/data/plan/unit")),
        InvalidEvent(
            "an id in pieces as unit",
            changed(plan(), "/data/plan/unit", "850615-101233"),
            (422, "national-id", "/data/plan/unit"),
        ),
        InvalidEvent("a phone as campaign", with(plan(), "campaign", "77011234567"), (422, "unknown-campaign", "/campaign")),
        InvalidEvent(
            "unit of a report",
            changed(held("m-9", "YOUTH"), "/data/report/unit", "XXX"),
            (422, "unknown-unit", "/data/report/unit"),
        ),
        InvalidEvent("precinct", changed(plan(), "/data/plan/precinct", "TRK-999"), (422, "unknown-precinct", "/data/plan/precinct")),
        InvalidEvent(
            "precinct that cannot be reached",
            event("access.reported.v1", json!({"precinct": "TRK-999", "revision": 1})),
            (422, "unknown-precinct", "/data/precinct"),
        ),
        InvalidEvent("venue", changed(plan(), "/data/plan/venue", "V-9"), (422, "unknown-venue", "/data/plan/venue")),
        InvalidEvent("coalition", changed(plan(), "/data/plan/coalition", "no"), (422, "unknown-coalition", "/data/plan/coalition")),
        InvalidEvent(
            "member",
            changed(plan(), "/data/plan/members", json!(["m-1", "m-2"])),
            (422, "unknown-member", "/data/plan/members/1"),
        ),
        InvalidEvent("category", planned("m-9", "NOBODY"), (422, "unknown-category", "/data/plan/category")),
        InvalidEvent(
            "second category",
            changed(plan(), "/data/plan/secondary", json!(["AGRO", "NO"])),
            (422, "unknown-category", "/data/plan/secondary/1"),
        ),
        InvalidEvent("format", changed(plan(), "/data/plan/format", "LEAFLET"), (422, "unknown-format", "/data/plan/format")),
        InvalidEvent("language", changed(plan(), "/data/plan/language", "tlh"), (422, "unknown-language", "/data/plan/language")),
        InvalidEvent(
            "party",
            event("member.joined.v1", json!({"member": "m-3", "revision": 1, "coalition": "regional", "party": "none"})),
            (422, "unknown-party", "/data/party"),
        ),
        InvalidEvent("where one lives: unit", lives(json!({"unit": "XXX"})), (422, "unknown-unit", "/data/residence/unit")),
        InvalidEvent(
            "where one lives: precinct",
            lives(json!({"precinct": "XXX-1"})),
            (422, "unknown-precinct", "/data/residence/precinct"),
        ),
        InvalidEvent(
            "roll of an unknown precinct",
            event("precinct.enrolled.v1", json!({"precinct": "XXX-1", "version": 1, "strength": "strong", "voters": []})),
            (422, "unknown-precinct", "/data/precinct"),
        ),
    ]
}

fn persons() -> Vec<InvalidEvent> {
    let who = |person: Value| attendance("m-open", person);
    vec![
        InvalidEvent("wrong check digit", who(json!({"iin": "850615101234"})), (422, "invalid-iin", "/data/attendee/iin")),
        InvalidEvent("eleven digits", who(json!({"iin": "85061510123"})), (422, "invalid-iin", "/data/attendee/iin")),
        InvalidEvent("never issued", who(json!({"iin": "640308100560"})), (422, "invalid-iin", "/data/attendee/iin")),
        InvalidEvent("letters", who(json!({"iin": "85061510123O"})), (422, "invalid-iin", "/data/attendee/iin")),
        InvalidEvent("as a number", who(json!({"iin": 850_615_101_233_u64})), (422, "invalid-person", "/data/attendee/iin")),
        InvalidEvent("no phone", who(json!({"phone": "12"})), (422, "invalid-phone", "/data/attendee/phone")),
        InvalidEvent("both", who(json!({"iin": IIN, "phone": "+77011234567"})), (422, "invalid-person", "/data/attendee")),
        InvalidEvent("neither", who(json!({})), (422, "invalid-person", "/data/attendee")),
        InvalidEvent("a name", who(json!({"name": "Ainur"})), (422, "invalid-person", "/data/attendee")),
        InvalidEvent("a text", who(json!("Ainur")), (422, "invalid-person", "/data/attendee")),
        InvalidEvent("wrong letters", who(json!({"id": "xyz", "strength": "strong"})), (422, "invalid-payload", "/data/attendee/id")),
        InvalidEvent("a revealing audience", attendance("m-clergy", json!({"iin": IIN})), (422, "headcounts-only", "/data/meeting")),
        InvalidEvent(
            "a strong roll of phones",
            event(
                "precinct.enrolled.v1",
                json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[{"phone": "+77011234567"}, 1985, "f"]]}),
            ),
            (422, "invalid-person", "/data/voters/0/0"),
        ),
    ]
}

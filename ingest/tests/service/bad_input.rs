//! Invalid events: refused with code and JSON pointer as one event, in a batch and in a stream; nothing of them is in the log.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, TestEnv, lines},
    sample::{IIN, attendance, campaign, campaign_at, event, headcount, held, planned, precinct, unit, with},
};

/// An invalid event: name of the case, event, and the expected status, code and pointer.
struct Case(&'static str, Value, (u16, &'static str, &'static str));

/// The event with the value at a JSON pointer replaced.
fn changed(mut event: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    let parent = event.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
    match parent {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.into(),
        other => other[name] = value.into(),
    }
    event
}

fn envelopes() -> Vec<Case> {
    let good = || headcount("m-open", 5);
    let without = |name: &str| {
        let mut event = good();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    vec![
        Case("unknown type", with(good(), "type", "qamtu.meeting.burnt.v1"), (422, "unknown-type", "/type")),
        Case("foreign type", with(good(), "type", "com.example.thing"), (422, "unknown-type", "/type")),
        Case("future version", with(good(), "type", "qamtu.headcount.reported.v3"), (422, "unknown-version", "/type")),
        Case("a misspelt attribute", with(good(), "recordedTime", "x"), (422, "unknown-attribute", "/recordedTime")),
        Case("an attribute that is an object", with(good(), "subject", json!({})), (422, "invalid-attribute", "/subject")),
        Case("no id", without("id"), (422, "missing-attribute", "/id")),
        Case("wrong id", with(good(), "id", "17"), (422, "invalid-attribute", "/id")),
        Case("unhyphenated id", with(good(), "id", "018f6b1e7a4c7d1b9a510c2f4f6e8a10"), (422, "invalid-attribute", "/id")),
        Case("a number as id", with(good(), "id", 17), (422, "invalid-attribute", "/id")),
        Case("no data", without("data"), (422, "missing-attribute", "/data")),
        Case("wrong specversion", with(good(), "specversion", "0.3"), (422, "invalid-attribute", "/specversion")),
        Case("wrong campaign code", with(good(), "campaign", "a b"), (422, "invalid-attribute", "/campaign")),
        Case("unknown campaign", with(good(), "campaign", "elsewhere"), (422, "unknown-campaign", "/campaign")),
        Case("a local time", with(good(), "time", "2026-02-13T15:00:00"), (422, "invalid-attribute", "/time")),
        Case("a day that is none", with(good(), "time", "2026-02-30T15:00:00Z"), (422, "invalid-attribute", "/time")),
        Case("the far future", with(good(), "time", "2099-01-01T00:00:00Z"), (422, "future-time", "/time")),
        Case("written down in the future", with(good(), "recordedtime", "2099-01-01T00:00:00Z"), (422, "future-time", "/recordedtime")),
        Case("written down before", with(good(), "recordedtime", "2026-02-11T00:00:00Z"), (422, "wrong-order", "/recordedtime")),
        Case("a simulated clock", with(good(), "receivedtime", "2026-02-13T15:00:00Z"), (422, "simulated-clock", "/receivedtime")),
        Case("a body hash", with(good(), "bodyhash", "a".repeat(32)), (422, "forbidden-attribute", "/bodyhash")),
        Case("wrong import", with(good(), "import", "b"), (422, "invalid-attribute", "/import")),
        Case("another media type", with(good(), "datacontenttype", "text/xml"), (422, "invalid-attribute", "/datacontenttype")),
        Case("a national id as source", with(good(), "source", IIN), (422, "national-id", "/source")),
        Case("a national id in pieces as source", with(good(), "source", "form/850615:101233"), (422, "national-id", "/source")),
        Case("a phone as source", with(good(), "source", "+77011234567"), (422, "phone-number", "/source")),
    ]
}

fn payloads() -> Vec<Case> {
    let plan = || planned("m-9", "YOUTH");
    let note = |text: String| event("meeting.cancelled.v1", json!({"meeting": "m-open", "reason": text}));
    vec![
        Case("unknown field", changed(plan(), "/data/plan/wheather", "fine"), (422, "unknown-field", "/data/plan/wheather")),
        Case("missing field", event("meeting.cancelled.v1", json!({})), (422, "missing-field", "/data/meeting")),
        Case("wrong type of field", changed(plan(), "/data/plan/expected", "many"), (422, "invalid-payload", "/data/plan/expected")),
        Case("negative", changed(plan(), "/data/plan/expected", -1), (422, "invalid-payload", "/data/plan/expected")),
        Case("a fraction", changed(plan(), "/data/plan/expected", 1.5), (422, "invalid-payload", "/data/plan/expected")),
        Case("wrong code", changed(plan(), "/data/plan/unit", "T K"), (422, "invalid-payload", "/data/plan/unit")),
        Case("too many heads", headcount("m-open", 100_001), (422, "invalid-payload", "/data/counts/0/people")),
        Case("a national id in text", note(format!("ask {IIN}")), (422, "national-id", "/data/reason")),
        Case("in groups", note("ask 8506 1510 1233".to_owned()), (422, "national-id", "/data/reason")),
        Case("full-width", note("８５０６１５１０１２３３".to_owned()), (422, "national-id", "/data/reason")),
        Case("Arabic-Indic behind a word", note("card٨٥٠٦١٥١٠١٢٣٣".to_owned()), (422, "national-id", "/data/reason")),
        Case("behind a word", note(format!("ID{IIN}")), (422, "national-id", "/data/reason")),
        Case("with points", note("8506.1510.1233".to_owned()), (422, "national-id", "/data/reason")),
        Case("as a code", event("meeting.cancelled.v1", json!({"meeting": IIN})), (422, "national-id", "/data/meeting")),
        Case("in pieces with commas", note("8506,1510,1233".to_owned()), (422, "national-id", "/data/reason")),
        Case("in Devanagari digits", note("८५०६१५१०१२३३".to_owned()), (422, "national-id", "/data/reason")),
        Case(
            "as keycaps",
            note(IIN.chars().flat_map(|digit| [digit, '\u{FE0F}', '\u{20E3}']).collect()),
            (422, "national-id", "/data/reason"),
        ),
        Case("beside another digit", note(format!("1{IIN}")), (422, "national-id", "/data/reason")),
        Case(
            "in pieces as a code",
            event("meeting.cancelled.v1", json!({"meeting": "850615-101233"})),
            (422, "national-id", "/data/meeting"),
        ),
        Case("a phone in text", note("8 701 123 45 67".to_owned()), (422, "phone-number", "/data/reason")),
        Case(
            "a phone as a code",
            event("meeting.cancelled.v1", json!({"meeting": "8-701-123-45-67"})),
            (422, "phone-number", "/data/meeting"),
        ),
        Case("a phone in a name", changed(unit("NEW"), "/data/names/kk", "Кентау +77011234567"), (422, "phone-number", "/data/names/kk")),
        Case("a long text", note("x".repeat(501)), (422, "invalid-payload", "/data/reason")),
        Case("closes before it opens", changed(campaign(false), "/data/closes", "2026-02-01"), (422, "invalid-payload", "/data/closes")),
        Case(
            "votes on the day of silence",
            changed(campaign(false), "/data/vote_day", "2026-03-14"),
            (422, "invalid-payload", "/data/vote_day"),
        ),
        Case("a campaign for another", changed(campaign(false), "/data/campaign", "d"), (422, "invalid-payload", "/data/campaign")),
        Case("real made synthetic", campaign(true), (422, "synthetic-fixed", "/data/synthetic")),
    ]
}

/// Ids that look like a known one.
fn look_alikes() -> Vec<Case> {
    let like = |pointer| (422, "look-alike-id", pointer);
    let names = json!({"kk": "R", "ru": "R", "en": "R"});
    let coalition = json!({"coalition": "REGIONAL", "revision": 1, "names": names});
    let member = json!({"member": "M-1", "revision": 1, "coalition": "regional"});
    let venue = json!({"venue": "v-1", "revision": 1, "unit": "TRK", "name": "Hall"});
    vec![
        Case("a plan in capitals", planned("M-OPEN", "YOUTH"), like("/data/meeting")),
        Case("a report in capitals", held("M-Open", "YOUTH"), like("/data/meeting")),
        Case("a sheet in capitals", attendance("M-OPEN", json!({"iin": IIN})), like("/data/meeting")),
        Case("with a Cyrillic letter", headcount("m-оpen", 5), like("/data/meeting")),
        Case("with a space behind", headcount("m-open ", 5), like("/data/meeting")),
        Case("with a sign nobody sees", headcount("m-open\u{200B}", 5), like("/data/meeting")),
        Case("with a zero for a letter", planned("m-0PEN", "YOUTH"), like("/data/meeting")),
        Case("a unit in small letters", unit("trk"), like("/data/unit")),
        Case("a precinct in small letters", precinct("trk-014"), like("/data/precinct")),
        Case("a precinct with a letter for a digit", precinct("TRK-O14"), like("/data/precinct")),
        Case("a coalition in capitals", event("coalition.formed.v1", coalition), like("/data/coalition")),
        Case("a member in capitals", event("member.joined.v1", member), like("/data/member")),
        Case("a venue in small letters", event("venue.described.v1", venue), like("/data/venue")),
        Case("another campaign", with(changed(campaign(false), "/data/campaign", "C"), "campaign", "C"), like("/data/campaign")),
    ]
}

/// Times and tiles outside the plausibility limits.
fn bounds() -> Vec<Case> {
    let before = json!(["018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10"]);
    let outside = |pointer| (422, "outside-campaign", pointer);
    let report = changed(held("m-9", "YOUTH"), "/data/report/starts", "2025-01-07T23:59:00+05:00");
    let moved = json!({"meeting": "m-open", "supersedes": before, "starts": "2026-03-16T00:00:00+05:00"});
    let corrected = json!({"meeting": "m-open", "supersedes": before, "report": report["data"]["report"]});
    vec![
        Case(
            "another century",
            changed(planned("m-9", "YOUTH"), "/data/plan/starts", "2099-02-13T15:00:00+05:00"),
            outside("/data/plan/starts"),
        ),
        Case("moved behind the vote", event("meeting.rescheduled.v1", moved), outside("/data/starts")),
        Case(
            "held in another century",
            changed(held("m-9", "YOUTH"), "/data/report/starts", "2099-02-13T15:00:00+05:00"),
            (422, "future-time", "/data/report/starts"),
        ),
        Case("held long before", report, outside("/data/report/starts")),
        Case("corrected to long before", event("meeting.corrected.v1", corrected), outside("/data/report/starts")),
        Case("a far row", changed(unit("NEW"), "/data/tile/row", 32), (422, "invalid-payload", "/data/tile/row")),
        Case("a far column", changed(unit("NEW"), "/data/tile/column", 255), (422, "invalid-payload", "/data/tile/column")),
    ]
}

fn references() -> Vec<Case> {
    let plan = || planned("m-9", "YOUTH");
    let lives = |residence: Value| changed(attendance("m-open", json!({"iin": IIN})), "/data/residence", residence);
    vec![
        Case("unit", changed(plan(), "/data/plan/unit", "XXX"), (422, "unknown-unit", "/data/plan/unit")),
        Case("a phone as unit", changed(plan(), "/data/plan/unit", "77011234567"), (422, "phone-number", "/data/plan/unit")),
        Case("an id in pieces as unit", changed(plan(), "/data/plan/unit", "850615-101233"), (422, "national-id", "/data/plan/unit")),
        Case("a phone as campaign", with(plan(), "campaign", "77011234567"), (422, "unknown-campaign", "/campaign")),
        Case("unit of a report", changed(held("m-9", "YOUTH"), "/data/report/unit", "XXX"), (422, "unknown-unit", "/data/report/unit")),
        Case("precinct", changed(plan(), "/data/plan/precinct", "TRK-999"), (422, "unknown-precinct", "/data/plan/precinct")),
        Case("venue", changed(plan(), "/data/plan/venue", "V-9"), (422, "unknown-venue", "/data/plan/venue")),
        Case("coalition", changed(plan(), "/data/plan/coalition", "no"), (422, "unknown-coalition", "/data/plan/coalition")),
        Case("member", changed(plan(), "/data/plan/members", json!(["m-1", "m-2"])), (422, "unknown-member", "/data/plan/members/1")),
        Case("category", planned("m-9", "NOBODY"), (422, "unknown-category", "/data/plan/category")),
        Case(
            "second category",
            changed(plan(), "/data/plan/secondary", json!(["AGRO", "NO"])),
            (422, "unknown-category", "/data/plan/secondary/1"),
        ),
        Case("format", changed(plan(), "/data/plan/format", "LEAFLET"), (422, "unknown-format", "/data/plan/format")),
        Case("language", changed(plan(), "/data/plan/language", "tlh"), (422, "unknown-language", "/data/plan/language")),
        Case(
            "party",
            event("member.joined.v1", json!({"member": "m-3", "revision": 1, "coalition": "regional", "party": "none"})),
            (422, "unknown-party", "/data/party"),
        ),
        Case("where one lives: unit", lives(json!({"unit": "XXX"})), (422, "unknown-unit", "/data/residence/unit")),
        Case("where one lives: precinct", lives(json!({"precinct": "XXX-1"})), (422, "unknown-precinct", "/data/residence/precinct")),
        Case(
            "roll of an unknown precinct",
            event("precinct.enrolled.v1", json!({"precinct": "XXX-1", "version": 1, "strength": "strong", "voters": []})),
            (422, "unknown-precinct", "/data/precinct"),
        ),
    ]
}

fn persons() -> Vec<Case> {
    let who = |person: Value| attendance("m-open", person);
    vec![
        Case("wrong check digit", who(json!({"iin": "850615101234"})), (422, "invalid-iin", "/data/attendee/iin")),
        Case("eleven digits", who(json!({"iin": "85061510123"})), (422, "invalid-iin", "/data/attendee/iin")),
        Case("never issued", who(json!({"iin": "640308100560"})), (422, "invalid-iin", "/data/attendee/iin")),
        Case("letters", who(json!({"iin": "85061510123O"})), (422, "invalid-iin", "/data/attendee/iin")),
        Case("as a number", who(json!({"iin": 850_615_101_233_u64})), (422, "invalid-person", "/data/attendee/iin")),
        Case("no phone", who(json!({"phone": "12"})), (422, "invalid-phone", "/data/attendee/phone")),
        Case("both", who(json!({"iin": IIN, "phone": "+77011234567"})), (422, "invalid-person", "/data/attendee")),
        Case("neither", who(json!({})), (422, "invalid-person", "/data/attendee")),
        Case("a name", who(json!({"name": "Ainur"})), (422, "invalid-person", "/data/attendee")),
        Case("a text", who(json!("Ainur")), (422, "invalid-person", "/data/attendee")),
        Case("wrong letters", who(json!({"id": "xyz", "strength": "strong"})), (422, "invalid-payload", "/data/attendee/id")),
        Case("a revealing audience", attendance("m-clergy", json!({"iin": IIN})), (422, "headcounts-only", "/data/meeting")),
        Case(
            "a strong roll of phones",
            event(
                "precinct.enrolled.v1",
                json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[{"phone": "+77011234567"}, 1985, "f"]]}),
            ),
            (422, "invalid-person", "/data/voters/0/0"),
        ),
    ]
}

/// Sends one invalid event as one event, in a batch and in a stream.
async fn refuse(ingest: &Ingest, Case(name, event, expected): &Case) -> Result<()> {
    let (status, code, pointer) = *expected;
    let one = ingest.post_one(event).await?;
    ensure!(one.problem() == *expected, "{name}: {one:?}");
    ensure!(one.headers["content-type"] == "application/problem+json", "{name}: {one:?}");
    ensure!(one.body["type"] == format!("urn:qamtu:problem:{code}"), "{name}: {one:?}");
    let good = headcount("m-open", 7);
    let batch = ingest.post(BATCH, json!([good, event]).to_string()).await?;
    ensure!(batch.problem() == (status, code, format!("/1{pointer}").as_str()), "{name} in a batch: {batch:?}");
    ensure!(batch.body["failures"][0]["code"] == code, "{name} in a batch: {batch:?}");
    let stream = ingest.post(LINES, lines(std::slice::from_ref(event))).await?;
    let failure = &stream.body["failures"][0];
    ensure!(stream.status == 207 && failure["code"] == code && failure["line"] == 1, "{name} in a stream: {stream:?}");
    ensure!(failure["pointer"].as_str().unwrap_or("-") == pointer, "{name} in a stream: {stream:?}");
    for response in [&one, &batch, &stream] {
        let text = response.body.to_string();
        for sent in ["850615", "8506,1", "７", "८", "Ainur", "77011234567", "701 123", "701-123"] {
            ensure!(!text.contains(sent), "{name}: {text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn wrong_events_are_refused_by_name_and_place_and_leave_no_trace() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let before = env.end_offsets().await?;
    for case in envelopes().iter().chain(&payloads()).chain(&look_alikes()).chain(&bounds()).chain(&references()).chain(&persons()) {
        refuse(&ingest, case).await?;
        ensure!(env.end_offsets().await? == before, "{} left something in the log", case.0);
    }
    ingest.stop().await
}

#[tokio::test]
async fn an_event_may_be_referenced_in_the_next_line_of_its_request_but_not_before() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let mut plan = changed(planned("m-new", "YOUTH"), "/data/plan/unit", "NEW");
    plan["data"]["plan"].as_object_mut().context("a plan")?.remove("precinct");
    let before = env.end_offsets().await?;
    let response = ingest.post(BATCH, json!([plan, unit("NEW")]).to_string()).await?;
    ensure!(response.problem() == (422, "unknown-unit", "/0/data/plan/unit"), "{response:?}");
    ensure!(env.end_offsets().await? == before);
    let response = ingest.post(BATCH, json!([unit("NEW"), plan, headcount("m-new", 3)]).to_string()).await?;
    ensure!(response.status == 202 && response.counts() == (3, 0) && response.body["warnings"] == json!([]), "{response:?}");
    ingest.stop().await
}

#[tokio::test]
async fn a_meeting_may_begin_until_the_day_of_the_vote_and_a_tile_lie_at_the_edge() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let at = |meeting: &str, starts: &str| changed(planned(meeting, "YOUTH"), "/data/plan/starts", starts);
    let edge = changed(changed(unit("EDG"), "/data/tile/row", 31), "/data/tile/column", 31);
    for event in [at("m-first", "2025-01-08T00:00:00+05:00"), at("m-last", "2026-03-15T23:59:59+05:00"), edge] {
        let response = ingest.post_one(&event).await?;
        ensure!(response.status == 202, "{response:?}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn an_unknown_meeting_is_accepted_with_a_warning_until_its_plan_arrives() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let early = headcount("m-later", 12);
    let response = ingest.post_one(&early).await?;
    ensure!(response.status == 202, "{response:?}");
    ensure!(response.body["warnings"] == json!([{"id": early["id"], "code": "unknown-meeting"}]), "{response:?}");
    ingest.send_lines(&[planned("m-later", "CLERGY")]).await?;
    let response = ingest.post_one(&headcount("m-later", 13)).await?;
    ensure!(response.body["warnings"] == json!([]), "{response:?}");
    let response = ingest.post_one(&attendance("m-later", json!({"iin": IIN}))).await?;
    ensure!(response.problem() == (422, "headcounts-only", "/data/meeting"), "{response:?}");
    ingest.stop().await
}

#[tokio::test]
async fn a_campaign_may_be_configured_long_before_it_opens() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    for event in [campaign(false), unit("TRK")] {
        let early = with(event, "time", "2099-01-01T00:00:00Z");
        let response = ingest.post_one(&early).await?;
        ensure!(response.status == 202, "{response:?}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_synthetic_campaign_may_simulate_the_clock() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    ingest.send_lines(&super::sample::reference(true)).await?;
    let then = with(headcount("m-open", 4), "receivedtime", "2026-02-13T10:30:00.1234567Z");
    ensure!(ingest.post_one(&then).await?.status == 202);
    let future = with(then.clone(), "time", "2026-02-14T11:00:00Z");
    ensure!(ingest.post_one(&future).await?.problem() == (422, "future-time", "/time"));
    ingest.stop().await?;
    let records = env.records().await?;
    let received: Vec<_> = records.iter().flat_map(|record| &record.headers).filter(|(name, _)| name == "ce_receivedtime").collect();
    ensure!(received.iter().any(|(_, value)| value.as_ref() == b"2026-02-13T10:30:00.123456Z"), "{received:?}");
    Ok(())
}

#[tokio::test]
async fn a_meeting_that_has_not_begun_is_not_reported_as_held() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    ingest.send_lines(&super::sample::reference(true)).await?;
    let held_at = |event: Value, starts: &str| {
        let event = changed(event, "/data/report/starts", starts);
        with(with(event, "time", "2026-02-13T10:00:00Z"), "receivedtime", "2026-02-13T10:30:00Z")
    };
    let before = json!(["018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10"]);
    let corrected = json!({"meeting": "m-open", "supersedes": before, "report": held("m-open", "YOUTH")["data"]["report"]});
    for event in [held("m-open", "YOUTH"), event("meeting.corrected.v1", corrected)] {
        let ahead = ingest.post_one(&held_at(event.clone(), "2026-03-10T15:00:00+05:00")).await?;
        ensure!(ahead.problem() == (422, "future-time", "/data/report/starts"), "{ahead:?}");
        // Clocks may differ by a day, and a plan may lie in the future.
        ensure!(ingest.post_one(&held_at(event, "2026-02-14T15:00:00+05:00")).await?.status == 202);
    }
    let plan = changed(planned("m-2", "YOUTH"), "/data/plan/starts", "2026-03-10T15:00:00+05:00");
    ensure!(ingest.post_one(&with(plan, "receivedtime", "2026-02-13T10:30:00Z")).await?.status == 202);
    ingest.stop().await
}

#[tokio::test]
async fn a_precinct_of_another_unit_is_refused_and_its_unit_is_named() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    ingest.send_lines(&[unit("ARY")]).await?;
    let venue = json!({"venue": "V-2", "revision": 1, "unit": "ARY", "precinct": "TRK-014", "name": "Hall"});
    let before = json!(["018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10"]);
    let corrected = json!({"meeting": "m-open", "supersedes": before, "report": held("m-open", "YOUTH")["data"]["report"]});
    for (event, unit, pointer) in [
        (planned("m-9", "YOUTH"), "/data/plan/unit", "/data/plan/precinct"),
        (held("m-9", "YOUTH"), "/data/report/unit", "/data/report/precinct"),
        (event("meeting.corrected.v1", corrected), "/data/report/unit", "/data/report/precinct"),
        (event("venue.described.v1", venue), "/data/unit", "/data/precinct"),
    ] {
        let refused = ingest.post_one(&changed(event.clone(), unit, "ARY")).await?;
        ensure!(refused.problem() == (422, "foreign-precinct", pointer), "{refused:?}");
        ensure!(refused.body["detail"].as_str().is_some_and(|detail| detail.contains("TRK")), "{refused:?}");
        let right = ingest.post_one(&changed(event, unit, "TRK")).await?;
        ensure!(right.body["code"] != "foreign-precinct", "{right:?}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_look_alike_names_the_id_that_is_known_and_one_that_nobody_planned_blocks_nothing() -> Result<()> {
    let env = TestEnv::new()?;
    let mut ingest = campaign_at(&env, &[]).await?;
    // A typing error on a sheet that arrived before the plan.
    ensure!(ingest.post_one(&headcount("trk-1", 5)).await?.body["warnings"][0]["code"] == "unknown-meeting");
    ensure!(ingest.post_one(&planned("TRK-1", "YOUTH")).await?.body["warnings"] == json!([]));
    // Once from memory, and once from the register's file.
    for _ in 0..2 {
        let refused = ingest.post_one(&headcount("trk-1", 5)).await?;
        ensure!(refused.problem() == (422, "look-alike-id", "/data/meeting"), "{refused:?}");
        ensure!(refused.body["detail"].as_str().is_some_and(|detail| detail.contains("TRK-1")), "{refused:?}");
        ensure!(ingest.post_one(&headcount("TRK-1", 5)).await?.body["warnings"] == json!([]));
        ensure!(ingest.post_one(&planned("TRK-01", "YOUTH")).await?.status == 202);
        ingest.stop().await?;
        ingest = env.start(&[]).await?;
    }
    // An event is known to the next line of the same request.
    let batch = ingest.post(BATCH, json!([planned("m-new", "YOUTH"), planned("M-NEW", "YOUTH")]).to_string()).await?;
    ensure!(batch.problem() == (422, "look-alike-id", "/1/data/meeting"), "{batch:?}");
    ingest.stop().await
}

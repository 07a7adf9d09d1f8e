//! Known ids with another body: no response reveals a person, and operators see both bodies.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, ONE, Response, TestEnv, lines},
    sample::{IIN, OTHER_IIN, attendance, campaign_at, event, headcount, with},
};

/// The event with another person.
fn with_person(event: &Value, person: &Value) -> Value {
    let mut event = event.clone();
    match event["type"].as_str() {
        Some("qamtu.attendance.recorded.v1") => event["data"]["attendee"] = person.clone(),
        Some("qamtu.precinct.enrolled.v1") => event["data"]["voters"] = json!([[person, 1985, "m"]]),
        _ => event["data"]["person"] = person.clone(),
    }
    event
}

/// One event of each type that names people.
fn person_events() -> Vec<Value> {
    let person = json!({"iin": IIN});
    vec![
        attendance("m-open", person.clone()),
        event("consent.given.v1", json!({"person": person, "notice": "2026-02-a"})),
        event("consent.withdrawn.v1", json!({"person": person})),
        event("precinct.enrolled.v1", json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[person, 1985, "m"]]})),
    ]
}

/// Responses to an event in each of the three forms, without headers that differ in every request.
async fn responses_to(ingest: &Ingest, event: &Value) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for (kind, route, body) in [
        (ONE, "/v1/events", event.to_string()),
        (BATCH, "/v1/events", json!([event]).to_string()),
        (BATCH, "/v1/events?on_error=keep-good", json!([event, headcount("m-open", 5)]).to_string()),
        (LINES, "/v1/events", lines(std::slice::from_ref(event))),
    ] {
        let Response { status, mut body, headers } = ingest.post_to(route, kind, body).await?;
        for varies in ["/outcomes/1/id", "/instance"] {
            body.pointer_mut(varies).map(Value::take);
        }
        let headers: Vec<_> = headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str())).collect();
        texts.push(format!("{status} {body} {headers:?}"));
    }
    Ok(texts)
}

#[tokio::test]
async fn no_answer_tells_whether_a_guess_at_the_person_is_right() -> Result<()> {
    let env = TestEnv::new()?;
    let mut ingest = campaign_at(&env, &[]).await?;
    let events = person_events();
    ingest.send_lines(&events).await?;
    // Once from memory, and once from the register's file.
    for _ in 0..2 {
        for event in &events {
            let right = responses_to(&ingest, event).await?;
            ensure!(right[0].starts_with("200") && right[0].contains(r#""duplicates":1"#), "{right:?}");
            let wrong = responses_to(&ingest, &with_person(event, &json!({"iin": OTHER_IIN}))).await?;
            ensure!(right == wrong, "{}:\n{right:#?}\n{wrong:#?}", event["type"]);
            // Any other difference is reported, with the right person and with a wrong one.
            for person in [IIN, OTHER_IIN] {
                let other = with(with_person(event, &json!({"iin": person})), "source", "other tests");
                ensure!(ingest.post_one(&other).await?.problem() == (409, "conflicting-id", "/id"), "{other}");
            }
        }
        ingest.stop().await?;
        ingest = env.start(&[]).await?;
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_known_id_with_another_person_stands_in_the_log_once_and_never_holds() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let events = person_events();
    ingest.send_lines(&events).await?;
    for event in &events {
        for other in [OTHER_IIN, "721108204561", OTHER_IIN] {
            let response = ingest.post_one(&with_person(event, &json!({"iin": other}))).await?;
            ensure!((response.status, response.counts()) == (200, (0, 1)), "{response:?}");
        }
    }
    ingest.stop().await?;
    let records = env.records().await?;
    for event in &events {
        let header = |record: &qamtu_log::Record, wanted: &str| -> Result<String> {
            let (_, value) = record.headers.iter().find(|(name, _)| name == wanted).context("no such header")?;
            Ok(String::from_utf8(value.to_vec())?)
        };
        let id = event["id"].as_str().context("no id")?;
        let mut bodies = Vec::new();
        for record in records.iter().filter(|record| header(record, "ce_id").is_ok_and(|found| found == id)) {
            let received: jiff::Timestamp = header(record, "ce_receivedtime")?.parse()?;
            bodies.push((received, record.offset, header(record, "ce_bodyhash")?));
        }
        bodies.sort();
        ensure!(bodies.len() == 2 && bodies[0].2 != bodies[1].2, "{}: {bodies:?}", event["type"]);
    }
    // The first body wins in the register too.
    let ingest = env.start(&[]).await?;
    ensure!(ingest.post_one(&events[0]).await?.counts() == (0, 1));
    ingest.stop().await
}

#[tokio::test]
async fn conflicts_are_reported_up_to_a_rate_and_logged_without_an_identifier() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LIMITS__CONFLICTS_PER_MINUTE", "1")]).await?;
    let first = headcount("m-open", 5);
    ingest.send_lines(std::slice::from_ref(&first)).await?;
    let changed = with(first.clone(), "source", "other tests");
    ensure!(ingest.post_one(&changed).await?.problem() == (409, "conflicting-id", "/id"));
    // The next conflict is reported only after a minute; this request takes much less.
    let response = ingest.post(LINES, lines(&vec![changed.clone(); 100])).await?;
    let codes: Vec<_> = response.body["failures"].as_array().context("no failures")?.iter().map(|failure| &failure["code"]).collect();
    ensure!(response.status == 207 && codes.iter().filter(|code| **code == "too-many-conflicts").count() >= 98, "{response:?}");
    let limited = ingest.post_one(&changed).await?;
    ensure!(limited.status == 429 && limited.headers.contains_key("retry-after") || limited.status == 409, "{limited:?}");
    // Duplicates are not affected.
    ensure!(ingest.post_one(&first).await?.counts() == (0, 1));
    ingest.stop().await?;
    let stderr = env.stderr();
    ensure!(stderr.contains("ids were sent again with another content"), "{stderr}");
    ensure!(!stderr.contains(first["id"].as_str().context("no id")?), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn a_version_of_a_roll_belongs_to_one_event() -> Result<()> {
    let env = TestEnv::new()?;
    let mut ingest = campaign_at(&env, &[]).await?;
    let roll = |version: u32, iin: &str| {
        let voters = json!([[{"iin": iin}, 1985, "m"]]);
        event("precinct.enrolled.v1", json!({"precinct": "TRK-014", "version": version, "strength": "strong", "voters": voters}))
    };
    let first = roll(1, IIN);
    // Within one request too, and whether the voters are the same or not.
    let sent = [first.clone(), roll(1, IIN), roll(1, OTHER_IIN), roll(2, OTHER_IIN), first.clone()];
    let response = ingest.post_to("/v1/roll", LINES, lines(&sent)).await?;
    ensure!(response.status == 207 && response.counts() == (2, 1), "{response:?}");
    for (failure, line) in [(0, 2), (1, 3)] {
        let failure = &response.body["failures"][failure];
        ensure!(failure["code"] == "conflicting-roll" && failure["pointer"] == "/data/version" && failure["line"] == line, "{failure}");
    }
    let register = env.path("register.sqlite");
    for rebuilt in [false, true, false] {
        for iin in [IIN, OTHER_IIN] {
            let response = ingest.post_to("/v1/roll", LINES, lines(&[roll(1, iin)])).await?;
            ensure!(response.body["failures"][0]["code"] == "conflicting-roll", "{response:?}");
        }
        ensure!(ingest.post_to("/v1/roll", LINES, lines(std::slice::from_ref(&first))).await?.counts() == (0, 1));
        ingest.stop().await?;
        if rebuilt {
            std::fs::remove_file(&register)?;
        }
        ingest = env.start(&[]).await?;
    }
    ingest.stop().await
}

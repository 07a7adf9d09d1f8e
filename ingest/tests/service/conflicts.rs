//! An id that comes again with another content: no answer tells who a person is, and operators see all of it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{Answer, BATCH, Ingest, LINES, ONE, Place, lines},
    sample::{IIN, OTHER_IIN, attendance, campaign_at, event, headcount, with},
};

/// The event with another person in it.
fn naming(event: &Value, person: &Value) -> Value {
    let mut event = event.clone();
    match event["type"].as_str() {
        Some("qamtu.attendance.recorded.v1") => event["data"]["attendee"] = person.clone(),
        Some("qamtu.precinct.enrolled.v1") => event["data"]["voters"] = json!([[person, 1985, "m"]]),
        _ => event["data"]["person"] = person.clone(),
    }
    event
}

/// An event of each type that names people.
fn of_each_type() -> Vec<Value> {
    let person = json!({"iin": IIN});
    vec![
        attendance("m-open", person.clone()),
        event("consent.given.v1", json!({"person": person, "notice": "2026-02-a"})),
        event("consent.withdrawn.v1", json!({"person": person})),
        event("precinct.enrolled.v1", json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[person, 1985, "m"]]})),
    ]
}

/// What a client sees of an answer, in each of the three forms. Headers that differ with every request are left out.
async fn seen(ingest: &Ingest, event: &Value) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    for (kind, route, body) in [
        (ONE, "/v1/events", event.to_string()),
        (BATCH, "/v1/events", json!([event]).to_string()),
        (BATCH, "/v1/events?on_error=keep-good", json!([event, headcount("m-open", 5)]).to_string()),
        (LINES, "/v1/events", lines(std::slice::from_ref(event))),
    ] {
        let Answer { status, mut body, headers } = ingest.post_to(route, kind, body).await?;
        for varies in ["/fates/1/id", "/instance"] {
            body.pointer_mut(varies).map(Value::take);
        }
        let headers: Vec<_> = headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str())).collect();
        seen.push(format!("{status} {body} {headers:?}"));
    }
    Ok(seen)
}

#[tokio::test]
async fn no_answer_tells_whether_a_guess_at_the_person_is_right() -> Result<()> {
    let place = Place::new()?;
    let mut ingest = campaign_at(&place, &[]).await?;
    let events = of_each_type();
    ingest.take(&events).await?;
    // Once from memory, and once from the register's file.
    for _ in 0..2 {
        for event in &events {
            let right = seen(&ingest, event).await?;
            ensure!(right[0].starts_with("200") && right[0].contains(r#""duplicates":1"#), "{right:?}");
            let wrong = seen(&ingest, &naming(event, &json!({"iin": OTHER_IIN}))).await?;
            ensure!(right == wrong, "{}:\n{right:#?}\n{wrong:#?}", event["type"]);
            // Whatever else differs is told, of the right person and of a wrong one.
            for person in [IIN, OTHER_IIN] {
                let other = with(naming(event, &json!({"iin": person})), "source", "other tests");
                ensure!(ingest.one(&other).await?.problem() == (409, "conflicting-id", "/id"), "{other}");
            }
        }
        ingest.stop().await?;
        ingest = place.start(&[]).await?;
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_known_id_with_another_person_stands_in_the_log_once_and_never_holds() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let events = of_each_type();
    ingest.take(&events).await?;
    for event in &events {
        for other in [OTHER_IIN, "721108204561", OTHER_IIN] {
            let answer = ingest.one(&naming(event, &json!({"iin": other}))).await?;
            ensure!((answer.status, answer.counts()) == (200, (0, 1)), "{answer:?}");
        }
    }
    ingest.stop().await?;
    let records = place.records().await?;
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
    // The body that came first holds in the register too: the same other person is still not told apart.
    let ingest = place.start(&[]).await?;
    ensure!(ingest.one(&events[0]).await?.counts() == (0, 1));
    ingest.stop().await
}

#[tokio::test]
async fn conflicts_are_told_so_many_times_a_minute_and_logged_without_an_identifier() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[("QAMTU__LIMITS__CONFLICTS_PER_MINUTE", "1")]).await?;
    let first = headcount("m-open", 5);
    ingest.take(std::slice::from_ref(&first)).await?;
    let changed = with(first.clone(), "source", "other tests");
    ensure!(ingest.one(&changed).await?.problem() == (409, "conflicting-id", "/id"));
    // A minute has to pass before the next one is told, and a request of many events asks in much less.
    let answer = ingest.post(LINES, lines(&vec![changed.clone(); 100])).await?;
    let codes: Vec<_> = answer.body["failures"].as_array().context("no failures")?.iter().map(|failure| &failure["code"]).collect();
    ensure!(answer.status == 207 && codes.iter().filter(|code| **code == "too-many-conflicts").count() >= 98, "{answer:?}");
    let limited = ingest.one(&changed).await?;
    ensure!(limited.status == 429 && limited.headers.contains_key("retry-after") || limited.status == 409, "{limited:?}");
    // Repetitions are answered as ever.
    ensure!(ingest.one(&first).await?.counts() == (0, 1));
    ingest.stop().await?;
    let said = place.said();
    ensure!(said.contains("ids were sent again with another content"), "{said}");
    ensure!(!said.contains(first["id"].as_str().context("no id")?), "{said}");
    Ok(())
}

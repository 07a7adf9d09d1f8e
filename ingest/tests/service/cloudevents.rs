//! What CloudEvents 1.0 allows and its client libraries send: every form is the same event, and what carries no fact is dropped.

use anyhow::{Result, ensure};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{
    harness::{Answer, BATCH, Ingest, LINES, ONE, Place, answer, lines},
    sample::{IIN, attendance, campaign_at, headcount, with},
};

/// What the libraries for Java, Python, Go and JavaScript add by themselves or on request.
fn dressed(event: &Value) -> Value {
    let mut event = event.clone();
    for (name, value) in [
        ("datacontenttype", json!("application/json; charset=utf-8")),
        ("dataschema", json!("https://example.kz/headcount.json")),
        ("subject", json!("m-open")),
        ("partitionkey", json!("c/m-open")),
        ("traceparent", json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
        ("knativearrivaltime", json!("2026-02-13T10:00:00Z")),
        ("sequence", json!(7)),
        ("sampled", json!(true)),
        ("nothing", Value::Null),
    ] {
        event[name] = value;
    }
    event
}

/// A request in binary mode.
fn binary(ingest: &Ingest, event: &Value, media_type: &str) -> RequestBuilder {
    let mut request = ingest.request("/v1/events", media_type).body(event["data"].to_string());
    for (name, value) in event.as_object().into_iter().flatten().filter(|(name, _)| *name != "data" && *name != "datacontenttype") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        request = request.header(format!("ce-{name}"), value);
    }
    request
}

fn taken(answer: &Answer, counts: (u64, u64)) -> Result<()> {
    ensure!(answer.status < 300 && answer.counts() == counts, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn attributes_of_client_libraries_are_accepted_and_change_nothing() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let plain = headcount("m-open", 5);
    taken(&ingest.one(&dressed(&plain)).await?, (1, 0))?;
    let after = place.ends().await?;
    // The hash of the body does not depend on what is dropped: in every form it is the same event.
    taken(&ingest.one(&plain).await?, (0, 1))?;
    taken(&ingest.post(BATCH, json!([dressed(&plain), plain]).to_string()).await?, (0, 2))?;
    taken(&ingest.post(LINES, lines(&[dressed(&plain), plain.clone()])).await?, (0, 2))?;
    taken(&answer(binary(&ingest, &dressed(&plain), "application/json")).await?, (0, 1))?;
    ensure!(place.ends().await? == after);
    ingest.stop().await?;
    for record in place.records().await? {
        for (name, _) in &record.headers {
            ensure!(!["ce_subject", "ce_dataschema", "ce_partitionkey", "ce_sequence"].contains(&name.as_ref()), "{name} was stored");
        }
    }
    Ok(())
}

#[tokio::test]
async fn binary_mode_is_the_same_event_as_structured_mode() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let event = with(attendance("m-open", json!({"iin": IIN})), "source", "Қабылдау \"1\"");
    let encoded = with(event.clone(), "source", "%D2%9A%D0%B0%D0%B1%D1%8B%D0%BB%D0%B4%D0%B0%D1%83%20%221%22");
    taken(&answer(binary(&ingest, &encoded, "application/json")).await?, (1, 0))?;
    taken(&ingest.one(&event).await?, (0, 1))?;
    taken(&answer(binary(&ingest, &encoded, "application/vnd.example+json")).await?, (0, 1))?;
    let before = place.ends().await?;
    let wrong = |event: Value| answer(binary(&ingest, &event, "application/json"));
    let said = wrong(with(headcount("m-open", 5), "source", "%C0%A0")).await?;
    ensure!(said.problem() == (422, "invalid-attribute", "/source"), "{said:?}");
    let mut misplaced = headcount("m-open", 5);
    misplaced["data"]["people"] = json!(1);
    let said = wrong(misplaced).await?;
    ensure!(said.problem() == (422, "unknown-field", "/data/people"), "{said:?}");
    let mut unnamed = headcount("m-open", 5);
    unnamed.as_object_mut().map(|event| event.remove("campaign"));
    let said = wrong(unnamed).await?;
    ensure!(said.problem() == (422, "missing-attribute", "/campaign"), "{said:?}");
    // A body cannot bring attributes beside its data.
    let sneaking = binary(&ingest, &headcount("m-open", 5), "application/json").body(r#"{},"campaign":"c""#);
    let said = answer(sneaking).await?;
    ensure!(said.problem() == (400, "invalid-json", "/data"), "{said:?}");
    ensure!(place.ends().await? == before);
    ingest.stop().await
}

#[tokio::test]
async fn media_types_are_taken_for_what_they_are() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let event = |people| headcount("m-open", people);
    for (people, kind) in (0..).zip(["application/json", "application/json; charset=utf-8", "text/json"]) {
        taken(&ingest.post(kind, event(people).to_string()).await?, (1, 0))?;
        taken(&ingest.post(kind, format!("\n {}", json!([event(people), event(people)]))).await?, (2, 0))?;
    }
    for kind in ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/jsonlines"] {
        taken(&ingest.post(kind, lines(&[event(7), event(8)])).await?, (2, 0))?;
    }
    let kept = ingest.post_to("/v1/events?on_error=keep-good", "application/json", json!([event(9), 1]).to_string()).await?;
    ensure!(kept.status == 200 && kept.body["refused"] == 1 && kept.counts() == (1, 0), "{kept:?}");
    let roll = ingest.post_to("/v1/roll", "application/jsonl", lines(&[event(1)])).await?;
    ensure!(roll.body["failures"][0]["code"] == "roll-only", "{roll:?}");
    ingest.stop().await
}

#[tokio::test]
async fn other_spellings_of_the_same_json_are_the_same_event() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let event = headcount("m-open", 10);
    taken(&ingest.one(&event).await?, (1, 0))?;
    let after = place.ends().await?;
    let text = event.to_string();
    let mark = "\u{FEFF}";
    taken(&ingest.post(ONE, text.replace(":10}", ":10.0}")).await?, (0, 1))?;
    taken(&ingest.post(ONE, text.replace(":10}", ":1e1}")).await?, (0, 1))?;
    for (kind, body) in [
        (ONE, format!("{mark}{text}")),
        (BATCH, format!("{mark}[{text}]")),
        (LINES, format!("{mark}{text}\n")),
        ("application/json", format!("{mark}[{text}]")),
    ] {
        taken(&ingest.post(kind, body).await?, (0, 1))?;
    }
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, event["data"].to_string());
    let mut bytes = with(event.clone(), "data_base64", encoded);
    bytes.as_object_mut().map(|event| event.remove("data"));
    taken(&ingest.one(&bytes).await?, (0, 1))?;
    ensure!(place.ends().await? == after);
    ingest.stop().await
}

//! What CloudEvents 1.0 allows and client libraries send: every form gives the same event; other attributes are ignored.

use anyhow::{Result, ensure};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, ONE, Response, TestEnv, execute, lines},
    sample::{IIN, attendance, campaign_at, headcount, with},
};

/// Adds the attributes that libraries for Java, Python, Go and JavaScript add.
fn with_library_attributes(event: &Value) -> Value {
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

/// A request for an event in binary mode.
fn binary(ingest: &Ingest, event: &Value, media_type: &str) -> RequestBuilder {
    let mut request = ingest.request("/v1/events", media_type).body(event["data"].to_string());
    for (name, value) in event.as_object().into_iter().flatten().filter(|(name, _)| *name != "data" && *name != "datacontenttype") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        request = request.header(format!("ce-{name}"), value);
    }
    request
}

fn check_counts(response: &Response, counts: (u64, u64)) -> Result<()> {
    ensure!(response.status < 300 && response.counts() == counts, "{response:?}");
    Ok(())
}

#[tokio::test]
async fn attributes_of_client_libraries_are_accepted_and_change_nothing() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let plain = headcount("m-open", 5);
    check_counts(&ingest.post_one(&with_library_attributes(&plain)).await?, (1, 0))?;
    let after = env.end_offsets().await?;
    // The body hash does not depend on ignored attributes: in every form it is the same event.
    check_counts(&ingest.post_one(&plain).await?, (0, 1))?;
    check_counts(&ingest.post(BATCH, json!([with_library_attributes(&plain), plain]).to_string()).await?, (0, 2))?;
    check_counts(&ingest.post(LINES, lines(&[with_library_attributes(&plain), plain.clone()])).await?, (0, 2))?;
    check_counts(&execute(binary(&ingest, &with_library_attributes(&plain), "application/json")).await?, (0, 1))?;
    ensure!(env.end_offsets().await? == after);
    ingest.stop().await?;
    for record in env.records().await? {
        for (name, _) in &record.headers {
            ensure!(!["ce_subject", "ce_dataschema", "ce_partitionkey", "ce_sequence"].contains(&name.as_ref()), "{name} was stored");
        }
    }
    Ok(())
}

#[tokio::test]
async fn binary_mode_is_the_same_event_as_structured_mode() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let event = with(attendance("m-open", json!({"iin": IIN})), "source", "Қабылдау \"1\"");
    let encoded = with(event.clone(), "source", "%D2%9A%D0%B0%D0%B1%D1%8B%D0%BB%D0%B4%D0%B0%D1%83%20%221%22");
    check_counts(&execute(binary(&ingest, &encoded, "application/json")).await?, (1, 0))?;
    check_counts(&ingest.post_one(&event).await?, (0, 1))?;
    check_counts(&execute(binary(&ingest, &encoded, "application/vnd.example+json")).await?, (0, 1))?;
    let before = env.end_offsets().await?;
    let wrong = |event: Value| execute(binary(&ingest, &event, "application/json"));
    let response = wrong(with(headcount("m-open", 5), "source", "%C0%A0")).await?;
    ensure!(response.problem() == (422, "invalid-attribute", "/source"), "{response:?}");
    let mut misplaced = headcount("m-open", 5);
    misplaced["data"]["people"] = json!(1);
    let response = wrong(misplaced).await?;
    ensure!(response.problem() == (422, "unknown-field", "/data/people"), "{response:?}");
    let mut unnamed = headcount("m-open", 5);
    unnamed.as_object_mut().map(|event| event.remove("campaign"));
    let response = wrong(unnamed).await?;
    ensure!(response.problem() == (422, "missing-attribute", "/campaign"), "{response:?}");
    // A body cannot inject attributes.
    let sneaking = binary(&ingest, &headcount("m-open", 5), "application/json").body(r#"{},"campaign":"c""#);
    let response = execute(sneaking).await?;
    ensure!(response.problem() == (400, "invalid-json", "/data"), "{response:?}");
    ensure!(env.end_offsets().await? == before);
    ingest.stop().await
}

#[tokio::test]
async fn media_types_determine_the_form() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let event = |people| headcount("m-open", people);
    for (people, kind) in (0..).zip(["application/json", "application/json; charset=utf-8", "text/json"]) {
        check_counts(&ingest.post(kind, event(people).to_string()).await?, (1, 0))?;
        check_counts(&ingest.post(kind, format!("\n {}", json!([event(people), event(people)]))).await?, (2, 0))?;
    }
    for kind in ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/jsonlines"] {
        check_counts(&ingest.post(kind, lines(&[event(7), event(8)])).await?, (2, 0))?;
    }
    let kept = ingest.post_to("/v1/events?on_error=keep-good", "application/json", json!([event(9), 1]).to_string()).await?;
    ensure!(kept.status == 200 && kept.body["refused"] == 1 && kept.counts() == (1, 0), "{kept:?}");
    let roll = ingest.post_to("/v1/roll", "application/jsonl", lines(&[event(1)])).await?;
    ensure!(roll.body["failures"][0]["code"] == "roll-only", "{roll:?}");
    ingest.stop().await
}

#[tokio::test]
async fn other_spellings_of_the_same_json_are_the_same_event() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let event = headcount("m-open", 10);
    check_counts(&ingest.post_one(&event).await?, (1, 0))?;
    let after = env.end_offsets().await?;
    let text = event.to_string();
    let mark = "\u{FEFF}";
    check_counts(&ingest.post(ONE, text.replace(":10}", ":10.0}")).await?, (0, 1))?;
    check_counts(&ingest.post(ONE, text.replace(":10}", ":1e1}")).await?, (0, 1))?;
    for (kind, body) in [
        (ONE, format!("{mark}{text}")),
        (BATCH, format!("{mark}[{text}]")),
        (LINES, format!("{mark}{text}\n")),
        ("application/json", format!("{mark}[{text}]")),
    ] {
        check_counts(&ingest.post(kind, body).await?, (0, 1))?;
    }
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, event["data"].to_string());
    let mut bytes = with(event.clone(), "data_base64", encoded);
    bytes.as_object_mut().map(|event| event.remove("data"));
    check_counts(&ingest.post_one(&bytes).await?, (0, 1))?;
    ensure!(env.end_offsets().await? == after);
    ingest.stop().await
}

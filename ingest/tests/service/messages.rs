//! Texts of refusals: they say what to send instead, in the sender's language, without internal terms.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, ONE, TestEnv, execute, lines},
    sample::{IIN, attendance, campaign, campaign_at, event, headcount, planned, unit, with},
};

const LANGUAGES: [&str; 3] = ["en", "ru", "kk"];

/// Internal terms that no refusal may contain.
const INTERNAL_TERMS: [&str; 14] =
    ["u8", "u16", "u32", "u64", "i64", "f64", "struct", "enum", "variant", "tuple", "sequence", "serde", "invalid type", "EOF"];

/// Posts an event and returns its refusal in each language.
async fn refusals_in_all_languages(ingest: &Ingest, event: &str) -> Result<[Value; 3]> {
    let mut responses = Vec::new();
    for language in LANGUAGES {
        let request = ingest.request("/v1/events", ONE).header("accept-language", language).body(event.to_owned());
        let response = execute(request).await?;
        ensure!(response.status >= 400, "{event}: {response:?}");
        responses.push(response.body);
    }
    responses.try_into().ok().context("three responses")
}

fn detail(response: &Value) -> &str {
    response["detail"].as_str().unwrap_or_default()
}

fn cyrillic(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{400}'..='\u{4FF}'))
}

/// Checks that code and pointer are the same in three languages, details are translated, and none contains an internal term.
fn check_languages(name: &str, [en, ru, kk]: &[Value; 3]) -> Result<()> {
    for response in [en, ru, kk] {
        ensure!(
            response["code"] == en["code"] && response["pointer"] == en["pointer"] && response["status"] == en["status"],
            "{name}: {response}"
        );
        for word in INTERNAL_TERMS {
            ensure!(!detail(response).split(|c: char| !c.is_alphanumeric()).any(|part| part == word), "{name}: {response}");
        }
        ensure!(detail(response).ends_with('.') && !detail(response).contains('!'), "{name}: {response}");
    }
    ensure!(!cyrillic(detail(en)) && cyrillic(detail(ru)) && cyrillic(detail(kk)) && detail(ru) != detail(kk), "{name}: {en} {ru} {kk}");
    Ok(())
}

#[tokio::test]
async fn refusals_name_what_the_sender_can_write_in_three_languages() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let people = |value: Value| {
        let mut event = headcount("m-open", 1);
        event["data"]["counts"][0]["people"] = value;
        event.to_string()
    };
    let nobody_and_some = {
        let mut event = headcount("m-open", 5);
        event["data"]["nobody_eligible"] = json!(true);
        event["data"]["eligible_minimum"] = json!(3);
        event.to_string()
    };
    let who = |person: Value| attendance("m-open", person).to_string();
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("a negative number", people(json!(-1)), &["0", "4294967295"]),
        ("a number in quotes", people(json!("10")), &["4294967295"]),
        ("a fraction", people(json!(1.5)), &[]),
        ("a number too large", people(json!(100_001)), &["100"]),
        ("eligible people where nobody is eligible", nobody_and_some, &["nobody_eligible", "eligible_minimum", "0"]),
        ("nothing where a number belongs", people(Value::Null), &["4294967295"]),
        ("an empty person", who(json!({})), &["`iin`", "`phone`"]),
        ("a person by name", who(json!({"name": "A"})), &["`iin`", "`phone`"]),
        ("a broken pseudonym", who(json!({"id": "abc", "strength": "strong"})), &["`iin`", "`phone`"]),
        ("an IIN as a number", who(json!({"iin": 850_615_101_233_u64})), &[]),
        ("an IIN that lost its zeros as a number", who(json!({"iin": 229_200_019})), &[]),
        ("an IIN that lost a zero", who(json!({"iin": "29200019"})), &["12", "8"]),
        ("eleven digits", who(json!({"iin": "85061510123"})), &["12", "11"]),
        ("a wrong check digit", who(json!({"iin": "850615101234"})), &["12"]),
        ("a wrong phone", who(json!({"phone": "12"})), &["+7"]),
        ("an unknown field", event("meeting.cancelled.v1", json!({"meeting": "m", "cause": "x"})).to_string(), &["meeting", "reason"]),
        ("a missing field", event("meeting.cancelled.v1", json!({})).to_string(), &["meeting"]),
        ("a wrong choice", with_residence("moon"), &["outside", "unknown", "unit", "precinct"]),
        ("a list for an object", with(planned("m-2", "YOUTH"), "data", json!([])).to_string(), &[]),
        ("a wrong code", planned("Кездесу", "YOUTH").to_string(), &["48"]),
        ("an unknown code", planned("m-2", "NOBODY").to_string(), &["NOBODY"]),
        ("a wrong id", with(headcount("m-open", 1), "id", "17").to_string(), &["UUID"]),
        ("a wrong time", with(headcount("m-open", 1), "time", "yesterday").to_string(), &["2026-02-13T15:00:00+05:00"]),
        ("a number as attribute", with(headcount("m-open", 1), "source", 7).to_string(), &[]),
        ("no campaign", with(headcount("m-open", 1), "campaign", Value::Null).to_string(), &["campaign"]),
        ("another campaign", with(headcount("m-open", 1), "campaign", "other").to_string(), &["other"]),
        ("a date in the far future", with(headcount("m-open", 1), "time", "2099-01-01T00:00:00Z").to_string(), &[]),
        ("broken JSON", "{".to_owned(), &[]),
        ("a misspelt attribute", with(headcount("m-open", 1), "recorded_time", "x").to_string(), &["recordedtime"]),
    ];
    for (name, event, words) in cases {
        let responses = refusals_in_all_languages(&ingest, &event).await?;
        check_languages(name, &responses)?;
        for (response, word) in responses.iter().flat_map(|response| words.iter().map(move |word| (response, word))) {
            ensure!(detail(response).contains(word), "{name}: {word} is missing: {response}");
        }
    }
    ingest.stop().await
}

fn with_residence(residence: &str) -> String {
    let mut event = attendance("m-open", json!({"iin": IIN}));
    event["data"]["residence"] = json!(residence);
    event.to_string()
}

#[tokio::test]
async fn batches_and_streams_use_the_senders_language_too() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let wrong = planned("m-2", "NOBODY");
    let send = |route: &'static str, kind: &'static str, body: String| {
        execute(ingest.request(route, kind).header("accept-language", "kk-KZ, ru;q=0.5").body(body))
    };
    let batch = send("/v1/events", BATCH, json!([wrong]).to_string()).await?;
    let kept = send("/v1/events?on_error=keep-good", BATCH, json!([wrong]).to_string()).await?;
    let stream = send("/v1/events", LINES, lines(&[wrong])).await?;
    for detail in [
        &batch.body["detail"],
        &batch.body["failures"][0]["detail"],
        &kept.body["outcomes"][0]["detail"],
        &stream.body["failures"][0]["detail"],
    ] {
        ensure!(detail == "Науқанда NOBODY коды жоқ. Кодты түзетіңіз немесе алдымен қосыңыз.", "{detail}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn reference_data_that_changed_under_its_revision_reports_the_differences() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let first = unit("NEW");
    ingest.send_lines(std::slice::from_ref(&first)).await?;
    let mut other = first.clone();
    other["data"]["names"]["kk"] = json!("Жаңа");
    other["data"]["tile"]["row"] = json!(9);
    let responses = refusals_in_all_languages(&ingest, &other.to_string()).await?;
    check_languages("another content", &responses)?;
    for response in &responses {
        ensure!(response["code"] == "conflicting-id" && response["status"] == 409, "{response}");
        ensure!(response["differs"] == json!(["/data/names/kk", "/data/tile/row"]), "{response}");
        for word in ["`revision`", "/data/names/kk", "/data/tile/row"] {
            ensure!(detail(response).contains(word), "{response}");
        }
        ensure!(!detail(response).contains("/data/names/ru") && !detail(response).contains("Жаңа"), "{response}");
    }
    let mut configured = campaign(false);
    ingest.post_one(&configured).await?;
    configured["data"]["planned_reach"] = json!(7);
    let responses = refusals_in_all_languages(&ingest, &configured.to_string()).await?;
    ensure!(detail(&responses[0]).contains("/data/planned_reach"), "{}", responses[0]);
    ingest.stop().await
}

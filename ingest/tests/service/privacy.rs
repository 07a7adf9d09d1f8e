//! No raw identifier is in the log, in the register, in log messages or in responses.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, LINES, ONE, TestEnv, lines},
    sample::{IIN, OTHER_IIN, attendance, campaign_at, event, with},
};

const PHONE: &str = "+77011234567";

/// Forms in which an identifier could appear.
fn forms(digits: &str) -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = vec![digits.into(), hex(digits.as_bytes()).into(), hex(digits.as_bytes()).to_uppercase().into()];
    for joiner in [" ", "-"] {
        for size in [2, 3, 4, 6] {
            let groups: Vec<String> = digits.as_bytes().chunks(size).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
            forms.push(groups.join(joiner).into());
        }
    }
    // In Base64 a text has three forms, depending on its offset; the characters at its edges depend on the neighbours.
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode(["x".repeat(before), digits.to_owned()].concat());
        let begin = (before * 8).div_ceil(6);
        forms.push(text[begin..text.len() - 2].into());
    }
    let wide: String = digits.chars().map(|c| char::from_u32(u32::from(c) - u32::from('0') + 0xFF10).unwrap_or(c)).collect();
    forms.push(wide.into());
    forms
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    memchr::memmem::find(bytes, form).is_some()
}

#[test]
fn the_search_finds_what_it_looks_for() {
    for form in forms(IIN) {
        assert!(holds(&[b"abc", &form[..], b"def"].concat(), &form));
    }
    let encoded = STANDARD_NO_PAD.encode(format!("ab{IIN}cd"));
    assert!(forms(IIN).iter().any(|form| holds(encoded.as_bytes(), form)));
}

#[tokio::test]
async fn raw_identifiers_are_nowhere() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__TELEMETRY__FILTER", "trace")]).await?;
    let wrong = format!("{}0", &IIN[..11]);
    let good = [
        attendance("m-open", json!({"iin": IIN})),
        attendance("m-open", json!({"iin": OTHER_IIN})),
        attendance("m-open", json!({"phone": PHONE})),
        event("consent.given.v1", json!({"person": {"iin": IIN}, "notice": "2026-02-a"})),
        event("consent.withdrawn.v1", json!({"person": {"phone": "8 (701) 123-45-67"}})),
        event(
            "precinct.enrolled.v1",
            json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[{"iin": IIN}, 1985, "m"]]}),
        ),
        // Ignored attributes are dropped with name and value.
        with(attendance("m-open", json!({"iin": IIN})), IIN, 1),
        with(attendance("m-open", json!({"iin": IIN})), "subject", IIN),
    ];
    ensure!(ingest.send_lines(&good).await?.counts() == (8, 0));
    let bad = [
        attendance("m-open", json!({"iin": wrong})),
        attendance("m-open", json!({"iin": IIN, "phone": PHONE})),
        attendance("m-open", json!({"iin": 850_615_101_233_u64})),
        attendance("m-open", json!({"id": IIN, "strength": "strong"})),
        attendance("m-open", json!({IIN: IIN})),
        attendance("m-open", json!({"phone": format!("{PHONE}x")})),
        attendance("m-open", json!({PHONE: 1})),
        attendance("m-clergy", json!({"iin": IIN})),
        attendance(IIN, json!({"iin": IIN})),
        with(attendance("m-open", json!({"iin": IIN})), "source", IIN),
        with(attendance("m-open", json!({"iin": IIN})), "id", IIN),
        with(attendance("m-open", json!({"iin": IIN})), "type", IIN),
        with(attendance("m-open", json!({"iin": IIN})), "time", IIN),
        with(attendance("m-open", json!({"iin": IIN})), "campaign", IIN),
        with(attendance("m-open", json!({"iin": IIN})), "data", IIN),
        with(good[0].clone(), "source", "another body"),
        json!(IIN),
        json!(PHONE),
    ];
    let mut output = String::new();
    for event in &bad {
        for (kind, body) in [(ONE, event.to_string()), (BATCH, json!([event]).to_string()), (LINES, lines(std::slice::from_ref(event)))] {
            let response = ingest.post(kind, body).await?;
            ensure!(response.status >= 400 || response.body["refused"] == 1, "{event}: {response:?}");
            output.push_str(&format!("{response:?}\n"));
        }
    }
    let broken = ingest.post(ONE, format!(r#"{{"iin":"{IIN}","#)).await?;
    let query = ingest.post_to(&format!("/v1/events?iin={IIN}"), ONE, "{}").await?;
    let path = ingest.get(&format!("/v1/{IIN}")).await?;
    output.push_str(&format!("{broken:?}\n{query:?}\n{path:?}\n{}", ingest.metrics().await?));
    ingest.stop().await?;

    let mut found = Vec::new();
    files(&env.path(""), &mut found)?;
    ensure!(
        found.iter().any(|file| file.ends_with("register.sqlite")) && found.iter().any(|file| file.ends_with("records.sqlite")),
        "{found:?}"
    );
    let phone = PHONE.trim_start_matches('+');
    for needle in [IIN, OTHER_IIN, &wrong, phone, &phone[1..]].map(forms).concat() {
        let shown = String::from_utf8_lossy(&needle).into_owned();
        ensure!(!holds(output.as_bytes(), &needle), "an response holds {shown}");
        for file in &found {
            ensure!(!holds(&fs::read(file)?, &needle), "{} holds {shown}", file.display());
        }
    }
    Ok(())
}

#[tokio::test]
async fn one_person_has_one_pseudonym_in_a_campaign() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    ingest.send_lines(&[attendance("m-open", json!({"iin": IIN})), attendance("m-open", json!({"iin": " 8506 1510 1233 "}))]).await?;
    ingest.send_lines(&[attendance("m-open", json!({"phone": PHONE}))]).await?;
    ingest.stop().await?;
    let mut persons = Vec::new();
    for record in env.records().await? {
        let value: Value = serde_json::from_slice(record.value.as_deref().context("no value")?)?;
        persons.extend(value.get("attendee").cloned());
    }
    let strong: Vec<_> = persons.iter().filter(|person| person["strength"] == "strong").collect();
    ensure!(persons.len() == 3 && strong.len() == 2 && strong[0] == strong[1], "{persons:?}");
    let digits = hmac_of(&fs::read_to_string(env.path("keys/c.key"))?, &format!("qamtu:v1|iin|{IIN}"))?;
    ensure!(strong[0]["id"] == digits, "{persons:?}");
    Ok(())
}

/// The pseudonym as the documentation defines it.
fn hmac_of(key: &str, text: &str) -> Result<String> {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&hex::decode(key.trim())?)?;
    mac.update(text.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()[..16]).chars().map(|c| char::from(b'a' + c.to_digit(16).unwrap_or(0) as u8)).collect())
}

#[tokio::test]
async fn without_a_key_nobody_is_named() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__PSEUDONYM__CREATE", "false")]).await?;
    let before = env.end_offsets().await?;
    let response = ingest.post_one(&attendance("m-open", json!({"iin": IIN}))).await?;
    ensure!(response.problem().1 == "key-missing" && response.status == 503, "{response:?}");
    ensure!(env.end_offsets().await? == before);
    ensure!(env.stderr().contains("c.key is missing"), "{}", env.stderr());
    ingest.stop().await
}

//! Health, metrics, the OpenAPI document, and responses in three languages.

use std::process::Command;

use anyhow::{Result, ensure};
use qamtu_ingest::{metrics, rejection::ProblemCode};
use serde_json::json;

use super::{
    harness::{BATCH, LINES, ONE, TestEnv, execute, lines},
    sample::{campaign_at, event, headcount, iin, planned},
};

#[tokio::test]
async fn health_metrics_and_languages() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    ensure!(ingest.get("/live").await?.status == 200 && ingest.get("/ready").await?.status == 200);
    ingest.post_one(&headcount("m-open", 5)).await?;
    ingest.post_one(&planned("m-2", "NOBODY")).await?;
    for (language, title) in [("kk", "Санат белгісіз"), ("ru-KZ, en", "Неизвестная категория"), ("de", "The category is unknown")]
    {
        let request = ingest.request("/v1/events", ONE).header("accept-language", language).body(planned("m-2", "NOBODY").to_string());
        let response = execute(request).await?;
        ensure!(response.body["title"] == title, "{response:?}");
        let id = response.headers["x-request-id"].to_str()?;
        ensure!(response.body["instance"] == format!("urn:uuid:{id}") && response.headers["cache-control"] == "no-store", "{response:?}");
    }
    // Metrics are not served on the main listener.
    ensure!(ingest.get("/metrics").await?.problem() == (404, "not-found", "-"));
    let text = ingest.metrics().await?;
    ensure!(text.contains(r#"qamtu_ingest_events_accepted_total{type="headcount.reported"} 1"#), "{text}");
    ensure!(text.contains(r#"qamtu_ingest_refused_total{reason="unknown-category"} 4"#), "{text}");
    ensure!(text.contains(r#"qamtu_ingest_requests_total{route="/v1/events",status="202"} 1"#), "{text}");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# TYPE")) {
        let name = line.trim_start_matches("# HELP ").split([' ', '{']).next().unwrap_or_default();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        ensure!(metrics::NAMES.contains(&name) || metrics::NAMES.contains(&base), "{line} is not declared");
    }
    for name in metrics::NAMES.iter().filter(|name| text.contains(**name)) {
        ensure!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
    ingest.stop().await
}

#[tokio::test]
async fn the_description_is_what_it_was() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    let description = ingest.get("/v1/openapi.json").await?.body;
    let names: Vec<_> = description["components"]["schemas"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
    insta::assert_json_snapshot!(json!({"paths": description["paths"], "schemas": names}));
    ingest.stop().await
}

#[test]
fn the_codes_are_what_they_were() {
    let codes: Vec<_> = ProblemCode::ALL.iter().map(|code| format!("{} {}", code.status().as_u16(), code.as_str())).collect();
    insta::assert_json_snapshot!(codes);
}

#[tokio::test]
async fn rolls_are_sent_to_the_bulk_route() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let roll = |version: u32, from: u32, voters: u32| {
        let voters: Vec<_> = (from..from + voters).map(|n| json!([{"iin": iin(n)}, 1980 + n % 10 * 5, "f"])).collect();
        event("precinct.enrolled.v1", json!({"precinct": "TRK-014", "version": version, "strength": "strong", "voters": voters}))
    };
    let rolls = [roll(1, 0, 3000), roll(2, 0, 10_000), roll(3, 0, 10_001)];
    let response = ingest.post_to("/v1/roll", LINES, lines(&rolls)).await?;
    ensure!(response.status == 207 && response.counts() == (2, 0), "{response:?}");
    ensure!(response.body["failures"][0]["pointer"] == "/data/voters" && response.body["failures"][0]["line"] == 3, "{response:?}");
    let again = ingest.post_to("/v1/roll", LINES, lines(&rolls[..2])).await?;
    ensure!(again.counts() == (0, 2), "{again:?}");
    // On `/v1/events` the roll is too large.
    let response = ingest.post(BATCH, json!([rolls[1]]).to_string()).await?;
    ensure!(response.problem() == (413, "event-too-large", "/0"), "{response:?}");
    ingest.stop().await
}

#[test]
fn a_wrong_setting_ends_with_64_and_one_clear_line() -> Result<()> {
    for (name, value, response) in [
        ("QAMTU__LIMITS__STREAMS", "0", "limits.*"),
        ("QAMTU__LISEN", "127.0.0.1:0", "lisen"),
        ("QAMTU__LOG__KIND", "rabbit", "rabbit"),
        ("QAMTU__TELEMETRY__FILTER", "=,=", "telemetry.filter"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_qamtu-ingest")).env(name, value).output()?;
        let text = String::from_utf8(output.stderr)?;
        ensure!(output.status.code() == Some(64) && text.lines().count() == 1 && text.contains(response), "{name}: {text}");
        ensure!(output.stdout.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_reported_in_one_line() -> Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let output = Command::new(env!("CARGO_BIN_EXE_qamtu-ingest")).env("QAMTU__LISTEN", taken.local_addr()?.to_string()).output()?;
    let text = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(1) && text.lines().count() == 1 && text.contains("cannot be taken"), "{text}");
    Ok(())
}

#[tokio::test]
async fn before_the_register_has_caught_up_requests_get_503() -> Result<()> {
    let env = TestEnv::new()?;
    // The log folder is a file, so the log cannot be opened, and the service must refuse requests.
    std::fs::write(env.path("log"), "no folder")?;
    let mut ingest = env.launch(&[]).await?;
    let first = ingest.post(ONE, headcount("m-open", 5).to_string()).await;
    if let Ok(response) = first {
        ensure!(response.problem() == (503, "starting", "-") && response.headers.contains_key("retry-after"), "{response:?}");
        ensure!(ingest.get("/ready").await.map_or(503, |response| response.status) == 503);
        ingest.terminate()?;
    }
    ingest.wait_exit().await?;
    ensure!(env.stderr().contains("log"), "{}", env.stderr());
    Ok(())
}

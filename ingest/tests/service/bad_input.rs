//! Invalid events: refused with code and JSON pointer as one event, in a batch and in a stream; nothing of them is in the log.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, TestEnv, lines},
    invalid_events::{self, InvalidEvent, changed},
    sample::{IIN, attendance, campaign, campaign_at, event, headcount, held, planned, unit, with},
};

/// Sends one invalid event as one event, in a batch and in a stream.
async fn refuse(ingest: &Ingest, InvalidEvent(name, event, expected): &InvalidEvent) -> Result<()> {
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
    for case in invalid_events::all() {
        refuse(&ingest, &case).await?;
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

//! An event that is sent again: the same body is a duplicate, another body a conflict, in every form and across restarts.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    harness::{BATCH, LINES, TestEnv, lines},
    sample::{IIN, attendance, campaign_at, event, headcount, plan, planned, with},
};

#[tokio::test]
async fn the_same_body_is_stored_once_and_another_one_refused() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let first = attendance("m-open", json!({"iin": IIN}));
    ensure!(ingest.post_one(&first).await?.status == 202);
    let after = env.end_offsets().await?;
    // The same content written differently: order of fields, spaces, offset of the time, spelling of the identifier.
    let spelled = format!(
        r#"{{ "data": {{"adult":true, "residence":{{"precinct":"TRK-014"}}, "consent":"2026-02-a", "attendee":{{"iin":"８506 1510-1233"}}, "meeting":"m-open"}},
        "type":"qamtu.attendance.recorded.v1", "time":"2026-02-13T10:00:00.000Z", "campaign":"c", "id":{}, "source":"tests", "specversion":"1.0" }}"#,
        first["id"]
    );
    let again = ingest.post(super::harness::ONE, spelled).await?;
    ensure!((again.status, again.counts()) == (200, (0, 1)), "{again:?}");
    let changed = with(first.clone(), "source", "other tests");
    let conflict = ingest.post_one(&changed).await?;
    ensure!(conflict.problem() == (409, "conflicting-id", "/id") && conflict.body["id"] == first["id"], "{conflict:?}");
    let batch = ingest.post(BATCH, json!([headcount("m-open", 5), changed]).to_string()).await?;
    ensure!(batch.problem() == (409, "conflicting-id", "/1/id"), "{batch:?}");
    let stream = ingest.post(LINES, lines(&[first.clone(), changed.clone()])).await?;
    ensure!(stream.counts() == (0, 1) && stream.body["failures"][0]["code"] == "conflicting-id", "{stream:?}");
    ensure!(env.end_offsets().await? == after);
    ingest.stop().await?;

    // The same after a restart, when the register is loaded from its file.
    let ingest = env.start(&[]).await?;
    ensure!(ingest.post_one(&first).await?.counts() == (0, 1));
    ensure!(ingest.post_one(&changed).await?.problem() == (409, "conflicting-id", "/id"));
    ensure!(env.end_offsets().await? == after);
    ingest.stop().await
}

#[tokio::test]
async fn a_batch_with_duplicates_stores_each_event_once() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let one = headcount("m-open", 5);
    let response = ingest.post(BATCH, json!([one, one, headcount("m-open", 6)]).to_string()).await?;
    ensure!((response.status, response.counts()) == (202, (2, 1)), "{response:?}");
    let two = headcount("m-open", 7);
    let before = env.end_offsets().await?;
    let response = ingest.post(BATCH, json!([two, with(two.clone(), "source", "x")]).to_string()).await?;
    ensure!(response.problem() == (409, "conflicting-id", "/1/id"), "{response:?}");
    ensure!(env.end_offsets().await? == before);
    // A refused batch releases its ids.
    ensure!(ingest.post_one(&with(two.clone(), "source", "y")).await?.status == 202);
    ingest.stop().await
}

#[tokio::test]
async fn a_stream_with_duplicates_across_chunks_stores_each_event_once() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LIMITS__CHUNK_EVENTS", "3")]).await?;
    let events: Vec<_> = (0..100).map(|people| headcount("m-open", people)).collect();
    let doubled: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone()]).chain(events.iter().cloned()).collect();
    let response = ingest.post(LINES, lines(&doubled)).await?;
    ensure!((response.status, response.counts()) == (200, (100, 200)), "{response:?}");
    ingest.stop().await?;
    let ids = env.ids().await?;
    ensure!(ids.len() == 108 && ids.values().all(|times| *times == 1));
    Ok(())
}

#[tokio::test]
async fn keep_good_lists_the_outcome_of_each_event() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let known = headcount("m-open", 5);
    ingest.send_lines(std::slice::from_ref(&known)).await?;
    let fresh = headcount("m-unknown", 6);
    let wrong = planned("m-2", "NOBODY");
    let events = json!([known, fresh, wrong, with(known.clone(), "source", "x"), 5]);
    let response = ingest.post_to("/v1/events?on_error=keep-good", BATCH, events.to_string()).await?;
    ensure!(response.status == 200 && response.counts() == (1, 1) && response.body["refused"] == 3, "{response:?}");
    let outcomes = &response.body["outcomes"];
    ensure!(outcomes[0] == json!({"index": 0, "id": known["id"], "outcome": "duplicate"}), "{outcomes}");
    ensure!(outcomes[1] == json!({"index": 1, "id": fresh["id"], "outcome": "accepted"}), "{outcomes}");
    ensure!(outcomes[2]["reason"] == "unknown-category" && outcomes[2]["pointer"] == "/2/data/plan/category", "{outcomes}");
    ensure!(outcomes[3]["reason"] == "conflicting-id" && outcomes[3]["id"] == known["id"], "{outcomes}");
    ensure!(outcomes[4]["outcome"] == "refused" && outcomes[4]["reason"] == "invalid-json", "{outcomes}");
    ensure!(response.body["warnings"][0]["code"] == "unknown-meeting", "{response:?}");
    ingest.stop().await
}

#[tokio::test]
async fn a_reversed_import_removes_its_plans() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let import = "0196b1e0-7a4c-7d1b-9a51-0c2f4f6e8a10";
    ingest.send_lines(&[with(planned("m-import", "YOUTH"), "import", import)]).await?;
    ensure!(ingest.post_one(&headcount("m-import", 5)).await?.body["warnings"] == json!([]));
    ingest.send_lines(&[event("import.reversed.v1", json!({"import": import}))]).await?;
    ensure!(ingest.post_one(&headcount("m-import", 6)).await?.body["warnings"][0]["code"] == "unknown-meeting");
    ingest.stop().await
}

#[tokio::test]
async fn a_retry_that_spells_ids_instants_and_letters_otherwise_is_a_repetition() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let import = "0196b1e0-7a4c-7d1b-9a51-0c2f4f6e8a10";
    let gone = "018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10";
    let events_spelled = |spelled: [&str; 4]| {
        let [gone, starts, reason, import] = spelled;
        let mut report = plan("YOUTH");
        report["starts"] = json!(starts);
        let corrected = json!({"meeting": "m-open", "supersedes": [gone], "report": report, "reason": reason});
        let plan = json!({"meeting": "m-open", "supersedes": [gone], "plan": report});
        let moved = json!({"meeting": "m-open", "supersedes": [gone], "starts": starts, "reason": reason});
        let retracted = json!({"meeting": "m-open", "retracts": [gone], "reason": reason});
        [
            event("meeting.corrected.v1", corrected),
            event("meeting.planned.v1", plan),
            event("meeting.rescheduled.v1", moved),
            event("attendance.retracted.v1", retracted),
            event("import.reversed.v1", json!({"import": import, "reason": reason})),
        ]
        .map(|event| with(with(event, "source", reason), "import", import))
    };
    let first = events_spelled([gone, "2026-02-13T15:00:00+05:00", "Йод, Ёлка", import]);
    ingest.send_lines(&first).await?;
    for spelled in [
        [&gone.to_uppercase(), "2026-02-13T10:00:00Z", "И\u{306}од, Е\u{308}лка", &import.to_uppercase()],
        [gone, "2026-02-13T10:00:00.000000Z", "Йод, Ёлка", import],
        [gone, "2026-02-12t23:00:00-11:00", "Йод, Ёлка", import],
    ] {
        for (first, again) in first.iter().zip(events_spelled(spelled)) {
            let again = with(again, "id", first["id"].as_str().unwrap().to_uppercase());
            let response = ingest.post_one(&again).await?;
            ensure!((response.status, response.counts()) == (200, (0, 1)), "{again}: {response:?}");
        }
    }
    // A null field is the same as an absent one; another instant is another event.
    let mut cancelled = event("meeting.cancelled.v1", json!({"meeting": "m-open", "reason": null}));
    ensure!(ingest.post_one(&cancelled).await?.status == 202);
    cancelled["data"] = json!({"meeting": "m-open"});
    ensure!(ingest.post_one(&cancelled).await?.counts() == (0, 1));
    let mut later = first[2].clone();
    later["data"]["starts"] = json!("2026-02-13T15:00:00+06:00");
    ensure!(ingest.post_one(&later).await?.problem() == (409, "conflicting-id", "/id"));
    ingest.stop().await?;
    // The log holds normalized values: times in UTC, texts in normalization form C.
    for record in env.records().await? {
        let headers = record.headers.iter().flat_map(|(_, value)| value.to_vec());
        let stored = record.value.iter().flat_map(|value| value.to_vec()).chain(headers).collect();
        let text = String::from_utf8(stored)?;
        ensure!(!text.contains("+05:00") && !text.contains('\u{306}'), "{text}");
    }
    Ok(())
}

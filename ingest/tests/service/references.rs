//! Corrections, retractions and new plans that reference other events: accepted, with a warning for a reference without effect.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, TestEnv},
    sample::{IIN, OTHER_IIN, attendance, campaign_at, event, headcount, held, plan, planned, precinct},
};

/// Code and reference of every warning in the response to an event.
async fn warnings_of(ingest: &Ingest, event: &Value) -> Result<Vec<(String, Value)>> {
    let response = ingest.post_one(event).await?;
    ensure!(response.status == 202, "{event}: {response:?}");
    let warnings = response.body["warnings"].as_array().cloned().unwrap_or_default();
    ensure!(warnings.iter().all(|warning| warning["id"] == event["id"]), "{response:?}");
    Ok(warnings.iter().map(|warning| (warning["code"].as_str().unwrap_or_default().to_owned(), warning["reference"].clone())).collect())
}

/// One event of each type that can reference others, about `m-open`, with a reference to `id`.
fn events_referencing(id: &Value) -> Vec<(&'static str, Value)> {
    let ids = json!([id]);
    vec![
        ("planned", event("meeting.planned.v1", json!({"meeting": "m-open", "supersedes": ids, "plan": plan("YOUTH")}))),
        (
            "rescheduled",
            event("meeting.rescheduled.v1", json!({"meeting": "m-open", "supersedes": ids, "starts": "2026-02-14T15:00:00+05:00"})),
        ),
        ("corrected", event("meeting.corrected.v1", json!({"meeting": "m-open", "supersedes": ids, "report": plan("YOUTH")}))),
        ("retracted", event("attendance.retracted.v1", json!({"meeting": "m-open", "retracts": ids}))),
        (
            "recounted",
            event("headcount.recounted.v1", json!({"meeting": "m-open", "supersedes": ids, "counts": [{"counter": "1", "people": 4}]})),
        ),
        ("given", event("consent.given.v1", json!({"person": {"iin": IIN}, "notice": "2026-02-a", "supersedes": ids}))),
    ]
}

#[tokio::test]
async fn a_reference_without_effect_is_a_warning_that_names_it() -> Result<()> {
    let env = TestEnv::new()?;
    let mut ingest = campaign_at(&env, &[]).await?;
    let withdrawn = |iin: &str| event("consent.withdrawn.v1", json!({"person": {"iin": iin}}));
    let here = [
        planned("m-open", "YOUTH"),
        planned("m-open", "AGRO"),
        held("m-open", "YOUTH"),
        attendance("m-open", json!({"iin": IIN})),
        headcount("m-open", 5),
        withdrawn(IIN),
    ];
    let elsewhere = [
        planned("m-2", "YOUTH"),
        planned("m-2", "AGRO"),
        held("m-2", "YOUTH"),
        attendance("m-2", json!({"iin": IIN})),
        headcount("m-2", 5),
    ];
    ingest.send_lines(&here).await?;
    ingest.send_lines(&elsewhere).await?;
    let nobody = json!("018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10");
    // Once from memory, and once from the register's file.
    for _ in 0..2 {
        for (index, target) in here.iter().enumerate() {
            let (kind, good) = events_referencing(&target["id"]).swap_remove(index);
            ensure!(warnings_of(&ingest, &good).await?.is_empty(), "{kind} references what it can replace");
            let (_, unknown) = events_referencing(&nobody).swap_remove(index);
            ensure!(warnings_of(&ingest, &unknown).await? == [("unknown-reference".to_owned(), nobody.clone())], "{kind}");
            if let Some(target) = elsewhere.get(index) {
                let (_, foreign) = events_referencing(&target["id"]).swap_remove(index);
                ensure!(warnings_of(&ingest, &foreign).await? == [("foreign-reference".to_owned(), target["id"].clone())], "{kind}");
            }
        }
        // An event of the same meeting, of a type that a retraction cannot take back.
        let (_, wrong) = events_referencing(&here[4]["id"]).swap_remove(3);
        ensure!(warnings_of(&ingest, &wrong).await? == [("ineffective-reference".to_owned(), here[4]["id"].clone())]);
        ingest.stop().await?;
        ingest = env.start(&[]).await?;
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_reference_within_one_request_is_known_and_one_to_itself_is_not() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let first = headcount("m-open", 5);
    let (_, again) = events_referencing(&first["id"]).swap_remove(4);
    let response = ingest.post(BATCH, json!([first, again]).to_string()).await?;
    ensure!(response.status == 202 && response.body["warnings"] == json!([]), "{response:?}");
    let (_, mut itself) = events_referencing(&json!(null)).swap_remove(2);
    itself["data"]["supersedes"] = json!([itself["id"]]);
    ensure!(warnings_of(&ingest, &itself).await? == [("unknown-reference".to_owned(), itself["id"].clone())]);
    ingest.stop().await
}

#[tokio::test]
async fn a_warning_about_consent_does_not_reveal_a_person() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let withdrawal = event("consent.withdrawn.v1", json!({"person": {"iin": IIN}}));
    ingest.send_lines(std::slice::from_ref(&withdrawal)).await?;
    for guess in [IIN, OTHER_IIN] {
        let again = json!({"person": {"iin": guess}, "notice": "2026-02-a", "supersedes": [withdrawal["id"]]});
        ensure!(warnings_of(&ingest, &event("consent.given.v1", again)).await?.is_empty());
    }
    ingest.stop().await
}

#[tokio::test]
async fn reference_data_that_changes_without_a_higher_revision_is_a_warning() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let counted = |revision: u32, voters: u32, day: &str| {
        let mut event = precinct("TRK-077");
        let data = &mut event["data"];
        (data["revision"], data["voters"], data["as_of"]) = (json!(revision), json!(voters), json!(day));
        event
    };
    let codes = |warnings: Vec<(String, Value)>| warnings.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    for (event, expected) in [
        (counted(2, 800, "2026-02-01"), &[][..]),
        // The same again; another number under the same and under a lower revision; a higher revision; another day.
        (counted(2, 800, "2026-02-01"), &[]),
        (counted(2, 900, "2026-02-01"), &["revision-not-raised"]),
        (counted(1, 900, "2026-02-01"), &["revision-not-raised"]),
        (counted(3, 900, "2026-02-01"), &[]),
        (counted(1, 950, "2026-03-01"), &[]),
    ] {
        let found = codes(warnings_of(&ingest, &event).await?);
        ensure!(found == expected, "{event}: {found:?}");
    }
    ingest.stop().await
}

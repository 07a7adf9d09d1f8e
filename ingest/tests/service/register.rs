//! The register is a cache of the log: deleted, damaged or mixed up, it comes back and answers the same.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{
    harness::{Answer, BATCH, Ingest, Place, lines},
    sample::{IIN, OTHER_IIN, attendance, campaign_at, event, headcount, planned, reference, with},
};

/// Questions whose answers come from the register alone.
async fn answers(ingest: &Ingest, known: &[Value]) -> Result<Vec<String>> {
    let conflict = with(known[0].clone(), "source", "x");
    let questions = [
        Value::from(known),
        json!([conflict]),
        json!([attendance("m-clergy", json!({"iin": IIN}))]),
        json!([planned("m-3", "NOBODY")]),
        json!([with(headcount("m-open", 1), "campaign", "d")]),
    ];
    let mut said = Vec::new();
    for question in questions {
        let Answer { status, body, .. } = ingest.post(BATCH, question.to_string()).await?;
        said.push(format!("{status} {} {} {}", body["code"], body["duplicates"], body["pointer"]));
    }
    Ok(said)
}

#[tokio::test]
async fn the_register_is_rebuilt_when_deleted_or_damaged_and_answers_the_same() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let roll = event(
        "precinct.enrolled.v1",
        json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[{"iin": IIN}, 1985, "m"]]}),
    );
    let known = vec![headcount("m-open", 5), attendance("m-open", json!({"iin": OTHER_IIN})), roll];
    ingest.take(&known).await?;
    let expected = answers(&ingest, &known).await?;
    ensure!(expected[0].starts_with("200") && expected[1].starts_with("409") && expected[2].contains("headcounts-only"), "{expected:?}");
    ingest.stop().await?;
    let ends = place.ends().await?;

    for way in ["as it is", "deleted", "damaged", "of another program"] {
        let file = place.path("register.sqlite");
        match way {
            "deleted" => fs::remove_file(&file)?,
            "damaged" => fs::write(&file, vec![b'x'; 50_000])?,
            "of another program" => {
                fs::remove_file(&file)?;
                rusqlite::Connection::open(&file)?.execute_batch("CREATE TABLE other (x); PRAGMA user_version = 99;")?;
            }
            _ => {}
        }
        let ingest = place.start(&[]).await?;
        let said = answers(&ingest, &known).await?;
        ensure!(said == expected, "{way}: {said:?}");
        ingest.kill().await?;
    }
    ensure!(place.ends().await? == ends);
    Ok(())
}

#[tokio::test]
async fn a_register_of_another_log_is_not_believed() -> Result<()> {
    let (mine, other) = (Place::new()?, Place::new()?);
    for (place, events) in [(&mine, vec![]), (&other, (0..200).map(|people| headcount("m-open", people)).collect::<Vec<_>>())] {
        let ingest = campaign_at(place, &[]).await?;
        ingest.take(&events).await?;
        ingest.take(&[planned(if events.is_empty() { "mine" } else { "other" }, "YOUTH")]).await?;
        ingest.stop().await?;
    }
    // Once longer than the log, once as long: the log has grown since.
    for round in 0..2 {
        fs::copy(other.path("register.sqlite"), mine.path("register.sqlite"))?;
        let ingest = mine.start(&[]).await?;
        ensure!(ingest.one(&headcount("mine", 5)).await?.body["warnings"] == json!([]), "round {round}");
        ensure!(ingest.one(&headcount("other", 5)).await?.body["warnings"][0]["code"] == "unknown-meeting", "round {round}");
        ingest.take(&(0..300).map(|people| headcount("m-open", people)).collect::<Vec<_>>()).await?;
        ingest.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_programs_do_not_share_a_register() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[]).await?;
    let mut second = place.launch(&[]).await?;
    ensure!(second.ended().await?.code() == Some(1));
    ensure!(place.said().contains("in use by another process"), "{}", place.said());
    ingest.stop().await
}

#[tokio::test]
async fn two_programs_on_one_log_learn_from_each_other() -> Result<()> {
    let place = Place::new()?;
    let ingest = place.start(&[]).await?;
    let register = place.path("second.sqlite").display().to_string();
    let second = place.start(&[("QAMTU__REGISTER__PATH", &register)]).await?;
    ingest.take(&reference(false)).await?;
    let begun = std::time::Instant::now();
    while second.one(&headcount("m-open", 5)).await?.status != 202 {
        ensure!(begun.elapsed().as_secs() < 30, "the second never learned of the campaign");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let answer = second.post(super::harness::LINES, lines(&reference(false))).await?;
    ensure!(answer.status == 200, "{answer:?}");
    second.stop().await?;
    ingest.stop().await
}

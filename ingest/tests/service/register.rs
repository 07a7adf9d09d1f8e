//! The register is a cache of the log: after it is deleted, damaged or swapped, it is rebuilt and gives the same results.

use std::{
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use qamtu_devstack::testing::wait;
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, Response, TestEnv, lines},
    sample::{IIN, OTHER_IIN, attendance, campaign_at, event, headcount, planned, reference, with},
};

const DEADLINE: Duration = Duration::from_secs(120);

/// Responses that depend only on the register.
async fn responses(ingest: &Ingest, known: &[Value]) -> Result<Vec<String>> {
    let conflict = with(known[0].clone(), "source", "x");
    let questions = [
        Value::from(known),
        json!([conflict]),
        json!([attendance("m-clergy", json!({"iin": IIN}))]),
        json!([planned("m-3", "NOBODY")]),
        json!([with(headcount("m-open", 1), "campaign", "d")]),
    ];
    let mut response = Vec::new();
    for question in questions {
        let Response { status, body, .. } = ingest.post(BATCH, question.to_string()).await?;
        response.push(format!("{status} {} {} {}", body["code"], body["duplicates"], body["pointer"]));
    }
    Ok(response)
}

#[tokio::test]
async fn the_register_is_rebuilt_when_deleted_or_damaged_and_answers_the_same() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let roll = event(
        "precinct.enrolled.v1",
        json!({"precinct": "TRK-014", "version": 1, "strength": "strong", "voters": [[{"iin": IIN}, 1985, "m"]]}),
    );
    let known = vec![headcount("m-open", 5), attendance("m-open", json!({"iin": OTHER_IIN})), roll];
    ingest.send_lines(&known).await?;
    let expected = responses(&ingest, &known).await?;
    ensure!(expected[0].starts_with("200") && expected[1].starts_with("409") && expected[2].contains("headcounts-only"), "{expected:?}");
    ingest.stop().await?;
    let ends = env.end_offsets().await?;

    let ways = ["as it is", "deleted", "damaged", "cut off", "with pages of rubbish", "with an event that is none", "of another program"];
    for way in ways {
        let file = env.path("register.sqlite");
        let length = fs::metadata(&file)?.len();
        match way {
            "cut off" => fs::OpenOptions::new().write(true).open(&file)?.set_len(length * 2 / 3)?,
            "with pages of rubbish" => {
                let mut bytes = fs::read(&file)?;
                // The first page, with the file header, stays.
                bytes[4096..].fill(0x5a);
                fs::write(&file, bytes)?;
            }
            "with an event that is none" => drop(rusqlite::Connection::open(&file)?.execute("UPDATE event_body SET body = 'x'", [])?),
            "deleted" => fs::remove_file(&file)?,
            "damaged" => fs::write(&file, vec![b'x'; 50_000])?,
            "of another program" => {
                fs::remove_file(&file)?;
                rusqlite::Connection::open(&file)?.execute_batch("CREATE TABLE other (x); PRAGMA user_version = 99;")?;
            }
            _ => {}
        }
        let ingest = env.start(&[]).await?;
        let response = responses(&ingest, &known).await?;
        ensure!(response == expected, "{way}: {response:?}");
        ingest.stop().await?;
    }
    ensure!(env.end_offsets().await? == ends);
    Ok(())
}

/// Ways to damage a register that is in use.
const DAMAGES: [&str; 4] = ["deleted", "deleted with all that belongs to it", "overwritten", "filled with rubbish"];

fn damage(way: &str, file: &Path) -> Result<()> {
    let beside = |suffix: &str| format!("{}{suffix}", file.display());
    match way {
        "deleted" => fs::remove_file(file)?,
        "deleted with all that belongs to it" => {
            fs::remove_file(file)?;
            ["-wal", "-shm", "-lock"].iter().for_each(|suffix| drop(fs::remove_file(beside(suffix))));
        }
        // Also damage the write-ahead log: from an intact one SQLite recovers everything.
        way => {
            for path in [file.display().to_string(), beside("-wal")] {
                let length = usize::try_from(fs::metadata(&path)?.len())?;
                if way == "overwritten" {
                    fs::write(&path, vec![b'x'; length / 2])?;
                } else {
                    fs::OpenOptions::new().write(true).open(&path)?.write_all(&vec![0x5a; length])?;
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_register_that_is_lost_while_it_is_in_use_is_rebuilt_without_a_restart_and_never_misjudges() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let known: Vec<_> = (0..20_000).map(|people| headcount("m-open", people % 500)).collect();
    ingest.send_lines(&known).await?;
    let sample: Vec<_> = known.iter().step_by(500).cloned().collect();
    let expected = responses(&ingest, &sample).await?;
    for (round, way) in (1..).zip(DAMAGES) {
        // Wait until everything is in the file; otherwise the memory would give the results.
        wait::until("events to be written", DEADLINE, async || match ingest.metric("qamtu_ingest_events_unwritten").await {
            Ok(0) => Ok(()),
            other => Err(other),
        })
        .await?;
        let begun = Instant::now();
        damage(way, &env.path("register.sqlite"))?;
        while ingest.metric("qamtu_ingest_register_rebuilds_total").await? < round {
            ensure!(begun.elapsed() < DEADLINE, "{way}: nobody notices");
            // A new event is accepted or gets 503; known events are never checked against a partial register.
            let fresh = ingest.post_one(&headcount("m-open", 5)).await?;
            ensure!(fresh.counts() == (1, 0) || fresh.problem() == (503, "starting", "-"), "{way}: {fresh:?}");
            for (response, expected) in responses(&ingest, &sample).await?.iter().zip(&expected) {
                ensure!(response == expected || response.starts_with("503 \"starting\""), "{way}: {response}, not {expected}");
            }
        }
        ingest.wait_ready().await?;
        ensure!(responses(&ingest, &sample).await? == expected, "{way}");
        ensure!(env.path("register.sqlite").exists(), "{way}");
    }
    ingest.stop().await?;
    ensure!(env.ids().await?.values().all(|times| *times == 1));
    // The new file is valid for the next start.
    let ingest = env.start(&[]).await?;
    ensure!(responses(&ingest, &sample).await? == expected);
    ingest.stop().await
}

#[tokio::test]
async fn while_a_register_cannot_be_rebuilt_the_service_is_not_ready_and_then_it_is_again() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let event = headcount("m-open", 5);
    ingest.send_lines(std::slice::from_ref(&event)).await?;
    // A folder blocks the path of the new file.
    let obstacle = env.path("register.sqlite");
    fs::remove_file(&obstacle)?;
    fs::create_dir(&obstacle)?;
    let begun = Instant::now();
    while ingest.get("/ready").await?.problem() != (503, "starting", "-") {
        ensure!(begun.elapsed() < DEADLINE, "it is ready for ever");
        let response = ingest.post_one(&headcount("m-open", 6)).await?;
        ensure!(response.status == 202 || response.problem() == (503, "starting", "-"), "{response:?}");
    }
    let response = ingest.post_one(&event).await?;
    ensure!(response.problem() == (503, "starting", "-") && response.headers.contains_key("retry-after"), "{response:?}");
    ensure!(ingest.get("/live").await?.status == 200);
    fs::remove_dir(&obstacle)?;
    ingest.wait_ready().await?;
    ensure!(ingest.post_one(&event).await?.counts() == (0, 1));
    ingest.stop().await
}

#[tokio::test]
async fn a_register_of_another_log_is_not_believed() -> Result<()> {
    let (mine, other) = (TestEnv::new()?, TestEnv::new()?);
    for (env, events) in [(&mine, vec![]), (&other, (0..200).map(|people| headcount("m-open", people)).collect::<Vec<_>>())] {
        let ingest = campaign_at(env, &[]).await?;
        ingest.send_lines(&events).await?;
        ingest.send_lines(&[planned(if events.is_empty() { "mine" } else { "other" }, "YOUTH")]).await?;
        ingest.stop().await?;
    }
    // In the first round the register is longer than the log, in the second it is not.
    for round in 0..2 {
        fs::copy(other.path("register.sqlite"), mine.path("register.sqlite"))?;
        let ingest = mine.start(&[]).await?;
        ensure!(ingest.post_one(&headcount("mine", 5)).await?.body["warnings"] == json!([]), "round {round}");
        ensure!(ingest.post_one(&headcount("other", 5)).await?.body["warnings"][0]["code"] == "unknown-meeting", "round {round}");
        ingest.send_lines(&(0..300).map(|people| headcount("m-open", people)).collect::<Vec<_>>()).await?;
        ingest.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_programs_do_not_share_a_register() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let mut second = env.launch(&[]).await?;
    ensure!(second.wait_exit().await?.code() == Some(1));
    ensure!(env.stderr().contains("in use by another process"), "{}", env.stderr());
    ingest.stop().await
}

#[tokio::test]
async fn two_programs_on_one_log_learn_from_each_other() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = env.start(&[]).await?;
    let register = env.path("second.sqlite").display().to_string();
    let second = env.start(&[("QAMTU__REGISTER__PATH", &register)]).await?;
    ingest.send_lines(&reference(false)).await?;
    wait::until("the second to learn of the campaign", Duration::from_secs(30), async || {
        let response = second.post_one(&headcount("m-open", 5)).await;
        if matches!(response, Ok(Response { status: 202, .. })) { Ok(()) } else { Err(response) }
    })
    .await?;
    let response = second.post(super::harness::LINES, lines(&reference(false))).await?;
    ensure!(response.status == 200, "{response:?}");
    second.stop().await?;
    ingest.stop().await
}

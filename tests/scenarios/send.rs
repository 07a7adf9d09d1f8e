//! Publishing a campaign file again: an unchanged file adds no events, a changed one needs a higher revision.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use qamtu_devstack::{
    http,
    testing::{Program, binary, wait},
};
use qamtu_tests::stack::TIMEOUT;

use crate::root;

/// Starts a real ingest with its own log, register and keys; returns it and its address.
pub async fn ingest(folder: &Path) -> Result<(Program, String)> {
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = [
        ("QAMTU__LISTEN", "127.0.0.1:0".to_owned()),
        ("QAMTU__HTTP__HEALTH_LISTEN", "127.0.0.1:0".to_owned()),
        ("QAMTU__LOG__DIR", path("log")),
        ("QAMTU__REGISTER__PATH", path("register/register.sqlite")),
        ("QAMTU__PSEUDONYM__KEY_DIR", path("keys")),
        ("QAMTU__PSEUDONYM__CREATE", "true".to_owned()),
    ];
    std::fs::create_dir(path("register"))?;
    let ingest = Program::start(Command::new(binary("qamtu-ingest")?).envs(settings)).await?;
    let address = ingest.ready_field("listening")?;
    let client = http::client()?;
    wait::until("ingest to be ready", TIMEOUT, async || {
        let answer = http::send(client.get(format!("{address}/ready"))).await.map_err(|error| error.to_string())?;
        if answer.is_success() { Ok(()) } else { Err(answer.text()) }
    })
    .await?;
    Ok((ingest, address))
}

/// Runs `qamtu send` for a campaign file.
pub async fn send(file: &Path, address: &str) -> Result<Output> {
    Ok(tokio::process::Command::new(binary("qamtu")?).args(["send", "--ingest", address]).arg(file).output().await?)
}

#[tokio::test]
async fn changed_content_under_the_same_revision_is_refused_with_its_differences() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (ingest, address) = ingest(folder.path()).await?;
    let original = std::fs::read_to_string(root().join("deploy/campaigns/turkistan-2026.toml"))?;
    let file = folder.path().join("campaign.toml");
    let sent = async |text: &str| {
        std::fs::write(&file, text)?;
        let done = send(&file, &address).await?;
        let output = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        anyhow::Ok((done.status.success(), output))
    };
    ensure!(sent(&original).await?.0);
    let (succeeded, output) = sent(&original).await?;
    ensure!(succeeded && output.contains(": 0 new events"), "{output}");

    let changed = original.replace("reach = 125000", "reach = 125001").replace(r#"en = "Turkistan city""#, r#"en = "City of Turkistan""#);
    ensure!(changed != original);
    let (succeeded, output) = sent(&changed).await?;
    ensure!(!succeeded, "{output}");
    for word in [
        "raise `revision`",
        "campaign.toml",
        "campaign.configured turkistan-2026",
        "/data/planned_reach is now 125001",
        "unit.defined TRK",
        r#"/data/names/en is now "City of Turkistan""#,
    ] {
        ensure!(output.contains(word), "{word} is missing: {output}");
    }
    ensure!(!output.contains("/data/names/kk") && !output.contains("ARY"), "more than what differs: {output}");

    let raised = changed.replace("\nrevision = 1\n", "\nrevision = 2\n");
    let (succeeded, output) = sent(&raised).await?;
    ensure!(succeeded, "{output}");
    ensure!(ingest.stop().await?.success());
    Ok(())
}

//! Publishing a campaign file again: an unchanged file adds no events, a changed one needs a higher revision.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::readme::{ingest, publish};

#[tokio::test]
async fn changed_content_under_the_same_revision_is_refused_with_its_differences() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (ingest, address) = ingest(folder.path()).await?;
    let original = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/campaigns/turkistan-2026.toml"))?;
    let file = folder.path().join("campaign.toml");
    let published = async |text: &str| {
        std::fs::write(&file, text)?;
        let done = publish(&file, &address).await?;
        let output = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        anyhow::Ok((done.status.success(), output))
    };
    ensure!(published(&original).await?.0);
    let (succeeded, output) = published(&original).await?;
    ensure!(succeeded && output.contains(": 0 new events"), "{output}");

    let changed = original.replace("reach = 125000", "reach = 125001").replace(r#"en = "Turkistan city""#, r#"en = "City of Turkistan""#);
    ensure!(changed != original);
    let (succeeded, output) = published(&changed).await?;
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
    let (succeeded, output) = published(&raised).await?;
    ensure!(succeeded, "{output}");
    ensure!(ingest.stop().await?.success());
    Ok(())
}

//! A campaign file is published again: unchanged it changes nothing, changed it needs a higher revision.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::readme::{ingest, publish};

#[tokio::test]
async fn other_content_under_the_same_revision_is_told_to_raise_it_and_what_differs() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (ingest, address) = ingest(folder.path()).await?;
    let original = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/campaigns/turkistan-2026.toml"))?;
    let file = folder.path().join("campaign.toml");
    let published = async |text: &str| {
        std::fs::write(&file, text)?;
        let output = publish(&file, &address).await?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        anyhow::Ok((output.status.success(), said))
    };
    ensure!(published(&original).await?.0);
    let (succeeded, said) = published(&original).await?;
    ensure!(succeeded && said.contains(": 0 new events"), "{said}");

    let changed = original.replace("reach = 125000", "reach = 125001").replace(r#"en = "Turkistan city""#, r#"en = "City of Turkistan""#);
    ensure!(changed != original);
    let (succeeded, said) = published(&changed).await?;
    ensure!(!succeeded, "{said}");
    for word in [
        "raise `revision`",
        "campaign.toml",
        "campaign.configured turkistan-2026",
        "/data/planned_reach is now 125001",
        "unit.defined TRK",
        r#"/data/names/en is now "City of Turkistan""#,
    ] {
        ensure!(said.contains(word), "{word} is missing: {said}");
    }
    ensure!(!said.contains("/data/names/kk") && !said.contains("ARY"), "more than what differs: {said}");

    let raised = changed.replace("\nrevision = 1\n", "\nrevision = 2\n");
    let (succeeded, said) = published(&raised).await?;
    ensure!(succeeded, "{said}");
    ensure!(ingest.stop().await?.success());
    Ok(())
}

//! Which crate may depend on which library, as `deny.toml` defines.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::root;

/// Direct dependencies by package of this workspace, without development dependencies.
fn dependencies() -> Result<BTreeMap<String, Vec<String>>> {
    let output =
        Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(root()).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("packages")?;
    Ok(packages
        .iter()
        .map(|package| {
            let names = package["dependencies"].as_array().into_iter().flatten();
            let names = names.filter(|dependency| dependency["kind"] != "dev").filter_map(|dependency| dependency["name"].as_str());
            (package["name"].as_str().unwrap_or_default().to_owned(), names.map(str::to_owned).collect())
        })
        .collect())
}

#[test]
fn only_wrapper_crates_use_restricted_dependencies() -> Result<()> {
    let deny: toml::Table = std::fs::read_to_string(root().join("deny.toml"))?.parse()?;
    let restrictions = deny["bans"]["deny"].as_array().context("bans.deny")?;
    ensure!(restrictions.len() >= 4, "deny.toml has fewer than four restrictions");
    let dependencies = dependencies()?;
    for restriction in restrictions {
        let restricted = restriction["crate"].as_str().context("crate")?;
        let wrappers: Vec<&str> = restriction["wrappers"].as_array().context("wrappers")?.iter().filter_map(toml::Value::as_str).collect();
        for (package, uses) in &dependencies {
            let (is_used, is_wrapper) = (uses.iter().any(|used| used == restricted), wrappers.contains(&package.as_str()));
            ensure!(is_used == is_wrapper, "{package} uses {restricted}: {is_used}; it may, by deny.toml: {is_wrapper}");
        }
    }
    Ok(())
}

#[test]
fn services_do_not_depend_on_each_other() -> Result<()> {
    let dependencies = dependencies()?;
    let services = ["qamtu-ingest", "qamtu-projector", "qamtu-analytics"];
    for service in services {
        let uses = dependencies.get(service).with_context(|| format!("{service} is gone"))?;
        ensure!(!uses.iter().any(|used| services.contains(&used.as_str())), "{service} depends on another service");
        ensure!(!uses.iter().any(|used| used == "qamtu-devstack"), "{service} contains the servers of the demo and the tests");
    }
    ensure!(
        !dependencies["qamtu-service"].iter().any(|used| used.starts_with("qamtu")),
        "the crate that the services share depends on another one of this workspace"
    );
    ensure!(!dependencies["qamtu-analytics"].iter().any(|used| used == "qamtu-log"), "analytics depends on the log");
    ensure!(
        dependencies["qamtu-schemas"].iter().all(|used| !["tokio", "reqwest", "rusqlite"].contains(&used.as_str())),
        "schemas does I/O"
    );
    // The generator computes the expected figures without the code that it checks.
    ensure!(!dependencies["qamtu"].iter().any(|used| used == "qamtu-analytics"), "the generator can use code of analytics");
    Ok(())
}

/// The recount is in one crate with scenarios that use analytics, so its text is checked.
#[test]
fn the_recount_uses_no_code_of_the_product() -> Result<()> {
    let harness = root().join("tests/harness");
    let parts = std::fs::read_dir(harness.join("recount"))?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    for file in parts.into_iter().chain([harness.join("recount.rs")]) {
        ensure!(!std::fs::read_to_string(&file)?.contains("qamtu_"), "{} uses code of the product", file.display());
    }
    Ok(())
}

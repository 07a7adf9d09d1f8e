//! Which crate may depend on which library, as `deny.toml` defines.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

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
    for restriction in restrictions {
        let restricted = restriction["crate"].as_str().context("crate")?;
        let wrappers: Vec<&str> = restriction["wrappers"].as_array().context("wrappers")?.iter().filter_map(toml::Value::as_str).collect();
        for (package, uses) in dependencies()? {
            ensure!(
                !uses.iter().any(|used| used == restricted) || wrappers.contains(&package.as_str()),
                "{package} may not use {restricted}"
            );
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
    }
    ensure!(!dependencies["qamtu-analytics"].iter().any(|used| used == "qamtu-log"), "analytics depends on the log");
    ensure!(
        dependencies["qamtu-schemas"].iter().all(|used| !["tokio", "reqwest", "rusqlite"].contains(&used.as_str())),
        "schemas does I/O"
    );
    Ok(())
}

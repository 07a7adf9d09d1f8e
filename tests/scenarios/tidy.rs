//! What a reader may rely on in every file of this repository.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn tracked(pattern: &str) -> Result<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files", "--", pattern]).current_dir(root()).output()?;
    let files: Vec<PathBuf> =
        String::from_utf8(output.stdout)?.lines().map(|line| root().join(line)).filter(|file| file.exists()).collect();
    ensure!(!files.is_empty(), "no file matches {pattern}");
    Ok(files)
}

#[test]
fn every_rust_file_says_what_it_is_for_and_stays_short() -> Result<()> {
    for file in tracked("*.rs")? {
        let text = std::fs::read_to_string(&file)?;
        ensure!(text.starts_with("//!"), "{} does not open with //!", file.display());
        ensure!(text.lines().count() <= 500, "{} has more than 500 lines", file.display());
    }
    Ok(())
}

#[test]
fn every_sql_file_gives_its_reasons() -> Result<()> {
    for file in tracked("*.sql")? {
        ensure!(std::fs::read_to_string(&file)?.starts_with("--"), "{} does not open with its reasons", file.display());
    }
    Ok(())
}

#[test]
fn the_two_commands_are_where_a_stranger_looks() -> Result<()> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    ensure!(readme.contains("make demo") && readme.contains("make test"), "README.md does not show the two commands");
    ensure!(std::fs::read_to_string(root().join(".ci/run"))?.contains("make test"), ".ci/run does not call make test");
    Ok(())
}

/// Every test that ARCHITECTURE.md and README.md name as a proof exists.
#[test]
fn promises_name_tests_that_exist() -> Result<()> {
    let mut sources = String::new();
    for file in tracked("*.rs")? {
        sources.push_str(&std::fs::read_to_string(file)?);
    }
    for document in ["ARCHITECTURE.md", "README.md"] {
        let text = std::fs::read_to_string(root().join(document))?;
        for name in text.split("test `").skip(1).filter_map(|rest| rest.split('`').next()) {
            let name = name.rsplit("::").next().unwrap_or(name);
            ensure!(
                sources.contains(&format!("fn {name}")) || sources.contains(&format!("mod {name}")),
                "{document} cites the test {name}, which does not exist"
            );
        }
    }
    Ok(())
}

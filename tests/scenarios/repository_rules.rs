//! Rules that every file of this repository follows.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

use crate::root;

fn tracked(pattern: &str) -> Result<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files", "--", pattern]).current_dir(root()).output()?;
    let files: Vec<PathBuf> =
        String::from_utf8(output.stdout)?.lines().map(|line| root().join(line)).filter(|file| file.exists()).collect();
    ensure!(!files.is_empty(), "no file matches {pattern}");
    Ok(files)
}

#[test]
fn every_rust_file_opens_with_its_purpose_and_has_at_most_400_lines() -> Result<()> {
    let mut long = Vec::new();
    for file in tracked("*.rs")? {
        let text = std::fs::read_to_string(&file)?;
        ensure!(text.starts_with("//!"), "{} does not open with //!", file.display());
        long.extend((text.lines().count() > 400).then_some(file));
    }
    ensure!(long.is_empty(), "files with more than 400 lines: {long:#?}");
    Ok(())
}

/// Number of words of each doc comment (`///`) of a text.
fn doc_comments(text: &str) -> Vec<usize> {
    let lines: Vec<Option<&str>> = text.lines().map(|line| line.trim().strip_prefix("///")).collect();
    let comments = lines.chunk_by(|a, b| a.is_some() == b.is_some()).filter(|lines| lines[0].is_some());
    comments.map(|lines| lines.iter().flatten().flat_map(|line| line.split_whitespace()).count()).collect()
}

/// A comment of three words repeats the name of what it describes.
#[test]
fn few_doc_comments_have_three_words_or_fewer() -> Result<()> {
    let mut by_crate: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for file in tracked("*.rs")? {
        let folder = file.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").exists()).context("a file outside the crates")?;
        by_crate.entry(folder.to_owned()).or_default().extend(doc_comments(&std::fs::read_to_string(&file)?));
    }
    ensure!(by_crate.len() >= 7, "only {} crates", by_crate.len());
    for (folder, comments) in by_crate {
        let short = comments.iter().filter(|words| **words <= 3).count();
        ensure!(short * 20 < comments.len(), "{}: {short} of {} doc comments are short", folder.display(), comments.len());
    }
    Ok(())
}

#[test]
fn doc_comments_are_read_over_the_ends_of_lines() {
    assert_eq!(doc_comments("/// One two\n/// three four.\nfn a() {}\n    /// Five.\n// no\n//! no\n"), [4, 1]);
}

#[test]
fn every_sql_file_opens_with_its_reasons() -> Result<()> {
    for file in tracked("*.sql")? {
        ensure!(std::fs::read_to_string(&file)?.starts_with("--"), "{} does not open with its reasons", file.display());
    }
    Ok(())
}

#[test]
fn readme_and_ci_name_the_two_make_commands() -> Result<()> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    ensure!(readme.contains("make demo") && readme.contains("make test"), "README.md does not show the two commands");
    ensure!(std::fs::read_to_string(root().join(".ci/run"))?.contains("make test"), ".ci/run does not call make test");
    Ok(())
}

/// Names of tests that a text cites, as in: the test `this_one`.
fn cited(text: &str) -> Vec<String> {
    // A line may end between the two words. A code block after a command is not a name.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = text.split("test `").skip(1).filter_map(|rest| rest.split('`').next()).filter(|name| !name.is_empty());
    names.map(|name| name.rsplit("::").next().unwrap_or(name).to_owned()).collect()
}

/// Every test that a document cites exists under its full name.
#[test]
fn every_cited_test_exists() -> Result<()> {
    let mut sources = String::new();
    for file in tracked("*.rs")? {
        sources.push_str(&std::fs::read_to_string(file)?);
    }
    let mut found = 0;
    for document in tracked("*.md")? {
        for name in cited(&std::fs::read_to_string(&document)?) {
            ensure!(sources.contains(&format!("fn {name}(")), "{} cites the test {name}, which does not exist", document.display());
            found += 1;
        }
    }
    ensure!(found >= 20, "only {found} tests are cited in the documents");
    Ok(())
}

#[test]
fn a_cited_name_is_found_over_the_end_of_a_line() {
    assert_eq!(cited("the test `one`, the\ntest `a::two` and a test of `three`; make test\n```\n"), ["one", "two"]);
}

//! Structure of the crates: no two modules need each other, and no dependency is declared in vain.
//!
//! A module may use its parents and its children. Between the children of one module the uses form no cycle. Code below `#[cfg(test)]` is
//! left out. Paths are read as text: what a macro or a re-export hides is not seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result, ensure};

use crate::root;

const CRATES: [&str; 9] =
    ["schemas", "deploy/service", "ingest/log", "ingest", "projector", "analytics", "deploy/devstack", "deploy", "tests"];

/// The path of a module below its crate, e.g. `["report", "world"]`; none for the root.
type Module = Vec<String>;

/// Texts of the Rust files below a folder, by their path in it.
fn sources(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(path.strip_prefix(folder)?.display().to_string(), std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(found)
}

fn module(file: &str) -> Module {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(path, "lib" | "main") { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Code without comments and tests.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths that begin here: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn expand(tree: &str, before: &[&str], paths: &mut Vec<Module>) {
    let (mut depth, mut begin) = (0, 0);
    let mut parts = Vec::new();
    for (at, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[begin..]);
    for part in parts {
        let (head, group) =
            part.split_once('{').map_or((part, None), |(head, group)| (head, group.rsplit_once('}').map(|(inner, _)| inner)));
        let names = head.split("::").map(|name| name.split_whitespace().next().unwrap_or_default()).filter(|name| !name.is_empty());
        let path: Vec<&str> = before.iter().copied().chain(names).collect();
        match group {
            Some(inner) => expand(inner, &path, paths),
            None => paths.push(path.into_iter().map(str::to_owned).collect()),
        }
    }
}

/// Every path that begins with `crate`, `super` or `self`, from `use` or from within the code.
fn paths(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        let tree = statement.rsplit_once("use ").map(|(_, tree)| tree.trim());
        if let Some(tree) = tree.filter(|tree| ["crate", "super", "self"].iter().any(|root| tree.starts_with(root))) {
            expand(tree, &[], &mut found);
        }
    }
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let path =
                code[at..].split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':')).next().unwrap_or_default();
            found.push(path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect());
        }
    }
    found
}

/// The module that a path leads to, as seen from another one.
fn target(path: &[String], from: &Module, modules: &BTreeSet<Module>) -> Module {
    let mut at: Module = Vec::new();
    let mut names = path.iter().peekable();
    if names.next_if(|name| *name == "crate").is_none() {
        at.clone_from(from);
        names.next_if(|name| *name == "self");
        while names.next_if(|name| *name == "super").is_some() {
            at.pop();
        }
    }
    for name in names {
        at.push(name.clone());
        if !modules.contains(&at) {
            at.pop();
            break;
        }
    }
    at
}

/// A cycle among the children of one module, by their names.
fn cycle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let reaches = |from: &str| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(next) = left.pop() {
            for to in uses.get(next).into_iter().flatten() {
                if seen.insert(to.as_str()) {
                    left.push(to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|name| (name.as_str(), reaches(name))).collect();
    let first = reached.iter().find(|(name, reached)| reached.contains(*name))?.0;
    let both = |name: &&&str| reached[first].contains(**name) && reached[**name].contains(first);
    Some(reached.keys().filter(both).map(|name| (*name).to_owned()).collect())
}

/// What each child uses of its siblings, by their parent.
fn uses(sources: &BTreeMap<String, String>) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
    let modules: BTreeSet<Module> = sources.keys().map(|file| module(file)).collect();
    let mut uses = BTreeMap::<Module, BTreeMap<String, BTreeSet<String>>>::new();
    for (file, text) in sources {
        let from = module(file);
        for to in paths(&code(text)).iter().map(|path| target(path, &from, &modules)) {
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if let (Some(user), Some(used)) = (from.get(shared), to.get(shared)) {
                uses.entry(from[..shared].to_vec()).or_default().entry(user.clone()).or_default().insert(used.clone());
            }
        }
    }
    uses
}

#[test]
fn no_two_modules_need_each_other() -> Result<()> {
    let mut cycles = Vec::new();
    for name in CRATES.iter().filter(|name| **name != "tests") {
        for (parent, uses) in uses(&sources(&root().join(name).join("src"))?) {
            cycles.extend(cycle(&uses).map(|members| format!("{name}/{}: {}", parent.join("/"), members.join(", "))));
        }
    }
    ensure!(cycles.is_empty(), "modules that need each other: {cycles:#?}");
    Ok(())
}

#[test]
fn a_cycle_is_found_whatever_its_spelling() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let found = |a: &str, b: &str, c: &str| {
        let sources = [file("lib.rs", ""), file("a.rs", a), file("a/inner.rs", ""), file("b.rs", b), file("c.rs", c)].into();
        uses(&sources).values().find_map(cycle)
    };
    let all = Some(["a", "b", "c"].map(str::to_owned).to_vec());
    assert_eq!(found("use crate::{b::{X, Y}, z};", "fn f() { crate::c::g() }", "use super::a::inner::Z;"), all);
    assert_eq!(found("use crate::{\n    b,\n};", "use crate::c::*;", "#[cfg(test)]\nuse crate::a;"), None);
    assert_eq!(found("mod inner;\nuse self::inner::X;", "use crate::a;", "// use crate::b;\nuse crate::a;"), None);
}

/// A dependency costs everybody who builds; one that is listed for the sake of its features says so in a comment above it.
#[test]
fn every_dependency_is_used() -> Result<()> {
    let mut unused = Vec::new();
    for name in CRATES {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml"))?;
        let code = sources(&root().join(name))?.into_values().collect::<String>();
        let mut section = "";
        let mut before = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if section.ends_with("dependencies]") && !dependency.is_empty() && !line.starts_with(['[', '#']) && !before.starts_with('#') {
                let used = dependency.replace('-', "_");
                let boundary = |text: Option<char>| !text.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
                let is_used = code
                    .match_indices(&used)
                    .any(|(at, _)| boundary(code[..at].chars().next_back()) && boundary(code[at + used.len()..].chars().next()));
                if !is_used {
                    unused.push(format!("{name}: {dependency}"));
                }
            }
            before = line;
        }
    }
    ensure!(unused.is_empty(), "dependencies that nothing uses: {unused:?}");
    Ok(())
}

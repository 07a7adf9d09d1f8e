//! Attack on disclosure control: an attacker who knows every shown figure, and all relations between figures, must be left with at least as
//! many possible values for a small count as the rules admit.
//!
//! Small campaigns are counted by brute force, published, and attacked by linear programming over all relations at once, independently of
//! the rules.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "cells/attack.rs"]
mod attack;
#[path = "cells/linear_program.rs"]
mod linear_program;
#[path = "cells/one_state.rs"]
mod one_state;
#[path = "cells/random_campaigns.rs"]
mod random_campaigns;
#[path = "sample/sample.rs"]
mod sample;
#[path = "cells/successive_states.rs"]
mod successive_states;
#[path = "cells/world.rs"]
mod world;

use qamtu_analytics::{
    access::{Reader, Role},
    published::Published,
};
use serde_json::{Value, json};

use attack::attack;
use linear_program::LinearProgram;
use world::World;

fn published(coverage: Value, role: Role) -> Published {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample::stored(folder.path(), coverage);
    Published::new(&snapshot, &Reader::of_region(role)).unwrap()
}

/// The small counts of a world that can be worked out, each with the interval it is left with.
fn worked_out(world: &World, published: &Published) -> Vec<String> {
    small_counts(&attack(world, published), published.threshold.people())
}

/// The small counts among those that are attacked which can be worked out.
fn small_counts(counts: &LinearProgram, k: u64) -> Vec<String> {
    let small = counts.people.iter().filter(|name| (1..k).contains(&counts.truth[*name]));
    small
        .filter_map(|name| {
            let (least, most) = if counts.shown.contains_key(name) { (0.0, 0.0) } else { counts.interval(name) };
            (most - least <= k as f64 - 2.5).then(|| format!("{name} = {} lies between {least} and {most}", counts.truth[name]))
        })
        .collect()
}

/// A campaign of one table: `rows` are reached people, all of whom came once.
fn campaign(table: &str, rows: &[u64]) -> Value {
    let figures = |people: u64| sample::Figures {
        planned: 9,
        held: 9,
        gross: 2 * people,
        identified: people,
        contacts: people,
        reached: people,
        weak: 0,
        unidentified: people,
    };
    let mut coverage = sample::coverage();
    let held: Vec<Value> = coverage[table]
        .as_array()
        .unwrap()
        .iter()
        .zip(rows)
        .map(|(row, people)| {
            let mut row = row.clone();
            row["figures"] = figures(*people).meeting_figures(5_000);
            row
        })
        .collect();
    let all: u64 = rows.iter().sum();
    for other in ["units", "coalitions", "categories", "weeks"] {
        coverage[other] = json!([]);
    }
    coverage[table] = json!(held);
    coverage["region"] = json!({"figures": figures(all).meeting_figures(5_000), "frequencies": [all, 0, 0, 0, 0], "attendance_without_report": 0, "ceiling": null});
    coverage
}

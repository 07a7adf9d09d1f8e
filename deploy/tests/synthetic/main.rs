//! The generated campaign: its size, its references, its anomalies, and the agreement of its oracle with its events.
//!
//! The tests read the generator's output: the submissions, the roll and the figures of the oracle. What [`observed`] finds in the
//! submissions comes from the contract's own fold, not from the generator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps a test fails with it")]

mod anomalies;
mod observed;
mod oracle;
mod references;
mod roll;
mod sheet_anomalies;
mod size;

use std::{ops::RangeInclusive, path::Path, sync::OnceLock};

use qamtu::{
    campaign::{Campaign, TURKISTAN_2026},
    synthetic::{self, Synthetic},
};
use serde_json::Value;

const SEED: u64 = 7;

fn campaign() -> &'static Campaign {
    static CAMPAIGN: OnceLock<Campaign> = OnceLock::new();
    CAMPAIGN.get_or_init(|| Campaign::parse(TURKISTAN_2026, Path::new("turkistan-2026.toml")).expect("the shipped campaign file"))
}

/// The campaign of the seed, generated once.
fn full() -> &'static Synthetic {
    static FULL: OnceLock<Synthetic> = OnceLock::new();
    FULL.get_or_init(|| synthetic::generate(campaign(), SEED).expect("a synthetic campaign"))
}

/// A figure of the oracle.
fn figure(path: &str) -> u64 {
    full().oracle.figures.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no figure {path}"))
}

fn assert_within(what: &str, value: u64, bounds: RangeInclusive<u64>) {
    assert!(bounds.contains(&value), "{what}: {value} is not within {bounds:?}");
}

/// 70 % to 130 % of a share in permille; two more for small numbers.
fn about(permille: u64, of: u64) -> RangeInclusive<u64> {
    of * permille * 7 / 10_000..=of * permille * 13 / 10_000 + 2
}

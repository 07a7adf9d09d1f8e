//! One figure of the benchmark: a measured value, its comparison and their ratio.

use std::{io::Write, path::Path};

use anyhow::Result;
use serde::Serialize;

/// Whether a higher or a lower value is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// For rates, such as events per second.
    More,
    /// For durations and latencies.
    Less,
}

/// A measured value.
pub struct Measured {
    pub value: f64,
    pub unit: &'static str,
    pub better: Better,
}

/// The value that a measured one is compared with, in the same unit.
pub struct Comparison<'a> {
    pub with: &'a str,
    pub value: f64,
}

/// A measured figure, as written to `bench.json`.
#[derive(Debug, Serialize)]
pub struct Measurement {
    id: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
    against: String,
    against_value: f64,
    ratio: f64,
    peak_rss_mb: Option<u64>,
    note: String,
}

impl Measurement {
    /// A figure with its comparison; computes the ratio.
    pub fn new(id: &'static str, what: &str, measured: Measured, against: Comparison<'_>) -> Self {
        let Measured { value, unit, better } = measured;
        let ratio = match better {
            Better::More => value / against.value,
            Better::Less => against.value / value,
        };
        Self {
            id,
            what: what.to_owned(),
            value,
            unit,
            against: against.with.to_owned(),
            against_value: against.value,
            ratio,
            peak_rss_mb: None,
            note: String::new(),
        }
    }

    /// Adds a remark, printed after the comparison.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Adds the peak memory of the measured process.
    pub fn peak_rss_mb(mut self, peak: Option<u64>) -> Self {
        self.peak_rss_mb = peak;
        self
    }
}

/// Prints the table and writes `bench.json`.
pub fn report(figures: &[Measurement]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<14} {:>12} {:<9} {:>12} {:>7}  compared with", "figure", "Qamtu", "", "other", "ratio")?;
    for figure in figures {
        writeln!(
            out,
            "{:<14} {:>12.2} {:<9} {:>12.2} {:>7.2}  {}{}",
            figure.id,
            figure.value,
            figure.unit,
            figure.against_value,
            figure.ratio,
            figure.against,
            if figure.note.is_empty() { String::new() } else { format!(" ({})", figure.note) }
        )?;
    }
    std::fs::write(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench.json")), serde_json::to_vec_pretty(figures)?)?;
    Ok(())
}

/// Peak resident memory of a running process in MB, from `/proc`; none without it.
pub fn peak_rss_mb(pid: Option<u32>) -> Option<u64> {
    qamtu_devstack::testing::status_kb(pid?, "VmHWM").ok().map(|kb| kb / 1024)
}

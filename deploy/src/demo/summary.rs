//! The few lines at the end: what the campaign has come to, where the files are, how long it took and how much memory.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use serde_json::Value;

use super::steps::count;

/// What is told.
pub struct Summary<'a> {
    /// The figures.
    pub figures: &'a Value,
    /// Where the files are.
    pub out: &'a Path,
    /// How long everything took.
    pub took: Duration,
    /// Peaks of Qamtu's processes together and of ClickHouse, in MB; none for a ClickHouse that is not ours.
    pub memory_mb: (u64, Option<u64>),
}

impl Summary<'_> {
    /// Writes it.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let figure = |path: &str| self.figures.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let say = |path: &str| count(figure(path));
        let text = |name: &str| self.figures[name].as_str().unwrap_or_default();
        let voters = figure("/counts/voters").max(1);
        let share = |people: u64| format!("{:.2} %", people as f64 * 100.0 / voters as f64);
        writeln!(to)?;
        writeln!(to, "SYNTHETIC campaign {}, seed {}, as of {}", text("campaign"), figure("/seed"), text("as_of"))?;
        writeln!(
            to,
            "  voters        {} in {} precincts of {} units; roll of {}",
            say("/counts/voters"),
            say("/counts/precincts"),
            say("/counts/units"),
            say("/counts/roll_voters")
        )?;
        writeln!(
            to,
            "  reached       {} different voters ({}); with headcounts between {} and {} ({} to {})",
            say("/audience/reached"),
            share(figure("/audience/reached")),
            say("/audience/lower"),
            say("/audience/upper"),
            share(figure("/audience/lower")),
            share(figure("/audience/upper"))
        )?;
        writeln!(
            to,
            "  attendances   {} in all, {} identified, of them {} of eligible voters",
            say("/audience/gross"),
            say("/audience/identified"),
            say("/audience/contacts")
        )?;
        writeln!(
            to,
            "  meetings      {} held of {} planned, {} extra, {} cancelled, {} missing; {} members in {} coalitions",
            say("/plan/held_planned"),
            say("/plan/planned"),
            say("/plan/held_extra"),
            say("/plan/cancelled"),
            say("/plan/missing"),
            say("/counts/members"),
            say("/counts/coalitions")
        )?;
        writeln!(to, "  checked       every figure equals what the generator knows to be true")?;
        writeln!(to, "  files         {}", self.out.display())?;
        let warehouse = self.memory_mb.1.map_or("a server of yours".to_owned(), |peak| format!("{} MB", count(peak)));
        writeln!(
            to,
            "  took          {:.1} s; memory at most {} MB (Qamtu), {warehouse} (ClickHouse)",
            self.took.as_secs_f64(),
            count(self.memory_mb.0)
        )?;
        to.flush()
    }
}

//! The summary at the end: main figures, output folder, duration and peak memory.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use serde_json::Value;

use super::steps::count;

pub struct Summary<'a> {
    pub figures: &'a Value,
    pub out: &'a Path,
    pub elapsed: Duration,
    /// Peak memory of Qamtu's processes together.
    pub qamtu_mb: u64,
    /// Peak memory of ClickHouse; none for an existing server.
    pub warehouse_mb: Option<u64>,
}

impl Summary<'_> {
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let figure = |path: &str| self.figures.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let formatted = |path: &str| count(figure(path));
        let text = |name: &str| self.figures[name].as_str().unwrap_or_default();
        let voters = figure("/counts/voters").max(1);
        let share = |people: u64| format!("{:.2} %", people as f64 * 100.0 / voters as f64);
        writeln!(to)?;
        writeln!(to, "SYNTHETIC campaign {}, seed {}, as of {}", text("campaign"), figure("/seed"), text("as_of"))?;
        writeln!(
            to,
            "  voters        {} in {} precincts of {} units; roll of {}",
            formatted("/counts/voters"),
            formatted("/counts/precincts"),
            formatted("/counts/units"),
            formatted("/counts/roll_voters")
        )?;
        writeln!(
            to,
            "  reached       {} different voters ({}); with headcounts between {} and {} ({} to {})",
            formatted("/audience/reached"),
            share(figure("/audience/reached")),
            formatted("/audience/lower"),
            formatted("/audience/upper"),
            share(figure("/audience/lower")),
            share(figure("/audience/upper"))
        )?;
        writeln!(
            to,
            "  attendances   {} in all, {} identified, of them {} of eligible voters",
            formatted("/audience/gross"),
            formatted("/audience/identified"),
            formatted("/audience/contacts")
        )?;
        writeln!(
            to,
            "  meetings      {} held of {} planned, {} extra, {} cancelled, {} missing; {} members in {} coalitions",
            formatted("/plan/held_planned"),
            formatted("/plan/planned"),
            formatted("/plan/held_extra"),
            formatted("/plan/cancelled"),
            formatted("/plan/missing"),
            formatted("/counts/members"),
            formatted("/counts/coalitions")
        )?;
        writeln!(to, "  checked       every figure equals what the generator knows to be true")?;
        writeln!(to, "  files         {}", self.out.display())?;
        let warehouse = self.warehouse_mb.map_or("a server of yours".to_owned(), |peak| format!("{} MB", count(peak)));
        writeln!(
            to,
            "  took          {:.1} s; memory at most {} MB (Qamtu), {warehouse} (ClickHouse)",
            self.elapsed.as_secs_f64(),
            count(self.qamtu_mb)
        )?;
        to.flush()
    }
}

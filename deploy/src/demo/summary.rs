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
        let figure = |table: &str, name: &str| self.figures[table][name].as_u64().unwrap_or(0);
        let text = |name: &str| self.figures[name].as_str().unwrap_or_default();
        let seed = self.figures["seed"].as_u64().unwrap_or(0);
        writeln!(to, "\nSYNTHETIC campaign {}, seed {seed}, as of {}", text("campaign"), text("as_of"))?;
        let [voters, precincts, units, roll] = ["voters", "precincts", "units", "roll_voters"].map(|name| count(figure("counts", name)));
        writeln!(to, "  voters        {voters} in {precincts} precincts of {units} units; roll of {roll}")?;
        let people = ["reached", "lower", "upper"].map(|name| figure("audience", name));
        let registered = figure("counts", "voters").max(1) as f64;
        let ([reached, lower, upper], [reached_share, lower_share, upper_share]) =
            (people.map(count), people.map(|people| format!("{:.2} %", people as f64 * 100.0 / registered)));
        write!(to, "  reached       {reached} different voters ({reached_share}); with headcounts between {lower} and {upper} ")?;
        writeln!(to, "({lower_share} to {upper_share})")?;
        let [gross, identified, contacts] = ["gross", "identified", "contacts"].map(|name| count(figure("audience", name)));
        writeln!(to, "  attendances   {gross} in all, {identified} identified, of them {contacts} of eligible voters")?;
        let [held, planned, extra, cancelled, missing] =
            ["held_planned", "planned", "held_extra", "cancelled", "missing"].map(|name| count(figure("plan", name)));
        write!(to, "  meetings      {held} held of {planned} planned, {extra} extra, {cancelled} cancelled, {missing} missing; ")?;
        let [members, coalitions] = ["members", "coalitions"].map(|name| count(figure("counts", name)));
        writeln!(to, "{members} members in {coalitions} coalitions")?;
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

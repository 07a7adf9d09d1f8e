//! Where the processors' time went while something was measured, from the kernel's own counts.
//!
//! A latency on a machine without an idle processor says how its processes took turns, and not how long the work takes. So it is
//! printed with the share of each process. Empty where the machine has no `/proc`.

use std::{collections::BTreeMap, fs};

/// Processor time used so far, in ticks of the kernel.
#[derive(Debug, Default)]
pub struct Processors {
    /// By the name of the program, over all of its processes that are alive.
    programs: BTreeMap<String, u64>,
    all: u64,
    idle: u64,
}

impl Processors {
    /// The counts now.
    pub fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let ticks: Vec<u64> =
            stat.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|tick| tick.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal; what follows is counted in user already.
        let all = ticks.iter().take(8).sum();
        let idle = ticks.iter().skip(3).take(2).sum();
        let mut programs = BTreeMap::new();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if let Some((program, ticks)) = fs::read_to_string(process.path().join("stat")).ok().and_then(|stat| process_ticks(&stat)) {
                *programs.entry(program).or_default() += ticks;
            }
        }
        Self { programs, all, idle }
    }

    /// Which share of the processors was busy since then, and the programs that took at least a fiftieth of it.
    pub fn since(&self, then: &Self) -> String {
        let all = self.all.saturating_sub(then.all).max(1);
        let percent = |ticks: u64| ticks * 100 / all;
        let used = |program: &str, ticks: u64| ticks.saturating_sub(then.programs.get(program).copied().unwrap_or(0));
        let mut shares: Vec<(u64, &str)> = self
            .programs
            .iter()
            .map(|(program, ticks)| (percent(used(program, *ticks)), program.as_str()))
            .filter(|(share, _)| *share >= 2)
            .collect();
        shares.sort_unstable_by(|a, b| b.cmp(a));
        let list: Vec<String> = shares.iter().map(|(share, program)| format!("{program} {share} %")).collect();
        let busy = 100 - percent(self.idle.saturating_sub(then.idle)).min(100);
        format!("processors {busy} % busy: {}", list.join(", "))
    }
}

/// Name and ticks of one process: the name stands in parentheses and may hold spaces.
fn process_ticks(stat: &str) -> Option<(String, u64)> {
    let (begin, end) = (stat.find('(')?, stat.rfind(')')?);
    let mut after = stat[end + 1..].split_whitespace();
    // utime and stime are the 14th and the 15th field, the 12th and the 13th after the name.
    let (user, system): (u64, u64) = (after.nth(11)?.parse().ok()?, after.next()?.parse().ok()?);
    Some((stat[begin + 1..end].to_owned(), user + system))
}

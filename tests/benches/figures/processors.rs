//! Use of the processors by program during a measurement, from the kernel's counters.
//!
//! On a machine without an idle processor a latency measures scheduling, not the work itself. So it is printed with the share of each
//! process. Empty without `/proc`.

use std::{collections::BTreeMap, fs};

/// Processor time used so far, in ticks of the kernel.
#[derive(Debug, Default)]
pub struct Processors {
    /// By name of the program, summed over its running processes.
    programs: BTreeMap<String, u64>,
    all: u64,
    idle: u64,
}

impl Processors {
    /// Reads the current counters.
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

    /// The busy share of the processors since then, and the programs that used at least 2 %.
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

/// Name and ticks of one process; the name is in parentheses and may contain spaces.
fn process_ticks(stat: &str) -> Option<(String, u64)> {
    let (begin, end) = (stat.find('(')?, stat.rfind(')')?);
    let mut after = stat[end + 1..].split_whitespace();
    // utime and stime are the 14th and the 15th field, the 12th and the 13th after the name.
    let (user, system): (u64, u64) = (after.nth(11)?.parse().ok()?, after.next()?.parse().ok()?);
    Some((stat[begin + 1..end].to_owned(), user + system))
}

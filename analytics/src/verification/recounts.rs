//! Headcounts and the recounts that replaced them.
//!
//! The **verification factor** is `sum(recounted) / sum(reported)` over held meetings whose headcount is a recount:
//!
//! - `recounted` is the headcount that counts: that of the last recount of a chain, of rival ones the one with the highest id.
//! - `reported` is the report that the chain goes back to; of several the one with the highest id, which counted before.
//! - Of two counters the smaller count is taken on both sides, as in gross attendance.
//! - A recount whose report is not known, or came with a reversed import, has nothing to be compared to and is left out. So is one that came
//!   with a reversed import itself; the report counts again then.
//!
//! Guarantees: a meeting is in the row of the unit that its report names, and once in the region. The factor changes no figure: recounted
//! meetings are chosen and not drawn at random.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::facts_store::FactsStore;

/// Recounted meetings of the region and of each unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Recounts {
    /// All of them.
    pub region: RecountSum,
    /// By the unit of the report, as far as a unit has recounted meetings; sorted by code.
    pub units: BTreeMap<String, RecountSum>,
}

/// Sums over recounted meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RecountSum {
    /// Meetings that the sums rest on.
    pub meetings: u64,
    /// Those of them whose recount has the number that was reported.
    pub unchanged: u64,
    /// People who were reported.
    pub reported: u64,
    /// People of the recounts.
    pub recounted: u64,
    /// The recounted in percent of the reported; none if nobody was reported.
    pub factor_percent: Option<f64>,
}

impl RecountSum {
    fn add(&mut self, reported: u64, recounted: u64) {
        self.meetings += 1;
        self.unchanged += u64::from(reported == recounted);
        self.reported += reported;
        self.recounted += recounted;
        self.factor_percent = (self.reported > 0).then(|| self.recounted as f64 * 100.0 / self.reported as f64);
    }
}

/// Adds up the recounted meetings.
pub(super) fn recounts(store: &FactsStore) -> Recounts {
    let meetings = &store.facts().meetings;
    let mut found = Recounts::default();
    for meeting in meetings.rows() {
        let Some(((report, headcount), replaced)) =
            meeting.report.as_ref().zip(meeting.headcount.as_ref()).zip(meeting.replaced_headcount.as_ref())
        else {
            continue;
        };
        let unit = meetings.units.keys()[report.unit as usize].to_string();
        for sum in [&mut found.region, found.units.entry(unit).or_default()] {
            sum.add(replaced.low.into(), headcount.low.into());
        }
    }
    found
}

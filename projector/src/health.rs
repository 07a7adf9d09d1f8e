//! Health: the problems that currently keep the projector from working. `/ready` is 503 while there is one.
//!
//! A problem is logged once when it begins and once when it ends, however often it is reported. Problem texts come from the projector's
//! own errors and never contain the value of a record.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use qamtu_log::Partition;

/// Kind of a problem; there is at most one problem of each kind at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The start, or a restart after a failure, is not complete.
    Start,
    /// A stop was requested.
    Stop,
    /// ClickHouse does not respond.
    Warehouse,
    /// The start offset of an assigned partition cannot be determined.
    Assignment,
    /// A batch of this partition cannot be written.
    Write(Partition),
    /// Missing facts of this partition cannot be written again.
    Repair(Partition),
    /// The event log does not respond.
    Log,
    /// No record is written although the event log has some.
    Progress,
    /// The event log removed records of this partition before they were read.
    LostRecords(Partition),
}

/// The current problems of this process; clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<ProblemKind, String>>>);

impl Health {
    /// Health of a process that has not completed its first start.
    pub fn starting() -> Self {
        let health = Self::default();
        health.problems().insert(ProblemKind::Start, "starting".to_owned());
        health
    }

    /// Sets the problem of this kind; logs it if it is new.
    pub fn report(&self, kind: ProblemKind, problem: String) {
        let known = self.problems().insert(kind.clone(), problem.clone()).is_some();
        if !known && kind != ProblemKind::Stop {
            tracing::warn!(%kind, problem, "not ready");
        }
    }

    /// Replaces all problems but a requested stop by the cause of a restart.
    pub fn restarting(&self, problem: String) {
        let mut problems = self.problems();
        problems.retain(|kind, _| *kind == ProblemKind::Stop);
        problems.insert(ProblemKind::Start, problem);
    }

    /// Clears the problem of this kind and logs that it has passed.
    pub fn resolve(&self, kind: &ProblemKind) {
        let resolved = self.problems().remove(kind);
        if resolved.is_some() {
            tracing::info!(%kind, "the problem has passed");
        }
    }

    /// Guard for the problems of one operation; dropping it clears them, also when the operation is cancelled.
    pub fn guard(&self, kind: ProblemKind) -> ProblemGuard<'_> {
        ProblemGuard { health: self, kind }
    }

    /// All problems, one line each; `None` if there are none.
    pub fn describe(&self) -> Option<String> {
        let problems = self.problems();
        let lines: Vec<_> = problems.iter().map(|(kind, problem)| format!("{kind}: {problem}\n")).collect();
        (!lines.is_empty()).then(|| lines.concat())
    }

    fn problems(&self) -> MutexGuard<'_, BTreeMap<ProblemKind, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clears the problem of its kind when dropped.
pub struct ProblemGuard<'a> {
    health: &'a Health,
    kind: ProblemKind,
}

impl ProblemGuard<'_> {
    /// Sets the problem of this operation.
    pub fn report(&self, problem: String) {
        self.health.report(self.kind.clone(), problem);
    }
}

impl Drop for ProblemGuard<'_> {
    fn drop(&mut self) {
        self.health.resolve(&self.kind);
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::Start => f.write_str("start"),
            ProblemKind::Stop => f.write_str("stop"),
            ProblemKind::Warehouse => f.write_str("warehouse"),
            ProblemKind::Assignment => f.write_str("assignment of partitions"),
            ProblemKind::Write(partition) => write!(f, "writing {partition}"),
            ProblemKind::Repair(partition) => write!(f, "repairing {partition}"),
            ProblemKind::Log => f.write_str("event log"),
            ProblemKind::Progress => f.write_str("progress"),
            ProblemKind::LostRecords(partition) => write!(f, "lost records of {partition}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_described_until_resolved() {
        let health = Health::starting();
        assert_eq!(health.describe().as_deref(), Some("start: starting\n"));
        health.resolve(&ProblemKind::Start);
        assert_eq!(health.describe(), None);
        let guard = health.guard(ProblemKind::Write(Partition::new("events", 3)));
        guard.report("disk full".to_owned());
        health.report(ProblemKind::Warehouse, "refused".to_owned());
        assert_eq!(health.describe().as_deref(), Some("warehouse: refused\nwriting events/3: disk full\n"));
        drop(guard);
        health.resolve(&ProblemKind::Warehouse);
        assert_eq!(health.describe(), None);
    }
}

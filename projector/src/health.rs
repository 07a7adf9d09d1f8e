//! Health: what keeps the projector from action its guard now. `/ready` is 503 while there is anything, and says what.
//!
//! Guarantees: a problem is logged once when it begins and once when it ends, however often it is reported; a problem that belongs to
//! one piece of guard ends with that guard. Texts come from our own errors and name places, never what a record holds.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use qamtu_log::Partition;

/// What a problem is about; of one kind there is one problem at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Starting, and starting again after a failure.
    Start,
    /// Stopping on request.
    Stop,
    /// ClickHouse does not answer.
    Warehouse,
    /// Finding out where a newly assigned partition has to start.
    Assignment,
    /// Writing a batch of a partition.
    Write(Partition),
    /// The event log does not answer.
    Log,
    /// The event log has records and none of them is written.
    Progress,
    /// The event log removed records of a partition before they were read.
    LostRecords(Partition),
}

/// The problems of this process; cheap to clone, all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<ProblemKind, String>>>);

impl Health {
    /// Not ready before the first start has succeeded.
    pub fn starting() -> Self {
        let health = Self::default();
        health.problems().insert(ProblemKind::Start, "starting".to_owned());
        health
    }

    /// There is a problem, or it is another one now.
    pub fn report(&self, kind: ProblemKind, problem: String) {
        let known = self.problems().insert(kind.clone(), problem.clone()).is_some();
        if !known && kind != ProblemKind::Stop {
            tracing::warn!(%kind, problem, "not ready");
        }
    }

    /// What ran has ended with a problem and is started again: its other problems ended with it.
    pub fn restarting(&self, problem: String) {
        let mut problems = self.problems();
        problems.retain(|kind, _| *kind == ProblemKind::Stop);
        problems.insert(ProblemKind::Start, problem);
    }

    /// There is no such problem, or not any more.
    pub fn resolve(&self, kind: &ProblemKind) {
        let resolved = self.problems().remove(kind);
        if resolved.is_some() {
            tracing::info!(%kind, "the problem has passed");
        }
    }

    /// Reports problems of one piece of guard; they end when the guard does, also when it is given up.
    pub fn guard(&self, kind: ProblemKind) -> ProblemGuard<'_> {
        ProblemGuard { health: self, kind }
    }

    /// All problems, a line each; none when everything works.
    pub fn describe(&self) -> Option<String> {
        let problems = self.problems();
        let lines: Vec<_> = problems.iter().map(|(kind, problem)| format!("{kind}: {problem}\n")).collect();
        (!lines.is_empty()).then(|| lines.concat())
    }

    fn problems(&self) -> MutexGuard<'_, BTreeMap<ProblemKind, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece of guard whose problems end with it.
pub struct ProblemGuard<'a> {
    health: &'a Health,
    kind: ProblemKind,
}

impl ProblemGuard<'_> {
    /// The guard does not get on.
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
    fn problems_are_named_until_they_have_passed() {
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

//! Health: what keeps the projector from doing its work now. `/ready` is 503 while there is anything, and says what.
//!
//! Guarantees: a problem is logged once when it begins and once when it ends, however often it is reported; a problem that belongs to
//! one piece of work ends with that work. Texts come from our own errors and name places, never what a record holds.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use qamtu_log::Partition;

/// What a problem is about; of one concern there is one problem at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
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
    Lost(Partition),
}

/// The problems of this process; cheap to clone, all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<Concern, String>>>);

impl Health {
    /// Not ready before the first start has succeeded.
    pub fn starting() -> Self {
        let health = Self::default();
        health.problems().insert(Concern::Start, "starting".to_owned());
        health
    }

    /// There is a problem, or it is another one now.
    pub fn report(&self, concern: Concern, problem: String) {
        let known = self.problems().insert(concern.clone(), problem.clone()).is_some();
        if !known && concern != Concern::Stop {
            tracing::warn!(%concern, problem, "not ready");
        }
    }

    /// What ran has ended with a problem and is started again: its other problems ended with it.
    pub fn start_again(&self, problem: String) {
        let mut problems = self.problems();
        problems.retain(|concern, _| *concern == Concern::Stop);
        problems.insert(Concern::Start, problem);
    }

    /// There is no such problem, or not any more.
    pub fn resolve(&self, concern: &Concern) {
        let resolved = self.problems().remove(concern);
        if resolved.is_some() {
            tracing::info!(%concern, "the problem has passed");
        }
    }

    /// Reports problems of one piece of work; they end when the work does, also when it is given up.
    pub fn during(&self, concern: Concern) -> Work<'_> {
        Work { health: self, concern }
    }

    /// All problems, a line each; none when everything works.
    pub fn describe(&self) -> Option<String> {
        let problems = self.problems();
        let lines: Vec<_> = problems.iter().map(|(concern, problem)| format!("{concern}: {problem}\n")).collect();
        (!lines.is_empty()).then(|| lines.concat())
    }

    fn problems(&self) -> MutexGuard<'_, BTreeMap<Concern, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece of work whose problems end with it.
pub struct Work<'a> {
    health: &'a Health,
    concern: Concern,
}

impl Work<'_> {
    /// The work does not get on.
    pub fn report(&self, problem: String) {
        self.health.report(self.concern.clone(), problem);
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.health.resolve(&self.concern);
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Concern::Start => f.write_str("start"),
            Concern::Stop => f.write_str("stop"),
            Concern::Warehouse => f.write_str("warehouse"),
            Concern::Assignment => f.write_str("assignment of partitions"),
            Concern::Write(partition) => write!(f, "writing {partition}"),
            Concern::Log => f.write_str("event log"),
            Concern::Progress => f.write_str("progress"),
            Concern::Lost(partition) => write!(f, "lost records of {partition}"),
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
        health.resolve(&Concern::Start);
        assert_eq!(health.describe(), None);
        let work = health.during(Concern::Write(Partition::new("events", 3)));
        work.report("disk full".to_owned());
        health.report(Concern::Warehouse, "refused".to_owned());
        assert_eq!(health.describe().as_deref(), Some("warehouse: refused\nwriting events/3: disk full\n"));
        drop(work);
        health.resolve(&Concern::Warehouse);
        assert_eq!(health.describe(), None);
    }
}

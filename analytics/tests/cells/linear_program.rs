//! Unknown counts, linear relations between them, and the interval that the relations leave for a count.

use std::collections::{BTreeMap, BTreeSet};

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};
use qamtu_analytics::cell::Cell;

/// Unknown counts, the shown ones among them, and linear relations between them.
#[derive(Default)]
pub struct LinearProgram {
    pub truth: BTreeMap<String, u64>,
    pub shown: BTreeMap<String, u64>,
    /// Those that are about people, and so must not be worked out when they are small.
    pub people: BTreeSet<String>,
    /// Counts with their weights that add up to nothing, or (if `false`) to nothing or more.
    pub relations: Vec<(Vec<(f64, String)>, bool)>,
    /// Those that may be negative.
    pub signed: BTreeSet<String>,
}

impl LinearProgram {
    pub fn fact(&mut self, name: &str, truth: u64) {
        self.truth.insert(name.to_owned(), truth);
    }

    pub fn count(&mut self, name: &str, truth: u64) {
        self.fact(name, truth);
        self.people.insert(name.to_owned());
    }

    pub fn cell(&mut self, name: &str, cell: Cell, truth: u64) {
        self.count(name, truth);
        self.show(name, cell);
    }

    pub fn show(&mut self, name: &str, cell: Cell) {
        if let Some(count) = cell.shown() {
            assert_eq!(count, self.truth[name], "{name}");
            self.shown.insert(name.to_owned(), count);
        }
    }

    fn relation(&mut self, terms: Vec<(f64, String)>, exact: bool) {
        let sum: f64 = terms.iter().map(|(weight, name)| weight * self.truth[name] as f64).sum();
        assert!(if exact { sum == 0.0 } else { sum >= 0.0 }, "{terms:?} is {sum}");
        self.relations.push((terms, exact));
    }

    /// A whole is the sum of its weighted parts.
    pub fn weighted(&mut self, whole: &str, parts: &[(u64, String)]) {
        let parts = parts.iter().map(|(weight, part)| (*weight as f64, part.clone()));
        self.relation(parts.chain([(-1.0, whole.to_owned())]).collect(), true);
    }

    /// A whole is the sum of its parts.
    pub fn sum(&mut self, whole: &str, parts: &[String]) {
        self.weighted(whole, &parts.iter().map(|part| (1, part.clone())).collect::<Vec<_>>());
    }

    /// A count is no more than some others together.
    pub fn within(&mut self, small: &str, large: &[String]) {
        let large = large.iter().map(|name| (1.0, name.clone()));
        self.relation(large.chain([(-1.0, small.to_owned())]).collect(), false);
    }

    /// Least and most that a count may be.
    pub fn interval(&self, wanted: &str) -> (f64, f64) {
        let solve = |direction| {
            let mut problem = Problem::new(direction);
            let variables: BTreeMap<&String, Variable> = self
                .truth
                .keys()
                .map(|name| {
                    let least = if self.signed.contains(name) { -5_000.0 } else { 0.0 };
                    let bounds = self.shown.get(name).map_or((least, 5_000.0), |count| (*count as f64, *count as f64));
                    (name, problem.add_var(if name == wanted { 1.0 } else { 0.0 }, bounds))
                })
                .collect();
            for (terms, exact) in &self.relations {
                let terms: Vec<(Variable, f64)> = terms.iter().map(|(weight, name)| (variables[name], *weight)).collect();
                problem.add_constraint(&terms, if *exact { ComparisonOp::Eq } else { ComparisonOp::Ge }, 0.0);
            }
            match problem.solve().expect("the truth solves it") {
                SolveOutcome::Solution(solution) => solution.objective(),
                SolveOutcome::Interrupted(_) => panic!("no limit was set"),
            }
        };
        (solve(OptimizationDirection::Minimize), solve(OptimizationDirection::Maximize))
    }
}

//! How far estimates of reach are off, and how often their intervals hold the truth, in simulated campaigns. Prints the table of
//! `analytics/estimate-accuracy.md`; `-- 5` simulates five campaigns for each row instead of forty.

#![allow(clippy::print_stdout, reason = "a benchmark prints its results")]
#![allow(clippy::unwrap_used, reason = "a simulation ends at a fault")]

#[path = "estimate/simulation.rs"]
mod simulation;

use simulation::{Evidence, MEETINGS, Readiness, simulate};

fn main() {
    let campaigns = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(40);
    println!("| readiness | identified | region: error | RMSE | interval holds | unit: error | RMSE | interval holds | at random: error |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut without = 0;
    let mut print = |readiness: Readiness, evidence: Evidence, name: &str| {
        let found = simulate(readiness, evidence, campaigns);
        without += found.region.none + found.units.none;
        let at_random = found.at_random / campaigns as f64 * 100.0;
        println!("| {} | {name} | {} | {} | {at_random:+.1} |", readiness.name(), found.region.cells(), found.units.cells());
    };
    for readiness in [Readiness::Gamma(0.3), Readiness::Gamma(1.0), Readiness::LogNormal(1.3), Readiness::TwoClasses(0.05, 8.0)] {
        let uniform = Evidence { by_format: false, counted: 1.0, meetings: MEETINGS };
        print(readiness, uniform, "62% of meetings");
        print(readiness, Evidence { by_format: true, ..uniform }, "by format");
        print(readiness, Evidence { by_format: true, meetings: MEETINGS / 4, ..uniform }, "by format, a quarter of the meetings");
        print(readiness, Evidence { counted: 1.08, ..uniform }, "62%, headcounts 8% too high");
        for meetings in [15, 30, 80, 200] {
            print(readiness, Evidence { meetings, ..uniform }, &format!("62% of {meetings} meetings"));
        }
    }
    println!("\n{campaigns} campaigns for each row; groups without an estimate: {without}.");
}

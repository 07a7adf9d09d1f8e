//! End-to-end tests of Qamtu: real processes, a real ClickHouse, both event logs, a real browser.

mod as_of;
#[path = "../../analytics/tests/sample/cases.rs"]
mod cases;
mod crate_dependencies;
mod demo;
mod demo_page;
mod end_to_end;
mod known_failures;
mod modules;
mod page_layout;
mod publish;
mod readme;
mod repository_rules;
#[path = "../../analytics/tests/sample/sample.rs"]
mod sample;

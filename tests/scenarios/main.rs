//! What Qamtu promises, tried on the whole of it: real processes, a real ClickHouse, both event logs.

mod as_of;
#[path = "../../analytics/tests/sample/cases.rs"]
mod cases;
mod demo;
mod fences;
mod layout;
mod modules;
mod page;
mod publish;
mod readme;
#[path = "../../analytics/tests/sample/sample.rs"]
mod sample;
mod similar_systems;
mod spine;
mod tidy;

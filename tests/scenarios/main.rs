//! What Qamtu promises, tried on the whole of it: real processes, a real ClickHouse, both event logs.

mod demo;
mod fences;
mod page;
mod publish;
mod readme;
mod spine;
mod tidy;

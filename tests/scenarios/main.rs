//! What Qamtu promises, tried on the whole of it: real processes, a real ClickHouse, both event logs.

mod as_of;
mod demo;
mod fences;
mod page;
mod readme;
mod spine;
mod tidy;

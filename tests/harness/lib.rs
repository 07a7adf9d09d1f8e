//! Starts all services of Qamtu for one scenario: real processes, real log, real warehouse, own folders, free ports.
//!
//! [`stack`] starts, stops and kills services, [`recount`] computes the figures of a campaign independently. All processes end with
//! their scenario, even if it panics.

#![cfg_attr(doc, doc = include_str!("../../ARCHITECTURE.md"))]

pub mod browser;
pub mod recount;
pub mod small_campaign;
pub mod stack;

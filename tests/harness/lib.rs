//! The whole of Qamtu, started for one scenario: real processes, real log, real warehouse, own folders, free ports.
//!
//! [`stack`] starts and breaks it, [`wait`] waits for states with a deadline, [`recount`] counts a campaign again by other means.
//! Everything started here ends with its scenario, however that ends.

#![cfg_attr(doc, doc = include_str!("../../ARCHITECTURE.md"))]

pub mod browser;
pub mod recount;
pub mod service;
pub mod small_campaign;
pub mod stack;
pub mod wait;

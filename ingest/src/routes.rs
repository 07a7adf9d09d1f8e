//! The routes, one file per subject. A handler reads, hands over to the pipeline and answers; it decides nothing else.

pub mod events;
mod form;
pub mod health;
pub mod roll;

//! The routes, one file per subject. A handler reads the request, calls the pipeline and builds the response; it has no rules of its own.

pub mod events;
mod form;
pub mod health;
mod request;
pub mod roll;

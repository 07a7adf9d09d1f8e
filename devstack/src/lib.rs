//! Real servers on one machine, for the launcher, the demo and the tests: a ClickHouse warehouse.
//! Each server ends with the process that started it, however that ends.

mod error;
pub mod warehouse;

pub use error::DevstackError;

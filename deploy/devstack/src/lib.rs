//! Real servers on one machine, for the launcher, the demo and the tests: a ClickHouse warehouse and a Kafka broker.
//! Each server ends with the process that started it, however that ends. The feature `testing` adds what the tests of all crates share.

pub mod broker;
mod error;
mod fetch;
pub mod file_lock;
pub mod guard;
pub mod http;
#[cfg(feature = "testing")]
pub mod testing;
pub mod warehouse;

pub use error::DevstackError;
pub use fetch::cache_dir;

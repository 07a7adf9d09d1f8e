//! The conformance suite of the event log, run on both logs, and fault tests of each log.
//!
//! The Kafka half runs on a real Apache Kafka broker that is started once for all tests. Without Java or
//! Maven it is skipped with a message; in CI (`CI=true`) it fails.

#[cfg(test)]
mod append;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod group;
#[cfg(test)]
mod kafka;
#[cfg(test)]
mod modes;
#[cfg(test)]
mod process;
#[cfg(test)]
mod read;
#[cfg(test)]
mod rebalances;
#[cfg(test)]
mod replaced;
#[cfg(test)]
mod secured;
#[cfg(test)]
mod stalls;

/// Runs each of these tests on the embedded log and on Kafka.
macro_rules! on_both_logs {
    ($module:ident: $($test:ident),+ $(,)?) => {
        mod embedded_log {
            $(#[test] fn $test() { crate::fixture::run_test(async { super::$test(crate::fixture::LogFixture::embedded()).await }); })+
        }
        mod kafka_log {
            $(#[test] fn $test() { crate::fixture::run_test(async { if let Some(log) = crate::fixture::LogFixture::kafka() { super::$test(log).await } }); })+
        }
    };
}
pub(crate) use on_both_logs;

//! The conformance suite of the event log, run on both logs, and the faults of each.
//!
//! The Kafka half runs on a real Apache Kafka broker that is started once for all tests. Without Java or
//! Maven it is left out with one loud line; in CI (`CI=true`) that is a failure.

#[cfg(test)]
mod actor;
#[cfg(test)]
mod append;
#[cfg(test)]
mod embedded;
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
mod read;
#[cfg(test)]
mod replaced;
#[cfg(test)]
mod secured;
#[cfg(test)]
mod site;
#[cfg(test)]
mod stalls;

/// Runs each of these tests on the embedded log and on Kafka.
macro_rules! on_both_logs {
    ($module:ident: $($test:ident),+ $(,)?) => {
        mod embedded_log {
            $(#[test] fn $test() { crate::site::run(async { super::$test(crate::site::Site::embedded()).await }); })+
        }
        mod kafka_log {
            $(#[test] fn $test() { crate::site::run(async { if let Some(site) = crate::site::Site::kafka() { super::$test(site).await } }); })+
        }
    };
}
pub(crate) use on_both_logs;

//! Logs (JSON on standard error) and metrics (Prometheus text).
//!
//! Logs never contain data of a request or a record: only routes, offsets, counts, durations and reasons.

use std::{error::Error, fmt::Write, sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{ConfigError, TelemetryConfig},
    connections,
};

/// Media type of [`render_metrics`].
pub const METRICS_MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the buckets of every histogram whose name ends in `_seconds`.
const BUCKETS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0];

/// Interval at which the recorder aggregates the samples of histograms; it stores every sample until then.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the logger, which writes to standard error. Call it once per process.
pub fn install_logger(config: &TelemetryConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| ConfigError::new("telemetry.filter", &error.to_string()))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// Installs the metrics recorder of this process, then calls `describe` for help texts and first values; later calls do nothing.
pub fn install_recorder(describe: impl FnOnce()) {
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .map(PrometheusBuilder::build_recorder)
            // INVARIANT: the list of buckets is not empty.
            .expect("a list of buckets");
        let handle = recorder.handle();
        // A program that embeds the service may have installed its own recorder; then this one stays empty.
        if metrics::set_global_recorder(recorder).is_ok() {
            connections::describe();
            describe();
            let upkeep = handle.clone();
            std::thread::spawn(move || {
                loop {
                    std::thread::sleep(UPKEEP_INTERVAL);
                    upkeep.run_upkeep();
                }
            });
        }
        handle
    });
}

/// All metrics as Prometheus text; empty before [`install_recorder`].
pub fn render_metrics() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// An error and its sources in one line.
pub fn error_chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // A write into a string does not fail.
        let _ = write!(line, ": {cause}");
        source = cause.source();
    }
    line.replace('\n', " ")
}

/// Declares the names of a service's metrics as constants, with `NAMES` (all of them) and `describe()`, which registers their help texts.
///
/// ```text
/// qamtu_service::metrics! {
///     /// Responses, by route. (The doc comment is the help text.)
///     describe_counter REQUESTS = "qamtu_ingest_requests_total";
/// }
/// ```
#[macro_export]
macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $describe:ident $name:ident = $text:literal;)*) => {
        $($(#[doc = $help])+ pub const $name: &str = $text;)*

        /// Names of all metrics.
        pub const NAMES: &[&str] = &[$($name),*];

        /// Registers the help text of every metric.
        pub fn describe() {
            $(::metrics::$describe!($name, concat!($($help),+).trim());)*
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_chain_is_one_line() {
        #[derive(Debug, thiserror::Error)]
        #[error("the log cannot be used")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(error_chain(&Outer(std::io::Error::other("disk\nfull"))), "the log cannot be used: disk full");
    }
}

//! Sets up logs (JSON on standard error) and metrics (Prometheus text).
//!
//! Logs contain routes, counts, durations and problem codes, never data from a request body.

use std::{error::Error, fmt::Write, sync::OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{ConfigError, TelemetryConfig},
    metrics,
};

/// Installs the logger, which writes to standard error. Call it once per process.
pub fn logs(config: &TelemetryConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| ConfigError::of("telemetry.filter", &error.to_string()))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// The metrics recorder of this process, installed on first use.
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &buckets)
            .map(PrometheusBuilder::build_recorder)
            // INVARIANT: the list of buckets is not empty.
            .expect("a list of buckets");
        let handle = recorder.handle();
        // A program that embeds the service may have installed its own recorder; then this one stays empty.
        if ::metrics::set_global_recorder(recorder).is_ok() {
            metrics::describe();
        }
        handle
    })
}

/// An error and its sources in one line, for logs.
pub fn error_chain(error: &dyn Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(out, ": {cause}");
        source = cause.source();
    }
    out
}

//! Logs (JSON on standard error) and metrics (Prometheus text).
//!
//! Logs never contain a record's value: only offsets, counts, durations and reasons.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{ConfigError, TelemetryConfig},
    metrics,
};

/// Writes logs to standard error; call once per process.
pub fn init_logging(config: &TelemetryConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| ConfigError::invalid("telemetry.filter", &error.to_string()))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// The metrics recorder of this process, installed at the first call.
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &metrics::BUCKETS)
            .map(PrometheusBuilder::build_recorder)
            // INVARIANT: the list of buckets is not empty.
            .expect("a list of buckets");
        let handle = recorder.handle();
        // If the embedding program has installed a recorder of its own, this one stays unused.
        if ::metrics::set_global_recorder(recorder).is_ok() {
            metrics::describe();
            metrics::initialize();
        }
        handle
    })
}

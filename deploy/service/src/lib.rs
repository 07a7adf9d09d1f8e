//! What every service needs to run, whatever it does: settings, logs, metrics, HTTP connections and its end.
//!
//! - [`config`] loads settings in layers and refuses unknown ones; [`clickhouse`] has the connection settings of the warehouse.
//! - [`telemetry`] writes logs and collects metrics; [`metrics!`] declares the metrics of a service.
//! - [`http`] serves the connections of a listener: [`connections`] shares them fairly among [`client`]s, [`hosts`] checks the `Host` header.
//! - [`process`] waits for the signal to stop and reports an error as exit status and one line.
//!
//! Routes, responses and figures belong to the services. This crate knows neither the event log nor a web framework.

pub mod clickhouse;
pub mod client;
pub mod config;
pub mod connections;
pub mod hosts;
pub mod http;
pub mod process;
pub mod telemetry;

//! `serve`: serves the page of a campaign until SIGTERM or SIGINT.

use std::io::Write;

use clap::Args;
use qamtu_schemas::id::CampaignId;
use qamtu_service::{process::stop_signal, telemetry::install_recorder};

use crate::{
    config::Config,
    dashboard::{self, Addresses},
    error::AnalyticsError,
    metrics,
};

/// Arguments of the subcommand `serve`.
#[derive(Debug, Args)]
pub struct ServeCommand {
    /// Id of the campaign to serve.
    #[arg(long)]
    pub campaign: CampaignId,
}

impl ServeCommand {
    /// Serves the page; prints one JSON line with the addresses once the listeners are bound.
    pub async fn run(self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        install_recorder(metrics::describe);
        let stop = stop_signal().map_err(AnalyticsError::Serve)?;
        let listening = |addresses: Addresses| {
            let url = |address| format!("http://{address}");
            let line = serde_json::json!({"listening": url(addresses.people), "internal": addresses.internal.map(url)});
            writeln!(out, "{line}").and_then(|()| out.flush()).map_err(AnalyticsError::Serve)
        };
        dashboard::serve(config, self.campaign, listening, stop).await
    }
}

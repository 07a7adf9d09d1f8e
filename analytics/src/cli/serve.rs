//! `serve`: serves the page of a campaign until SIGTERM or SIGINT.

use std::io::Write;

use clap::Args;
use qamtu_schemas::id::CampaignId;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::Config,
    dashboard::{self, Addresses},
    error::AnalyticsError,
    metrics,
};

/// Arguments of the subcommand `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Id of the campaign to serve.
    #[arg(long)]
    pub campaign: CampaignId,
}

impl Serve {
    /// Serves the page; prints one JSON line with the addresses once the listeners are bound.
    pub async fn run(self, config: &Config, out: &mut impl Write) -> Result<(), AnalyticsError> {
        metrics::start();
        let mut terminate = signal(SignalKind::terminate()).map_err(AnalyticsError::Serve)?;
        let shutdown = async move {
            tokio::select! {
                // If a signal handler cannot be installed, the service shuts down.
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        };
        let listening = |addresses: Addresses| {
            let url = |address| format!("http://{address}");
            let line = serde_json::json!({"listening": url(addresses.people), "internal": addresses.internal.map(url)});
            writeln!(out, "{line}").and_then(|()| out.flush()).map_err(AnalyticsError::Serve)
        };
        dashboard::serve(config, self.campaign, listening, shutdown).await
    }
}

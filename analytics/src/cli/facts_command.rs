//! What subcommands share that compute one result from the facts of a campaign and write it as text or JSON.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde::Serialize;
use serde_json::json;

use super::{ListFormat, text_table::finish};
use crate::{
    compute::{FactsSource, select},
    config::Config,
    error::AnalyticsError,
    facts_store::FactsStore,
    locale::Language,
    snapshot_identity::Selection,
    translations::Translations,
};

/// Which facts are read, and how the result is written.
#[derive(Debug, Clone, Args)]
pub struct FactsArguments {
    /// Id of the campaign.
    #[arg(long)]
    pub campaign: CampaignId,
    /// Language of the text: kk, ru or en.
    #[arg(long, default_value = "en")]
    pub language: Language,
    /// Format of the output.
    #[arg(long, default_value = "text")]
    pub format: ListFormat,
    /// As-of instant, such as `2026-03-01T07:00:00Z`; default: now or, in a synthetic campaign, the time of receipt of the newest event.
    #[arg(long)]
    pub as_of: Option<Timestamp>,
}

impl FactsArguments {
    /// Selects the records that count, and where they are read from.
    pub(super) async fn select(&self, config: &Config) -> Result<(FactsSource, Selection), AnalyticsError> {
        let source = FactsSource::new(config).without_saving();
        let selection = select(&source.warehouse, &self.campaign, self.as_of, Timestamp::now()).await?;
        Ok((source, selection))
    }

    /// Reads the facts, computes the result on a blocking thread, and writes it: by `text`, or in a JSON object under `name`.
    pub(super) async fn run<T: Serialize + Send + 'static, W: Write>(
        &self,
        config: &Config,
        out: &mut W,
        name: &str,
        compute: impl FnOnce(&FactsStore) -> Result<T, AnalyticsError> + Send + 'static,
        text: impl FnOnce(&T, &Translations, &mut W) -> std::io::Result<()>,
    ) -> Result<(), AnalyticsError> {
        self.write(self.select(config).await?, out, name, compute, text).await
    }

    /// The same for records that were selected before.
    pub(super) async fn write<T: Serialize + Send + 'static, W: Write>(
        &self,
        (source, selection): (FactsSource, Selection),
        out: &mut W,
        name: &str,
        compute: impl FnOnce(&FactsStore) -> Result<T, AnalyticsError> + Send + 'static,
        text: impl FnOnce(&T, &Translations, &mut W) -> std::io::Result<()>,
    ) -> Result<(), AnalyticsError> {
        let as_of = selection.as_of;
        let (found, synthetic) = source.with_store(selection, move |store| Ok((compute(store)?, store.is_synthetic()))).await?;
        finish(match self.format {
            ListFormat::Text => text(&found, Translations::of(self.language), out),
            ListFormat::Json => {
                let document = json!({"campaign": self.campaign, "synthetic": synthetic, "as_of": as_of, name: found});
                serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from).and_then(|()| writeln!(out))
            }
        })
    }
}

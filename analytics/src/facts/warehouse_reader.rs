//! Client of the warehouse: sends a query and returns rows, a number, events or a stream of Arrow batches.
//!
//! Small results are read as rows, the roll and attendance as Arrow streams. Which queries are sent is decided by the other modules of
//! [`super`].

use clickhouse::{Client, Compression, Row};
use qamtu_schemas::{Event, Topic, decode::decode_structured};
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use super::stream::{self, ArrowBatches};
use crate::{config::ClickhouseConfig, error::AnalyticsError, snapshot_identity::Selection};

/// A view of events.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventView {
    pub(super) name: &'static str,
    /// The column that events are ordered by.
    pub(super) order_by: &'static str,
}

/// Reads the views of the warehouse.
#[derive(Clone)]
pub struct WarehouseReader {
    client: Client,
    /// Address and name of the database.
    address: String,
}

#[derive(Row, Deserialize)]
struct EventRow {
    #[serde(with = "clickhouse::serde::uuid")]
    event: Uuid,
    body: String,
}

impl WarehouseReader {
    /// Configures a client; sends no query.
    pub fn new(config: &ClickhouseConfig) -> Self {
        let client = Client::default()
            .with_url(config.url.as_str())
            .with_user(&config.user)
            .with_password(config.password.expose_secret())
            .with_database(&config.database)
            // On a loopback or data centre network compression costs the server more than it saves; pseudonyms are incompressible.
            .with_compression(Compression::None)
            // Strings must be Arrow strings whatever the defaults of the server are.
            .with_setting("output_format_arrow_compression_method", "none")
            .with_setting("output_format_arrow_string_as_string", "1");
        Self { client, address: format!("{} {}", config.url, config.database) }
    }

    /// Address and name of the database.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// All rows of a query.
    pub(super) async fn rows<R>(&self, what: &'static str, sql: &str) -> Result<Vec<R>, AnalyticsError>
    where
        R: clickhouse::RowOwned + clickhouse::RowRead,
    {
        self.client.query(sql).fetch_all().await.map_err(AnalyticsError::warehouse(what))
    }

    /// The only number of a query.
    pub(super) async fn number(&self, what: &'static str, sql: &str) -> Result<u64, AnalyticsError> {
        self.client.query(sql).fetch_one().await.map_err(AnalyticsError::warehouse(what))
    }

    /// Runs `work` on a blocking thread over the Arrow batches of a query.
    pub(super) async fn stream<T: Send + 'static>(
        &self,
        what: &'static str,
        sql: &str,
        work: impl FnOnce(ArrowBatches) -> Result<T, AnalyticsError> + Send + 'static,
    ) -> Result<T, AnalyticsError> {
        stream::read(what, self.client.query(sql), work).await
    }

    /// Calls `each` for every event of a view, in the order of the view. Returns how many there are.
    pub(super) async fn events(
        &self,
        view: EventView,
        selection: &Selection,
        mut each: impl FnMut(Event) -> Result<(), AnalyticsError>,
    ) -> Result<u64, AnalyticsError> {
        let sql = format!(
            "SELECT event_id AS event, body FROM {} WHERE {} ORDER BY {}",
            view.name,
            selection.admits(Topic::Events),
            view.order_by
        );
        let failed = AnalyticsError::warehouse(view.name);
        let mut rows = self.client.query(&sql).fetch::<EventRow>().map_err(&failed)?;
        let mut events = 0;
        while let Some(row) = rows.next().await.map_err(&failed)? {
            let event = decode_structured(row.body.as_bytes()).map_err(|source| AnalyticsError::Event {
                view: view.name,
                event: row.event.to_string(),
                source,
            })?;
            each(event)?;
            events += 1;
        }
        Ok(events)
    }
}

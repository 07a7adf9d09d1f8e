//! A ClickHouse server that counts slices.

use clickhouse::{Client, Compression};
use secrecy::ExposeSecret;

use crate::{config::SliceServers, error::AnalyticsError};

/// What happens when a limit of a query is exceeded.
const OVERFLOW_MODES: [&str; 6] = [
    "read_overflow_mode",
    "group_by_overflow_mode",
    "join_overflow_mode",
    "set_overflow_mode",
    "result_overflow_mode",
    "timeout_overflow_mode",
];

/// An address for messages, without user and password.
pub(super) fn shown_url(url: &str) -> String {
    url.rsplit('@').next().unwrap_or_default().to_owned()
}

/// The client of one server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) client: Client,
    url: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Server").field(&self.url).finish()
    }
}

impl Server {
    pub(super) fn new(url: &str, servers: &SliceServers) -> Self {
        let client = Client::default()
            .with_url(url)
            .with_user(&servers.user)
            .with_password(servers.password.expose_secret())
            .with_database(&servers.database)
            .with_compression(Compression::None)
            // An insert must be stored when it returns.
            .with_setting("async_insert", "0")
            // Lists of values that pass a filter are written into the query.
            .with_setting("max_query_size", "67108864");
        // A limit of the user's profile must end a query and never shorten its answer.
        let client = OVERFLOW_MODES.iter().fold(client, |client, mode| client.with_setting(*mode, "throw"));
        Self { client, url: shown_url(url) }
    }

    /// Converts an error of this server.
    pub(super) fn failed(&self, what: &'static str) -> impl Fn(clickhouse::error::Error) -> AnalyticsError + use<> {
        let url = self.url.clone();
        move |source| AnalyticsError::SliceServer { what, url: url.clone(), source }
    }

    pub(super) async fn execute(&self, what: &'static str, sql: &str) -> Result<(), AnalyticsError> {
        self.client.query_raw(sql).execute().await.map_err(self.failed(what))
    }

    pub(super) async fn rows<R>(&self, what: &'static str, sql: &str) -> Result<Vec<R>, AnalyticsError>
    where
        R: clickhouse::RowOwned + clickhouse::RowRead,
    {
        self.client.query_raw(sql).fetch_all().await.map_err(self.failed(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_an_address_is_shown() {
        assert_eq!(shown_url("https://user:secret@one:8443"), "one:8443");
        assert_eq!(shown_url("https://one:8443"), "https://one:8443");
    }
}

//! Sends queries to a ClickHouse over HTTP, as one of its users.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::login::Login;
use crate::error::DevstackError;
use crate::http::{self, Response};

/// A client with an address and a login.
#[derive(Debug, Clone)]
pub struct WarehouseClient {
    http: reqwest::Client,
    url: String,
    login: Login,
}

impl WarehouseClient {
    /// A client of the ClickHouse at `url`, which may have parameters such as `?database=qamtu`.
    ///
    /// # Errors
    /// [`DevstackError::Client`] if there is no HTTP client.
    pub fn new(url: impl Into<String>, login: &Login) -> Result<Self, DevstackError> {
        Ok(Self { http: http::client()?, url: url.into(), login: login.clone() })
    }

    /// Runs one statement; the body of the response has the format that the statement or the address names.
    ///
    /// # Errors
    /// [`DevstackError::Response`] with the message of ClickHouse, [`DevstackError::Request`] without a response.
    pub async fn query(&self, sql: &str) -> Result<Response, DevstackError> {
        self.send(self.request(sql)).await
    }

    /// Whether the server answers this user within ten seconds.
    pub(super) async fn ping(&self) -> Result<(), DevstackError> {
        self.send(self.request("SELECT 1").timeout(Duration::from_secs(10))).await.map(drop)
    }

    fn request(&self, sql: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(&self.url).body(sql.to_owned());
        request.header("X-ClickHouse-User", &self.login.user).header("X-ClickHouse-Key", self.login.password.expose_secret())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, DevstackError> {
        let response = http::send(request).await?;
        if response.is_success() { Ok(response) } else { Err(response.unexpected()) }
    }
}

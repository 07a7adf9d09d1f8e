//! The HTTP client of launcher, demo and tests. It ignores the proxy settings of the environment, since every server is on this machine
//! or named by the user. A response of any status is a [`Response`]; only a request without one is an error.

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::error::DevstackError;

/// Status, headers and body of a response, read to its end.
#[derive(Debug)]
pub struct Response {
    /// The address of the request.
    pub url: String,
    /// Status code, such as 200.
    pub status: u16,
    /// Headers in the order of the server.
    pub headers: HeaderMap,
    /// Body as it was sent, not decoded.
    pub body: Vec<u8>,
}

/// A client without proxies and without a timeout.
///
/// # Errors
/// [`DevstackError::Client`] if the client cannot be made.
pub fn client() -> Result<Client, DevstackError> {
    Client::builder().no_proxy().build().map_err(DevstackError::Client)
}

/// Sends a request and reads its response.
///
/// # Errors
/// [`DevstackError::Request`] if there is no response, or its body ends early.
pub async fn send(request: RequestBuilder) -> Result<Response, DevstackError> {
    let failed = |source: reqwest::Error| {
        let to = source.url().map(ToString::to_string).unwrap_or_default();
        // The address is in `to`, so the source does not repeat it.
        DevstackError::Request { to, source: source.without_url() }
    };
    let response = request.send().await.map_err(failed)?;
    let (url, status, headers) = (response.url().to_string(), response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.map_err(failed)?.into();
    Ok(Response { url, status, headers, body })
}

impl Response {
    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or as a JSON string if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| Value::String(self.text()))
    }

    /// The error that shows this response, shortened.
    #[must_use]
    pub fn unexpected(&self) -> DevstackError {
        // On one line, as every error.
        let text = self.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(400).collect();
        DevstackError::Response { from: self.url.clone(), response: format!("{} {text}", self.status) }
    }
}

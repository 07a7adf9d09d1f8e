//! Error responses: an HTML page per reason or, under `/v1/`, problem details; in the reader's language, without internal details.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    page::{Layout, document},
    problem::{Problem, is_for_programs},
};
use crate::{locale::Language, translations::Translations};

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorPage {
    /// No such route, language or asset (404).
    NotFound,
    /// A method other than GET and HEAD (405).
    Method,
    /// The role may not open the route (403).
    Forbidden,
    /// An error or a panic in a handler (500).
    Internal,
    /// There is no snapshot to show yet (503).
    Unavailable,
    /// The `Host` header is not an allowed host (421).
    Host,
}

impl ErrorPage {
    fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Method => "method-not-allowed",
            Self::Forbidden => "forbidden",
            Self::Internal => "internal",
            Self::Unavailable => "not-ready",
            Self::Host => "misdirected-request",
        }
    }

    fn texts(self, translations: &Translations) -> (String, String) {
        match self {
            Self::NotFound => (translations.message("error-not-found-title"), translations.message("error-not-found")),
            Self::Method => (translations.message("error-method-title"), translations.message("error-method")),
            Self::Forbidden => (translations.message("error-forbidden-title"), translations.message("error-forbidden")),
            Self::Internal => (translations.message("error-internal-title"), translations.message("error-internal")),
            Self::Unavailable => (translations.message("error-unavailable-title"), translations.message("error-unavailable")),
            Self::Host => (translations.message("error-host-title"), translations.message("error-host")),
        }
    }

    /// The response to a request. Internal errors get a reference that is logged, too.
    pub fn response(self, request: &Request) -> Response {
        let language = language(request);
        let translations = Translations::of(language);
        let (title, text) = self.texts(translations);
        let reference = (self == Self::Internal).then(|| {
            let id = uuid::Uuid::new_v4().simple().to_string();
            tracing::error!(reference = id, path = request.uri().path(), "responded with an error page");
            translations.message_with("error-reference", &[("id", id.into())])
        });
        if is_for_programs(request.uri().path()) {
            let detail = [Some(text), reference].into_iter().flatten().collect::<Vec<_>>().join(" ");
            return self.with_headers(Problem::new(self.code(), self.status(), title, detail).into_response());
        }
        let content = html! {
            main.calm {
                h1 { (title) }
                p { (text) }
                @if let Some(reference) = reference { p.trace { (reference) } }
                p { a.action href={ "/" (language) } { (translations.message("error-back")) } }
            }
        };
        self.with_headers((self.status(), document(&Layout { title: &title, translations, languages: None }, content)).into_response())
    }

    fn with_headers(self, mut response: Response) -> Response {
        match self {
            Self::Method => response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD")),
            Self::Unavailable => response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60")),
            _ => None,
        };
        response
    }
}

/// The language in the path, else the one that the browser prefers.
fn language(request: &Request) -> Language {
    let of_path =
        request.uri().path().split('/').filter(|part| !part.is_empty()).find_map(|part| Language::of(part.trim_end_matches(".pdf")));
    of_path.unwrap_or_else(|| {
        let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language::accepted(accepted.unwrap_or_default())
    })
}

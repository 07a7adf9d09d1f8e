//! Answers without figures: one page per reason, in the reader's language, telling nothing about the inside.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::html;

use super::page::{Frame, document};
use crate::{locale::Language, words::Words};

/// Why there are no figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is there.
    NotFound,
    /// Only reading is answered.
    Method,
    /// The role does not include it.
    Forbidden,
    /// Our fault.
    Internal,
    /// Not yet.
    Unavailable,
    /// Asked under a name that is not ours.
    Host,
}

impl Refusal {
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

    fn words(self, words: &Words) -> (String, String) {
        match self {
            Self::NotFound => (words.say("error-not-found-title"), words.say("error-not-found")),
            Self::Method => (words.say("error-method-title"), words.say("error-method")),
            Self::Forbidden => (words.say("error-forbidden-title"), words.say("error-forbidden")),
            Self::Internal => (words.say("error-internal-title"), words.say("error-internal")),
            Self::Unavailable => (words.say("error-unavailable-title"), words.say("error-unavailable")),
            Self::Host => (words.say("error-host-title"), words.say("error-host")),
        }
    }

    /// The page that answers a request. A fault of ours gets a number, by which the operator finds it in the log.
    pub fn answer(self, request: &Request) -> Response {
        let language = language(request);
        let words = Words::of(language);
        let (title, text) = self.words(words);
        let reference = (self == Self::Internal).then(|| {
            let id = uuid::Uuid::new_v4().simple().to_string();
            tracing::error!(reference = id, path = request.uri().path(), "answered with an error page");
            words.say_with("error-reference", &[("id", id.into())])
        });
        let content = html! {
            main.calm {
                h1 { (title) }
                p { (text) }
                @if let Some(reference) = reference { p.trace { (reference) } }
                p { a.action href={ "/" (language) } { (words.say("error-back")) } }
            }
        };
        let mut response = (self.status(), document(&Frame { title: &title, words, languages: None }, content)).into_response();
        match self {
            Self::Method => response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD")),
            Self::Unavailable => response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60")),
            _ => None,
        };
        response
    }
}

/// The language of the address, else the one that the browser prefers.
fn language(request: &Request) -> Language {
    let of_path =
        request.uri().path().split('/').filter(|part| !part.is_empty()).find_map(|part| Language::of(part.trim_end_matches(".pdf")));
    of_path.unwrap_or_else(|| {
        let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language::accepted(accepted.unwrap_or_default())
    })
}

//! Who may read what: routes by role, figures by scope, headers of every response, and errors that tell nothing about the inside.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use qamtu_analytics::access::{MATRIX, Reader, Role, Route, Scope};

use crate::{TestResponse, get, page_of, request, sample, text, unit_codes};

#[tokio::test]
async fn every_route_is_open_to_the_roles_of_its_row_alone() {
    for role in Role::ALL {
        let page = page_of(Some(sample::coverage()), Reader::of_region(role));
        for row in MATRIX {
            let response = get(&page, row.example).await;
            let open = row.roles.contains(&role);
            assert_eq!(response.status != StatusCode::FORBIDDEN, open, "{role:?} at {}", row.path);
            // There is a snapshot without its facts.
            let is_waiting = row.route == Route::Slices && response.status == StatusCode::SERVICE_UNAVAILABLE;
            assert!(
                !open || response.status.is_success() || response.status.is_redirection() || is_waiting,
                "{role:?} at {}: {}",
                row.path,
                response.status
            );
            assert!(open || !response.body.contains("1,195,000"), "{role:?} reads figures at {}", row.path);
        }
    }
    let examples: BTreeSet<&str> = MATRIX.iter().map(|row| row.example).collect();
    assert_eq!(examples.len(), MATRIX.len());
}

#[tokio::test]
async fn figures_are_for_leaders_and_analysts_and_metrics_for_operators() {
    let open = |role: Role| -> BTreeSet<&str> { MATRIX.iter().filter(|row| row.roles.contains(&role)).map(|row| row.path).collect() };
    let health = BTreeSet::from(["/assets/{file}", "/live", "/ready"]);
    let figures =
        BTreeSet::from(["/", "/{language}", "/coverage.csv", "/report/{file}", "/v1/campaigns/{campaign}/slices", "/v1/openapi.json"]);
    assert_eq!(open(Role::Public), health);
    assert_eq!(open(Role::Leader), health.union(&figures).copied().collect());
    assert_eq!(open(Role::Analyst), open(Role::Leader));
    assert_eq!(open(Role::Operator), health.union(&BTreeSet::from(["/metrics"])).copied().collect());
}

#[tokio::test]
async fn every_answer_carries_the_protective_headers() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let empty = page_of(None, Reader::of_region(Role::Leader));
    let mut seen = Vec::new();
    let mut look = |what: String, response: TestResponse| {
        let headers: Vec<String> = response
            .headers
            .into_iter()
            .filter(|(name, _)| name != "content-length")
            .map(|(name, value)| format!("  {name}: {value}"))
            .collect();
        seen.push(format!("{what} {}\n{}", response.status.as_u16(), headers.join("\n")));
    };
    for row in MATRIX {
        look(format!("GET {}", row.example), get(&page, row.example).await);
    }
    look("GET /nowhere".into(), get(&page, "/nowhere").await);
    look("GET /de".into(), get(&page, "/de").await);
    look("GET /report/de.pdf".into(), get(&page, "/report/de.pdf").await);
    look("GET /assets/fonts".into(), get(&page, "/assets/fonts").await);
    look("POST /kk".into(), request(&page, Method::POST, "/kk", "kk").await);
    look("GET /kk, no snapshot".into(), get(&empty, "/kk").await);
    look("GET /coverage.csv, no snapshot".into(), get(&empty, "/coverage.csv").await);
    insta::assert_snapshot!("headers", seen.join("\n\n"));
}

#[tokio::test]
async fn errors_are_said_in_the_readers_language_and_tell_nothing_about_the_inside() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let mut page_text = Vec::new();
    for language in ["kk", "ru-RU,ru;q=0.9", "en"] {
        for (method, address) in [(Method::GET, "/nowhere"), (Method::DELETE, "/live"), (Method::GET, "/metrics")] {
            let response = request(&page, method, address, language).await;
            page_text.push(format!("{} {}", response.status.as_u16(), text(&response.body).replace('\n', " | ")));
        }
    }
    insta::assert_snapshot!("errors", page_text.join("\n"));
}

#[tokio::test]
async fn a_reader_of_one_unit_sees_that_unit_alone() {
    let scope = Scope::Units(BTreeSet::from(["TRK".parse().unwrap()]));
    let page = page_of(Some(sample::coverage()), Reader { role: Role::Leader, scope });
    let html = get(&page, "/en").await.body;
    assert_eq!(unit_codes(&html), ["TRK"]);
    let page_text = text(&html);
    assert!(page_text.contains("Part of the campaign: Turkistan city"));
    assert!(page_text.contains("of 136,000 registered voters"));
    for other in ["Sairam", "1,195,000", "Regional coalition"] {
        assert!(!page_text.contains(other), "{other} shows");
    }
    let csv = get(&page, "/coverage.csv").await.body;
    assert!(csv.contains("TRK") && !csv.contains("SAI") && !csv.contains("Сайрам"));
}

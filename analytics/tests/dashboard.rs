//! The page over HTTP: its texts in each language, authorization, and headers of every response.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "dashboard/campaigns.rs"]
mod campaigns;
#[path = "sample/cases.rs"]
mod cases;
#[path = "dashboard/file.rs"]
mod file;
#[path = "dashboard/map.rs"]
mod map;
#[path = "sample/sample.rs"]
mod sample;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use qamtu_analytics::{
    SnapshotStore,
    access::{MATRIX, Reader, Role, Scope},
    dashboard::{DashboardState, RefreshStatus, router},
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The router of a stored coverage, with its directory.
fn page_of(coverage: Option<Value>, reader: Reader) -> Router {
    let folder = tempfile::tempdir().unwrap();
    if let Some(coverage) = coverage {
        sample::stored(folder.path(), coverage);
    }
    let snapshots = SnapshotStore::open(folder.path()).unwrap();
    let service = DashboardState::new("turkistan-2026".parse().unwrap(), snapshots).unwrap();
    router(Arc::new(service), reader).layer(axum::Extension(Arc::new(folder)))
}

struct TestResponse {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

async fn request(page: &Router, method: Method, address: &str, language: &str) -> TestResponse {
    let request = Request::builder().method(method).uri(address).header("accept-language", language).body(Body::empty()).unwrap();
    let response = page.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let mut headers: Vec<(String, String)> =
        response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    TestResponse { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

async fn get(page: &Router, address: &str) -> TestResponse {
    request(page, Method::GET, address, "en").await
}

/// The visible text of a page, one line per text node.
fn text(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let lines = body.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[tokio::test]
async fn the_page_says_the_same_in_three_languages() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    for language in ["kk", "ru", "en"] {
        let response = get(&page, &format!("/{language}")).await;
        assert_eq!(response.status, StatusCode::OK);
        assert!(response.body.contains(&format!("<html lang=\"{language}\">")));
        insta::assert_snapshot!(format!("page_{language}"), text(&response.body));
    }
}

#[tokio::test]
async fn a_page_needs_no_script_and_inlines_nothing() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    for address in ["/kk", "/ru?sort=coverage&order=desc", "/en", "/nowhere"] {
        let body = get(&page, address).await.body;
        for forbidden in ["<script", " style=", "<style", "javascript:", " onclick", "http://", "https://"] {
            assert!(!body.contains(forbidden), "{address} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn every_route_is_open_to_the_roles_of_its_row_alone() {
    for role in Role::ALL {
        let page = page_of(Some(sample::coverage()), Reader::of_region(role));
        for row in MATRIX {
            let response = get(&page, row.example).await;
            let open = row.roles.contains(&role);
            assert_eq!(response.status != StatusCode::FORBIDDEN, open, "{role:?} at {}", row.path);
            assert!(
                !open || response.status.is_success() || response.status.is_redirection(),
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
    let figures = BTreeSet::from(["/", "/{language}", "/coverage.csv", "/report/{file}"]);
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
async fn a_reader_is_led_to_the_best_language() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    for (accepted, to) in [("ru,en;q=0.5", "/ru"), ("de", "/kk"), ("en-GB", "/en")] {
        let response = request(&page, Method::GET, "/", accepted).await;
        assert_eq!(response.status, StatusCode::SEE_OTHER);
        assert!(response.headers.contains(&("location".to_owned(), to.to_owned())));
    }
}

#[tokio::test]
async fn a_campaign_without_figures_says_so_calmly() {
    let page = page_of(None, Reader::of_region(Role::Leader));
    let response = get(&page, "/kk").await;
    assert_eq!(response.status, StatusCode::OK);
    assert!(text(&response.body).contains("Әзірге сандар жоқ"));
    assert_eq!(get(&page, "/report/kk.pdf").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

/// Codes of the units in the order of the table.
fn order(html: &str) -> Vec<&str> {
    html.split("id=\"unit-").skip(1).filter_map(|rest| rest.split_once('"')).map(|(code, _)| code).collect()
}

#[tokio::test]
async fn the_table_sorts_by_links() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let by_name = get(&page, "/kk").await.body;
    assert_eq!(order(&by_name)[..6], ["ARY", "BAI", "ZHE", "KEL", "KEN", "KAZ"]);
    let by_voters = get(&page, "/kk?sort=voters&order=desc").await.body;
    assert_eq!(order(&by_voters)[..3], ["TRK", "SAI", "SAR"]);
    assert!(by_voters.contains("aria-sort=\"descending\""));
    assert_eq!(order(&get(&page, "/kk?sort=voters").await.body)[0], "BAI");
    assert_eq!(order(&get(&page, "/kk?sort=%3Cscript%3E&order=desc").await.body), order(&by_name));
}

#[tokio::test]
async fn a_reader_of_one_unit_sees_that_unit_alone() {
    let scope = Scope::Units(BTreeSet::from(["TRK".parse().unwrap()]));
    let page = page_of(Some(sample::coverage()), Reader { role: Role::Leader, scope });
    let html = get(&page, "/en").await.body;
    assert_eq!(order(&html), ["TRK"]);
    let page_text = text(&html);
    assert!(page_text.contains("Part of the campaign: Turkistan city"));
    assert!(page_text.contains("of 136,000 registered voters"));
    for other in ["Sairam", "1,195,000", "Regional coalition"] {
        assert!(!page_text.contains(other), "{other} shows");
    }
    let csv = get(&page, "/coverage.csv").await.body;
    assert!(csv.contains("TRK") && !csv.contains("SAI") && !csv.contains("Сайрам"));
}

#[tokio::test]
async fn the_plan_is_the_campaigns_however_many_meetings_are_announced() {
    let mut coverage = sample::coverage();
    coverage["region"]["slice"]["fulfilment"]["planned"] = json!(1_940);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("plans sent so far: 1,940; meetings set for the whole campaign: 1,959"));
}

#[tokio::test]
async fn the_headline_says_by_which_method() {
    let mut coverage = sample::coverage();
    let page = page_of(Some(coverage.clone()), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("voters reached (unique); method: bounds"));
    coverage["region"]["slice"]["audience"]["reach"] = sample::reach(93_799, 93_799, 1_195_000);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("voters reached (unique); method: exact"));
}

#[tokio::test]
async fn a_bound_that_is_the_count_is_the_same_share() {
    let mut coverage = sample::coverage();
    // 7.862 % and 11.735 %: rounded outwards they would be 7.8 and 11.8.
    coverage["region"]["slice"]["audience"]["reach"] = sample::reach(93_799, 140_000, 1_193_000);
    let page = page_of(Some(coverage.clone()), Reader::of_region(Role::Leader));
    for (language, from, to) in [("kk", "7,9", "11,7%"), ("ru", "7,9", "11,7\u{a0}%"), ("en", "7.9", "11.7%")] {
        let page_text = text(&get(&page, &format!("/{language}")).await.body);
        let sign = to.trim_start_matches(|letter: char| letter != '%' && letter != '\u{a0}');
        assert!(page_text.contains(&format!("({from}{sign})")), "{language}: reached is another share than {from}");
        assert_eq!(page_text.matches(&format!("{from}–{to}")).count(), 2, "{language}: bounds are other shares than {from} and {to}");
    }
    coverage["region"]["slice"]["audience"]["reach"] = sample::reach(93_799, 93_799, 1_193_000);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("Bounds: 7.9% of registered voters"));
}

#[tokio::test]
async fn other_languages_keep_the_order_of_the_table() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let sorted = get(&page, "/ru?sort=voters&order=desc").await.body;
    assert!(sorted.contains("href=\"/kk?sort=voters&amp;order=desc\""), "the order is lost");
    assert!(get(&page, "/ru?sort=nothing").await.body.contains("href=\"/kk\""));
}

#[tokio::test]
async fn names_cannot_carry_markup() {
    let mut coverage = sample::coverage();
    coverage["coalitions"][3]["names"]["en"] = json!("<script>alert(1)</script> & \"co\"");
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    let html = get(&page, "/en").await.body;
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; "));
    assert!(!html.contains("<script"));
}

#[tokio::test]
async fn snapshots_that_were_reported_stay_and_of_the_others_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut snapshots = SnapshotStore::open(folder.path()).unwrap();
    let mut at = |next: u64, as_of: &str| {
        let mut coverage = sample::coverage();
        coverage["identity"]["offsets"][0]["next"] = json!(next);
        coverage["identity"]["as_of"] = json!(as_of);
        snapshots.save(serde_json::from_value(coverage).unwrap()).unwrap().0.id
    };
    let downloaded = at(0, "2026-03-11T13:00:00Z");
    let page = |folder| {
        let snapshots = SnapshotStore::open(folder).unwrap();
        router(Arc::new(DashboardState::new("turkistan-2026".parse().unwrap(), snapshots).unwrap()), Reader::of_region(Role::Leader))
    };
    // A table that somebody looks at is no report.
    assert_eq!(get(&page(folder.path()), "/coverage.csv").await.status, StatusCode::OK);
    let reported = at(1, "2026-03-11T13:00:00Z");
    assert_eq!(get(&page(folder.path()), "/report/en.pdf").await.status, StatusCode::OK);
    let later: Vec<_> = (2..=26).map(|next| at(next, "2026-03-11T13:00:00Z")).collect();
    // Computed last for an instant long past: whoever asked for it finds it.
    let past = at(0, "2026-02-20T00:00:00Z");
    let stays = |id| snapshots.get(id).unwrap().is_some();
    assert!(stays(reported) && stays(past) && !stays(downloaded));
    let left: Vec<bool> = later.into_iter().map(stays).collect();
    assert_eq!(left, (2..=26).map(|next| next > 6).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_page_says_why_it_shows_nothing_newer_or_nothing_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let service = |kept: bool| {
        if kept {
            sample::stored(folder.path(), sample::coverage());
        }
        Arc::new(DashboardState::new("turkistan-2026".parse().unwrap(), SnapshotStore::open(folder.path()).unwrap()).unwrap())
    };
    let unknown = RefreshStatus::UnknownCampaign(vec!["small-2026".parse().unwrap(), "test".parse().unwrap()]);
    let none = RefreshStatus::UnknownCampaign(Vec::new());
    let cases = [
        (
            false,
            RefreshStatus::UpToDate,
            200,
            "The first figures of this campaign are being prepared",
            "the first calculation has not ended",
        ),
        (false, RefreshStatus::WarehouseUnavailable, 503, "The warehouse cannot be reached at the moment", "the warehouse does not answer"),
        (false, RefreshStatus::AccessDenied, 503, "must correct clickhouse.user or clickhouse.password", "refuses clickhouse.user"),
        (false, unknown, 503, "Configured campaigns: small-2026, test.", "turkistan-2026 is not configured"),
        (false, none, 503, "No campaign is configured yet", "none is configured yet"),
        (true, RefreshStatus::HeldBack, 200, "would reveal data about a few people", "ready"),
        (true, RefreshStatus::AccessDenied, 200, "The figures of the last snapshot are shown", "ready"),
        (true, RefreshStatus::WarehouseUnavailable, 200, "These are the figures of the last snapshot", "ready"),
    ];
    for (kept, trouble, status, page_says, ready_says) in cases {
        let service = service(kept);
        assert_eq!(service.set_status(trouble.clone()), trouble != RefreshStatus::UpToDate);
        let page = router(service, Reader::of_region(Role::Leader));
        let response = get(&page, "/en").await;
        assert_eq!(response.status.as_u16(), status, "{trouble:?}");
        assert!(text(&response.body).contains(page_says), "{}", text(&response.body));
        let ready = get(&page, "/ready").await;
        assert!(ready.body.contains(ready_says) && ready.status.is_success() == kept, "{} {}", ready.status, ready.body);
    }
}

//! The page: its texts in each language, its order, its shares, and markup that needs no script.

use axum::http::{Method, StatusCode};
use qamtu_analytics::access::{Reader, Role};
use serde_json::json;

use crate::{get, page_of, request, sample, text, unit_codes};

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
async fn a_reader_is_redirected_to_the_best_language() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    for (accepted, to) in [("ru,en;q=0.5", "/ru"), ("de", "/kk"), ("en-GB", "/en")] {
        let response = request(&page, Method::GET, "/", accepted).await;
        assert_eq!(response.status, StatusCode::SEE_OTHER);
        assert!(response.headers.contains(&("location".to_owned(), to.to_owned())));
    }
}

#[tokio::test]
async fn the_table_sorts_by_links() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let by_name = get(&page, "/kk").await.body;
    assert_eq!(unit_codes(&by_name)[..6], ["ARY", "BAI", "ZHE", "KEL", "KEN", "KAZ"]);
    let by_voters = get(&page, "/kk?sort=voters&order=desc").await.body;
    assert_eq!(unit_codes(&by_voters)[..3], ["TRK", "SAI", "SAR"]);
    assert!(by_voters.contains("aria-sort=\"descending\""));
    assert_eq!(unit_codes(&get(&page, "/kk?sort=voters").await.body)[0], "BAI");
    assert_eq!(unit_codes(&get(&page, "/kk?sort=%3Cscript%3E&order=desc").await.body), unit_codes(&by_name));
}

#[tokio::test]
async fn the_plan_is_the_campaigns_however_many_meetings_are_announced() {
    let mut coverage = sample::coverage();
    coverage["region"]["figures"]["fulfilment"]["planned"] = json!(1_940);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("plans sent so far: 1,940; meetings set for the whole campaign: 1,959"));
}

#[tokio::test]
async fn the_headline_says_by_which_method() {
    let mut coverage = sample::coverage();
    let page = page_of(Some(coverage.clone()), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("voters reached (unique); method: bounds"));
    coverage["region"]["figures"]["audience"]["reach"] = sample::reach(93_799, 93_799, 1_195_000);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("voters reached (unique); method: exact"));
}

#[tokio::test]
async fn a_bound_that_is_the_count_is_the_same_share() {
    let mut coverage = sample::coverage();
    // 7.862 % and 11.735 %: rounded outwards they would be 7.8 and 11.8.
    coverage["region"]["figures"]["audience"]["reach"] = sample::reach(93_799, 140_000, 1_193_000);
    let page = page_of(Some(coverage.clone()), Reader::of_region(Role::Leader));
    for (language, from, to) in [("kk", "7,9", "11,7%"), ("ru", "7,9", "11,7\u{a0}%"), ("en", "7.9", "11.7%")] {
        let page_text = text(&get(&page, &format!("/{language}")).await.body);
        let sign = to.trim_start_matches(|letter: char| letter != '%' && letter != '\u{a0}');
        assert!(page_text.contains(&format!("({from}{sign})")), "{language}: reached is another share than {from}");
        assert_eq!(page_text.matches(&format!("{from}–{to}")).count(), 2, "{language}: bounds are other shares than {from} and {to}");
    }
    coverage["region"]["figures"]["audience"]["reach"] = sample::reach(93_799, 93_799, 1_193_000);
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

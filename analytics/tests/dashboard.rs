//! The page over HTTP: what it says in each language, who may open what, what every answer carries.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "sample/cases.rs"]
mod cases;
#[path = "sample/sample.rs"]
mod sample;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use qamtu_analytics::{
    Snapshots,
    access::{MATRIX, Reader, Role, Scope},
    dashboard::{Service, router},
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// A page of a stored coverage, with its folder.
fn page_of(coverage: Option<Value>, reader: Reader) -> Router {
    let folder = tempfile::tempdir().unwrap();
    if let Some(coverage) = coverage {
        sample::kept(folder.path(), coverage);
    }
    let snapshots = Snapshots::open(folder.path()).unwrap();
    let service = Service::new("turkistan-2026".parse().unwrap(), snapshots).unwrap();
    router(Arc::new(service), reader).layer(axum::Extension(Arc::new(folder)))
}

struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

async fn ask(page: &Router, method: Method, address: &str, language: &str) -> Answer {
    let request = Request::builder().method(method).uri(address).header("accept-language", language).body(Body::empty()).unwrap();
    let response = page.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let mut headers: Vec<(String, String)> =
        response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

async fn get(page: &Router, address: &str) -> Answer {
    ask(page, Method::GET, address, "en").await
}

/// What a reader reads: the text between tags, one line for each.
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
        let answer = get(&page, &format!("/{language}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.contains(&format!("<html lang=\"{language}\">")));
        insta::assert_snapshot!(format!("page_{language}"), text(&answer.body));
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
            let answer = get(&page, row.example).await;
            let open = row.roles.contains(&role);
            assert_eq!(answer.status != StatusCode::FORBIDDEN, open, "{role:?} at {}", row.path);
            assert!(!open || answer.status.is_success() || answer.status.is_redirection(), "{role:?} at {}: {}", row.path, answer.status);
            assert!(open || !answer.body.contains("1,195,000"), "{role:?} reads figures at {}", row.path);
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
    let mut look = |what: String, answer: Answer| {
        let headers: Vec<String> = answer
            .headers
            .into_iter()
            .filter(|(name, _)| name != "content-length")
            .map(|(name, value)| format!("  {name}: {value}"))
            .collect();
        seen.push(format!("{what} {}\n{}", answer.status.as_u16(), headers.join("\n")));
    };
    for row in MATRIX {
        look(format!("GET {}", row.example), get(&page, row.example).await);
    }
    look("GET /nowhere".into(), get(&page, "/nowhere").await);
    look("GET /de".into(), get(&page, "/de").await);
    look("GET /report/de.pdf".into(), get(&page, "/report/de.pdf").await);
    look("GET /assets/fonts".into(), get(&page, "/assets/fonts").await);
    look("POST /kk".into(), ask(&page, Method::POST, "/kk", "kk").await);
    look("GET /kk, no snapshot".into(), get(&empty, "/kk").await);
    look("GET /coverage.csv, no snapshot".into(), get(&empty, "/coverage.csv").await);
    insta::assert_snapshot!("headers", seen.join("\n\n"));
}

#[tokio::test]
async fn errors_are_said_in_the_readers_language_and_tell_nothing_about_the_inside() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let mut said = Vec::new();
    for language in ["kk", "ru-RU,ru;q=0.9", "en"] {
        for (method, address) in [(Method::GET, "/nowhere"), (Method::DELETE, "/live"), (Method::GET, "/metrics")] {
            let answer = ask(&page, method, address, language).await;
            said.push(format!("{} {}", answer.status.as_u16(), text(&answer.body).replace('\n', " | ")));
        }
    }
    insta::assert_snapshot!("errors", said.join("\n"));
}

#[tokio::test]
async fn a_reader_is_led_to_the_best_language() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    for (accepted, to) in [("ru,en;q=0.5", "/ru"), ("de", "/kk"), ("en-GB", "/en")] {
        let answer = ask(&page, Method::GET, "/", accepted).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.headers.contains(&("location".to_owned(), to.to_owned())));
    }
}

#[tokio::test]
async fn a_campaign_without_figures_says_so_calmly() {
    let page = page_of(None, Reader::of_region(Role::Leader));
    let answer = get(&page, "/kk").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(text(&answer.body).contains("Әзірге сандар жоқ"));
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
    let said = text(&html);
    assert!(said.contains("Part of the campaign: Turkistan city"));
    assert!(said.contains("of 136,000 registered voters"));
    for other in ["Sairam", "1,195,000", "Regional coalition"] {
        assert!(!said.contains(other), "{other} shows");
    }
    let csv = get(&page, "/coverage.csv").await.body;
    assert!(csv.contains("TRK") && !csv.contains("SAI") && !csv.contains("Сайрам"));
}

#[tokio::test]
async fn the_plan_is_the_campaigns_however_many_meetings_are_announced() {
    let mut coverage = sample::coverage();
    coverage["region"]["slice"]["fulfilment"]["planned"] = json!(1_940);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("1,959 planned in all"));
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
        let said = text(&get(&page, &format!("/{language}")).await.body);
        let sign = to.trim_start_matches(|letter: char| letter != '%' && letter != '\u{a0}');
        assert!(said.contains(&format!("({from}{sign})")), "{language}: reached is another share than {from}");
        assert_eq!(said.matches(&format!("{from}–{to}")).count(), 2, "{language}: bounds are other shares than {from} and {to}");
    }
    coverage["region"]["slice"]["audience"]["reach"] = sample::reach(93_799, 93_799, 1_193_000);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert!(text(&get(&page, "/en").await.body).contains("Bounds: 7.9% of registered voters"));
}

/// The rows of a file as maps from column to field, without its byte order mark.
fn fields(csv: &str, delimiter: char) -> Vec<BTreeMap<String, String>> {
    let csv = csv.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut rows = csv::ReaderBuilder::new().delimiter(delimiter as u8).from_reader(csv.as_bytes());
    rows.deserialize().map(Result::unwrap).collect()
}

/// A row of a file.
fn row<'a>(rows: &'a [BTreeMap<String, String>], kind: &str, key: &str) -> &'a BTreeMap<String, String> {
    rows.iter().find(|row| row["kind"] == kind && row["key"] == key).unwrap_or_else(|| panic!("no row {kind} {key}"))
}

#[tokio::test]
async fn few_people_are_withheld_on_the_page_and_in_the_file() {
    let coverage = cases::few();
    for (role, withheld) in [(Role::Leader, vec!["ARY", "OTY"]), (Role::Analyst, vec![])] {
        let page = page_of(Some(coverage.clone()), Reader::of_region(role));
        let rows = fields(&get(&page, "/coverage.csv").await.body, ',');
        let residents = || rows.iter().filter(|row| row["kind"] == "unit_residents");
        let hidden: Vec<&str> = residents().filter(|row| row["withheld"].contains("reached")).map(|row| row["key"].as_str()).collect();
        assert_eq!(hidden.len(), withheld.len(), "{role:?}: {hidden:?}");
        assert_eq!(hidden.first(), withheld.first());
        // A number or nothing: why there is none stands in a column of its own.
        for row in residents() {
            assert_eq!(row["reached"].is_empty(), row["withheld"].contains("reached"), "{row:?}");
            assert!(row["reached"].chars().all(|letter| letter.is_ascii_digit()), "{row:?}");
        }
        assert_eq!(row(&rows, "unit_residents", "BAI")["reached"], "0", "nobody is not withheld");
        let html = get(&page, "/en").await.body;
        assert_eq!(html.matches("tile level-withheld").count(), withheld.len(), "{role:?}");
    }
}

#[tokio::test]
async fn the_file_names_what_its_codes_mean_and_opens_in_spreadsheets() {
    let mut coverage = sample::coverage();
    coverage["coalitions"][0]["names"]["en"] = json!("=HYPERLINK(\"x\"); \"quoted\"");
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    for (address, delimiter, share) in [("/coverage.csv", ',', "7.85"), ("/coverage.csv?delimiter=semicolon", ';', "7,85")] {
        let rows = fields(&get(&page, address).await.body, delimiter);
        let unit = row(&rows, "unit", "KAZ");
        let names = ["name_kk", "name_ru", "name_en"].map(|column| unit[column].as_str());
        assert_eq!(names, ["Қазығұрт ауданы", "Казыгуртский район", "Kazygurt district"]);
        assert_eq!(row(&rows, "region", "turkistan-2026")["coverage_percent"], share);
        assert_eq!(row(&rows, "coalition", "ARY")["name_en"], "'=HYPERLINK(\"x\"); \"quoted\"", "a name is no formula");
    }
}

#[tokio::test]
async fn no_file_says_zero_where_the_page_says_why_there_is_no_number() {
    let cases = [
        // Reached is unknown, the bounds are known.
        (cases::counted_only(), ["", "161", "8116"], "reached"),
        // Nobody says how many came.
        (cases::uncounted(), ["", "", ""], "gross reached lower upper"),
        // The question does not apply.
        (cases::no_meetings(), ["", "", ""], ""),
        (cases::nothing_defined(), ["", "0", "145449"], "voters reached"),
        (cases::no_voters(), ["93799", "93799", "145449"], "voters coverage_percent"),
    ];
    for (place, (coverage, reach, unknown)) in cases.into_iter().enumerate() {
        let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
        let rows = fields(&get(&page, "/coverage.csv").await.body, ',');
        let region = row(&rows, "region", "turkistan-2026");
        assert_eq!(["reached", "lower", "upper"].map(|column| region[column].as_str()), reach, "case {place}");
        let named: Vec<&str> = region["unknown"].split(' ').collect();
        for column in unknown.split(' ') {
            assert!(named.contains(&column), "case {place}: {column} is not said to be unknown: {region:?}");
        }
    }
}

#[tokio::test]
async fn unknown_none_withheld_and_zero_are_said_in_different_words() {
    let said = async |coverage: Value| text(&get(&page_of(Some(coverage), Reader::of_region(Role::Leader)), "/en").await.body);

    let page = said(cases::no_voters()).await;
    assert!(page.contains("the number of registered voters is unknown: no precinct has been counted"), "{page}");
    assert!(page.contains("Send the number of voters of each precinct (event qamtu.precinct.counted.v1)."));
    for wrong in ["of 0 registered", "()", "Arithmetic ceiling: 0", "is highest in"] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }

    let page = said(cases::nothing_defined()).await;
    assert!(page.contains("No district or city is defined") && page.contains("Send each of them (event qamtu.unit.defined.v1)."));
    let headline: Vec<&str> = page.lines().skip_while(|line| !line.starts_with("How many voters")).take(2).collect();
    assert_eq!(headline[1], "no data", "{page}");

    let page = said(cases::no_meetings()).await;
    assert!(page.contains("voters reached: no meeting is reported as held yet") && page.contains("no meetings"));
    assert!(!page.lines().any(|line| line == "counted only"), "nothing was counted: {page}");

    let page = said(cases::uncounted()).await;
    assert!(page.contains("there is neither an attendance list nor a headcount of any of them"));
    assert!(!page.lines().any(|line| line == "counted only" || line == "0%"), "{page}");

    let page = said(cases::no_voters_of_some_units()).await;
    assert!(page.contains("The number of voters is unknown for: Arys city, Baidibek district."), "{page}");
    assert!(said(sample::coverage()).await.lines().all(|line| line != "What is not known yet"));
}

#[tokio::test]
async fn where_nobody_was_identified_the_headline_shows_the_bounds() {
    let page = text(&get(&page_of(Some(cases::counted_only()), Reader::of_region(Role::Leader)), "/en").await.body);
    let headline: Vec<&str> = page.lines().skip_while(|line| !line.starts_with("How many voters")).take(6).collect();
    assert_eq!(headline[1], "161–8,116", "{headline:?}");
    assert_eq!(headline[4], "0.01–0.68%", "{headline:?}");
    // Nobody of all attendances was identified, which is a share of 0; no tile and no legend has one.
    assert_eq!(page.lines().filter(|line| *line == "0%" || line.starts_with("0.00")).count(), 1, "{page}");
}

#[tokio::test]
async fn an_impossible_share_is_an_error_and_no_finding() {
    let html = get(&page_of(Some(cases::over()), Reader::of_region(Role::Leader)), "/en").await.body;
    let page = text(&html);
    let finding = page.lines().find(|line| line.starts_with("Coverage is highest in")).unwrap();
    assert!(!finding.contains("107.1") && !finding.contains("Kentau"), "{finding}");
    assert_eq!(html.matches("tile level-error").count(), 1);
    assert!(page.contains("above 100%: an error") && page.contains("Where: Kentau city"), "{page}");
}

#[tokio::test]
async fn a_map_of_similar_shares_uses_all_of_its_shades() {
    let html = get(&page_of(Some(sample::coverage()), Reader::of_region(Role::Leader)), "/en").await.body;
    for level in 0..5 {
        let tiles = html.matches(&format!("tile level-{level}")).count();
        assert!((2..=5).contains(&tiles), "{tiles} of 17 tiles have shade {level}");
    }
    // The shade follows the share as it is written: tiles that say the same look the same, and the legend has no other values.
    let tiles = html
        .split("class=\"tile ")
        .skip(1)
        .map(|tile| (tile.split('"').next().unwrap(), tile.split_once("span class=\"value\">").unwrap().1));
    let mut shade_of = BTreeMap::new();
    for (shade, rest) in tiles {
        let share = rest.split('<').next().unwrap();
        assert_eq!(*shade_of.entry(share).or_insert(shade), shade, "{share}");
    }
    let legend = html.split_once("<ul class=\"legend\">").unwrap().1.split_once("</ul>").unwrap().0;
    let ends = legend.split("</span>").skip(1).flat_map(|step| step.split('<').next().unwrap().trim_end_matches('%').split('–'));
    for end in ends {
        assert!(shade_of.contains_key(format!("{end}%").as_str()), "no tile says {end}%");
    }
}

/// Relative luminance of a colour such as `#0b5f5e` (WCAG 2.2).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn shades_differ_in_grey_print_and_their_texts_can_be_read() {
    let css = include_str!("../assets/qamtu.css");
    let values =
        |name: &str| -> Vec<&str> { css.split(&format!("{name}: ")).skip(1).map(|rest| rest.split_once(';').unwrap().0).collect() };
    let lightness = |colour: &str| {
        let light = luminance(colour);
        if light > 0.008_856 { 116.0 * light.cbrt() - 16.0 } else { 903.3 * light }
    };
    let contrast = |one: &str, other: &str| {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    };
    // The light page first, then the dark one.
    for scheme in 0..2 {
        let shades: Vec<&str> = (0..5).map(|level| values(&format!("--l{level}"))[scheme]).collect();
        for pair in shades.windows(2) {
            let step = (lightness(pair[0]) - lightness(pair[1])).abs();
            assert!(step >= 10.0, "{pair:?} differ by {step:.1} in grey");
        }
        for (level, shade) in shades.iter().enumerate() {
            let ratio = contrast(shade, values(&format!("--l{level}-ink"))[scheme]);
            assert!(ratio >= 4.5, "text on {shade} has contrast {ratio:.2}");
        }
        let ratio = contrast(values("--brick")[scheme], values("--sheet")[scheme]);
        assert!(ratio >= 4.5, "the mark of an error has contrast {ratio:.2}");
    }
}

#[tokio::test]
async fn other_languages_keep_the_order_of_the_table() {
    let page = page_of(Some(sample::coverage()), Reader::of_region(Role::Leader));
    let sorted = get(&page, "/ru?sort=voters&order=desc").await.body;
    assert!(sorted.contains("href=\"/kk?sort=voters&amp;order=desc\""), "the order is lost");
    assert!(get(&page, "/ru?sort=nothing").await.body.contains("href=\"/kk\""));
}

#[tokio::test]
async fn names_are_shown_composed() {
    let html = get(&page_of(Some(cases::letters()), Reader::of_region(Role::Leader)), "/ru").await.body;
    assert!(html.contains("Йод Ёлка") && !html.contains('\u{306}'));
}

#[tokio::test]
async fn the_words_suit_a_city_of_districts_and_any_other_area() {
    let mut coverage = cases::cities();
    let name = json!({"kk": "Алматы", "ru": "Алматы", "en": "Almaty"});
    coverage["campaign"]["names"] = name.clone();
    coverage["coalitions"] = json!([]);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    for (language, title, words) in [("kk", "Аудандар", "облыс"), ("ru", "Районы", "област"), ("en", "Districts", "region")]
    {
        let said = text(&get(&page, &format!("/{language}")).await.body);
        assert!(said.lines().any(|line| line == title), "{language}: {said}");
        assert!(!said.contains(words), "{language} calls Almaty {words}");
    }
}

#[tokio::test]
async fn units_without_a_place_of_their_own_are_named_beside_the_map() {
    let mut coverage = sample::coverage();
    coverage["units"][0]["tile"] = coverage["units"][1]["tile"].clone();
    coverage["units"][2]["tile"] = Value::Null;
    let said = text(&get(&page_of(Some(coverage), Reader::of_region(Role::Leader)), "/en").await.body);
    assert!(said.contains("Not on the map, since they have no place of their own there: Baidibek district, Kazygurt district."), "{said}");
    let html = get(&page_of(Some(cases::no_tiles()), Reader::of_region(Role::Leader)), "/en").await.body;
    assert!(!html.contains("class=\"tiles\"") && html.contains("id=\"unit-ARY\""));
}

#[tokio::test]
async fn every_campaign_has_a_page_without_empty_brackets_and_a_file() {
    for (name, coverage) in cases::all() {
        let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
        for language in ["kk", "ru", "en"] {
            let answer = get(&page, &format!("/{language}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{name} in {language}");
            let said = text(&answer.body);
            for wrong in ["()", "( )", "NaN"] {
                assert!(!said.contains(wrong), "{name} in {language} says {wrong}");
            }
        }
        let rows = fields(&get(&page, "/coverage.csv").await.body, ',');
        assert!(!rows.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_long_campaign_has_every_week_in_a_table() {
    let html = get(&page_of(Some(cases::weeks(26)), Reader::of_region(Role::Leader)), "/en").await.body;
    let table = html.split_once("<details>").unwrap().1.split_once("</details>").unwrap().0;
    assert_eq!(table.matches("<tr").count(), 27);
    assert_eq!(html.matches("class=\"labels hidden\"").count() + html.matches("class=\"labels phone\"").count(), 17);
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
async fn where_heads_alone_were_counted_nobody_is_said_to_be_reached_or_not() {
    let mut coverage = sample::coverage();
    let audience = &mut coverage["categories"][1]["slice"]["audience"];
    for count in ["identified_meetings", "identified", "contacts", "outside", "weak"] {
        audience[count] = json!(0);
    }
    audience["reach"] = sample::reach(0, 900, 1_195_000);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert_eq!(text(&get(&page, "/en").await.body).lines().filter(|line| *line == "counted only").count(), 1);
}

#[tokio::test]
async fn the_maps_finding_says_what_its_tiles_say() {
    let mut coverage = sample::coverage();
    // 0.757 %: cut to its hundredths it would be 0.75.
    coverage["units"][0]["residents"]["reach"] = sample::reach(348, 348, 45_941);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    let said = text(&get(&page, "/en").await.body);
    assert!(said.contains("lowest in Arys city (0.76%)"), "{said}");
    // In the finding, on the tile, in the table.
    assert_eq!(said.matches("0.76%").count(), 3, "{said}");
}

#[tokio::test]
async fn a_unit_far_beyond_the_map_is_listed_and_not_drawn() {
    let mut coverage = sample::coverage();
    coverage["units"][0]["tile"] = json!({"row": 255, "column": 200});
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    let html = get(&page, "/en").await.body;
    let map = html.split_once("<table class=\"tiles\"").unwrap().1.split_once("</table>").unwrap().0;
    assert_eq!(map.matches("<td>").count(), 7 * 4);
    assert!(html.contains("id=\"unit-ARY\"") && !html.contains("href=\"#unit-ARY\""));
}

#[tokio::test]
async fn snapshots_that_were_reported_stay_and_of_the_others_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut snapshots = Snapshots::open(folder.path()).unwrap();
    let mut at = |next: u64, as_of: &str| {
        let mut coverage = sample::coverage();
        coverage["identity"]["offsets"][0]["next"] = json!(next);
        coverage["identity"]["as_of"] = json!(as_of);
        snapshots.keep(serde_json::from_value(coverage).unwrap()).unwrap().0.id
    };
    let downloaded = at(0, "2026-03-11T13:00:00Z");
    let service = Arc::new(Service::new("turkistan-2026".parse().unwrap(), Snapshots::open(folder.path()).unwrap()).unwrap());
    let page = router(service, Reader::of_region(Role::Leader));
    assert_eq!(get(&page, "/coverage.csv").await.status, StatusCode::OK);
    let later: Vec<_> = (1..=25).map(|next| at(next, "2026-03-11T13:00:00Z")).collect();
    // Computed last for an instant long past: whoever asked for it finds it.
    let past = at(0, "2026-02-20T00:00:00Z");
    let stays = |id| snapshots.get(id).unwrap().is_some();
    assert!(stays(downloaded) && stays(past));
    let left: Vec<bool> = later.into_iter().map(stays).collect();
    assert_eq!(left, (1..=25).map(|next| next > 5).collect::<Vec<_>>());
}

//! Campaigns other than the demo: unknown is not zero, and the texts suit any area.

use axum::http::StatusCode;
use qamtu_analytics::access::{Reader, Role, Scope};
use serde_json::{Value, json};

use crate::{cases, file::fields, get, page_of, sample, text};

#[tokio::test]
async fn unknown_none_withheld_and_zero_are_said_in_different_words() {
    let page_text = async |coverage: Value| text(&get(&page_of(Some(coverage), Reader::of_region(Role::Leader)), "/en").await.body);

    let page = page_text(cases::no_voters()).await;
    assert!(page.contains("the number of registered voters is unknown: no precinct has been counted"), "{page}");
    assert!(page.contains("Send the number of voters of each precinct (event qamtu.precinct.counted.v1)."));
    for wrong in ["of 0 registered", "()", "Arithmetic ceiling: 0", "is highest in"] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }

    let page = page_text(cases::nothing_defined()).await;
    assert!(page.contains("No district or city is defined") && page.contains("Send each of them (event qamtu.unit.defined.v1)."));
    let headline: Vec<&str> = page.lines().skip_while(|line| !line.starts_with("How many voters")).take(2).collect();
    assert_eq!(headline[1], "no data", "{page}");

    let page = page_text(cases::no_meetings()).await;
    assert!(page.contains("voters reached: no meeting is reported as held yet") && page.contains("no meetings"));
    assert!(!page.lines().any(|line| line == "counted only"), "nothing was counted: {page}");

    let page = page_text(cases::uncounted()).await;
    assert!(page.contains("there is neither an attendance list nor a headcount of any of them"));
    assert!(!page.lines().any(|line| line == "counted only" || line == "0%"), "{page}");

    let page = page_text(cases::no_voters_of_some_units()).await;
    assert!(page.contains("The number of voters is unknown for: Arys city, Baidibek district."), "{page}");
    assert!(page_text(sample::coverage()).await.lines().all(|line| line != "What is not known yet"));
}

#[tokio::test]
async fn a_withheld_headline_says_why_beside_it() {
    let mut coverage = sample::coverage();
    coverage["region"]["figures"]["audience"]["reach"] = sample::reach(7, 50, 1_195_000);
    for (language, word, reason) in [
        ("en", "withheld", "Counts of 1 to 9 people are withheld, and others from which they could be worked out."),
        ("ru", "скрыто", "Числа от 1 до 9 человек скрыты, как и другие, из которых их можно вычислить."),
        ("kk", "көрсетілмейді", "1-ден 9-ға дейінгі адам саны және оны есептеп шығаруға болатын басқа сандар көрсетілмейді."),
    ] {
        let html = get(&page_of(Some(coverage.clone()), Reader::of_region(Role::Leader)), &format!("/{language}")).await.body;
        let headline = html.split_once("<section class=\"headline\"").unwrap().1.split_once("</section>").unwrap().0;
        assert!(text(headline).contains(word) && text(headline).contains(reason), "{language}: {headline}");
    }
    let html = get(&page_of(Some(sample::coverage()), Reader::of_region(Role::Leader)), "/en").await.body;
    assert!(!html.split_once("</section>").unwrap().0.contains("withheld"));
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
async fn where_heads_alone_were_counted_nobody_is_said_to_be_reached_or_not() {
    let mut coverage = sample::coverage();
    let audience = &mut coverage["categories"][1]["figures"]["audience"];
    for count in ["identified_meetings", "identified", "contacts", "outside", "weak"] {
        audience[count] = json!(0);
    }
    audience["reach"] = sample::reach(0, 900, 1_195_000);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    assert_eq!(text(&get(&page, "/en").await.body).lines().filter(|line| *line == "counted only").count(), 1);
}

#[tokio::test]
async fn the_words_suit_a_city_of_districts_and_any_other_area() {
    let mut coverage = cases::cities();
    let name = json!({"kk": "Алматы", "ru": "Алматы", "en": "Almaty"});
    coverage["campaign"]["names"] = name.clone();
    coverage["coalitions"] = json!([]);
    let named = |area: Value| {
        let mut coverage = coverage.clone();
        coverage["campaign"]["area"] = area;
        page_of(Some(coverage), Reader::of_region(Role::Leader))
    };
    let city = named(json!({"kk": "Алматы қаласы", "ru": "Город Алматы", "en": "Almaty city"}));
    for (language, total) in [("kk", "Алматы қаласы"), ("ru", "Город Алматы"), ("en", "Almaty city")] {
        let page_text = text(&get(&city, &format!("/{language}")).await.body);
        assert!(page_text.lines().any(|line| line == total), "{language}: {page_text}");
    }
    let page = named(Value::Null);
    for (language, title, total, words) in [
        ("kk", "Аудандар", "Бүкіл науқан", "облыс"),
        ("ru", "Районы", "Вся кампания", "област"),
        ("en", "Districts", "Whole campaign", "region"),
    ] {
        let page_text = text(&get(&page, &format!("/{language}")).await.body);
        assert!(page_text.lines().any(|line| line == title), "{language}: {page_text}");
        assert!(page_text.lines().any(|line| line == total), "{language} has no row for the whole: {page_text}");
        assert!(!page_text.contains(words), "{language} calls Almaty {words}");
    }
}

#[tokio::test]
async fn units_of_the_reader_that_nobody_has_defined_are_named() {
    let of = |units: &[&str]| {
        let scope = Scope::Units(units.iter().map(|unit| unit.parse().unwrap()).collect());
        page_of(Some(sample::coverage()), Reader { role: Role::Leader, scope })
    };
    let page_text = text(&get(&of(&["TRK", "TRX"]), "/en").await.body);
    assert!(page_text.contains("name no unit of the campaign, so nothing of them is shown: TRX."), "{page_text}");
    assert!(page_text.contains("Correct reader.units where the service is started"), "{page_text}");
    assert!(!text(&get(&of(&["TRK"]), "/en").await.body).contains("reader.units"));
}

#[tokio::test]
async fn names_are_shown_composed() {
    let html = get(&page_of(Some(cases::letters()), Reader::of_region(Role::Leader)), "/ru").await.body;
    assert!(html.contains("Йод Ёлка") && !html.contains('\u{306}'));
}

#[tokio::test]
async fn every_campaign_has_a_page_without_empty_brackets_and_a_file() {
    for (name, coverage) in cases::all() {
        let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
        for language in ["kk", "ru", "en"] {
            let response = get(&page, &format!("/{language}")).await;
            assert_eq!(response.status, StatusCode::OK, "{name} in {language}");
            let page_text = text(&response.body);
            for wrong in ["()", "( )", "NaN"] {
                assert!(!page_text.contains(wrong), "{name} in {language} says {wrong}");
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

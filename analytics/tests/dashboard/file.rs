//! The CSV download: contents of fields, reasons for empty ones, and how spreadsheets read it.

use std::collections::BTreeMap;

use qamtu_analytics::access::{Reader, Role};
use serde_json::json;

use crate::{cases, get, page_of, sample};

/// The rows of a file as maps from column to field, without its byte order mark.
pub fn fields(csv: &str, delimiter: char) -> Vec<BTreeMap<String, String>> {
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

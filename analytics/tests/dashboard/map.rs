//! The map: shades, legend, finding, and the units that have no place on it.

use std::collections::BTreeMap;

use qamtu_analytics::access::{Reader, Role};
use serde_json::{Value, json};

use crate::{cases, get, page_of, sample, text};

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
    let css = include_str!("../../assets/qamtu.css");
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

#[tokio::test]
async fn units_without_a_place_of_their_own_are_named_beside_the_map() {
    let mut coverage = sample::coverage();
    coverage["units"][0]["tile"] = coverage["units"][1]["tile"].clone();
    coverage["units"][2]["tile"] = Value::Null;
    let page_text = text(&get(&page_of(Some(coverage), Reader::of_region(Role::Leader)), "/en").await.body);
    assert!(
        page_text.contains("Not on the map, since they have no place of their own there: Baidibek district, Kazygurt district."),
        "{page_text}"
    );
    let html = get(&page_of(Some(cases::no_tiles()), Reader::of_region(Role::Leader)), "/en").await.body;
    assert!(!html.contains("class=\"tiles\"") && html.contains("id=\"unit-ARY\""));
}

#[tokio::test]
async fn the_maps_finding_says_what_its_tiles_say() {
    let mut coverage = sample::coverage();
    // 0.757 %: cut to its hundredths it would be 0.75.
    coverage["units"][0]["residents"]["reach"] = sample::reach(348, 348, 45_941);
    let page = page_of(Some(coverage), Reader::of_region(Role::Leader));
    let page_text = text(&get(&page, "/en").await.body);
    assert!(page_text.contains("lowest in Arys city (0.76%)"), "{page_text}");
    // In the finding, on the tile, in the table.
    assert_eq!(page_text.matches("0.76%").count(), 3, "{page_text}");
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

//! Campaigns that differ from the sample in one thing each: their length, their size, their names, or what nobody sent.

use serde_json::{Value, json};

use crate::sample::{coverage, reach};

/// Every case, by a name that fits into a file name.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("demo", coverage()),
        ("weeks-1", weeks(1)),
        ("weeks-8", weeks(8)),
        ("weeks-12", weeks(12)),
        ("weeks-18", weeks(18)),
        ("weeks-26", weeks(26)),
        ("units-1", units(1)),
        ("units-2", units(2)),
        ("units-40", units(40)),
        ("long-names", long_names()),
        ("no-tiles", no_tiles()),
        ("no-voters", no_voters()),
        ("some-voters", no_voters_of_some_units()),
        ("nothing-defined", nothing_defined()),
        ("no-meetings", no_meetings()),
        ("counted-only", counted_only()),
        ("uncounted", uncounted()),
        ("no-headcounts", no_headcounts()),
        ("no-roll", no_roll()),
        ("over", over()),
        ("few", few()),
        ("cities", cities()),
        ("letters", letters()),
    ]
}

/// A campaign of so many weeks, half of its units untouched.
pub fn weeks(count: u64) -> Value {
    let mut coverage = coverage();
    let reached = coverage["region"]["figures"]["audience"]["reach"]["reached"].as_u64().expect("a count");
    let template = coverage["weeks"][1].clone();
    let monday: jiff::civil::Date = "2026-02-09".parse().expect("a date");
    let each = reached / count;
    coverage["weeks"] = (0..count)
        .map(|place| {
            let mut week = template.clone();
            let first = if place + 1 == count { reached - each * (count - 1) } else { each };
            let day = monday.checked_add(jiff::Span::new().weeks(i64::try_from(place).expect("few"))).expect("a date");
            week["week"] = json!(format!("2026-W{:02}", 7 + place));
            week["monday"] = json!(day.to_string());
            week["first_reached"] = json!(first);
            week["reached_to_date"] = json!(each * place + first);
            week
        })
        .collect();
    coverage
}

/// A campaign of so many units, which fill rows of six tiles.
pub fn units(count: usize) -> Value {
    let mut coverage = coverage();
    let known = coverage["units"].as_array().expect("units").clone();
    let unit = |place: usize| {
        let mut unit = known[place % known.len()].clone();
        unit["unit"] = json!(format!("U{place:02}"));
        unit["tile"] = json!({"row": place / 6, "column": place % 6});
        unit
    };
    coverage["units"] = (0..count).map(unit).collect();
    coverage["counts"]["units"] = json!(count);
    coverage["coalitions"] = json!([]);
    coverage
}

/// A name of 60 letters, as one word and as several, in units and coalitions.
pub fn long_names() -> Value {
    let mut coverage = coverage();
    let word = "Солтүстікқазақстанаумағыныңжаңадантіркелгенауылдықокругтерінің";
    let words = "Әл-Фараби атындағы ауылшаруашылық және өнеркәсіп ауданы (жаңа)";
    for (place, name) in [word, words].into_iter().enumerate() {
        let name: String = name.chars().take(60).collect();
        coverage["units"][place]["names"] = json!({"kk": name, "ru": name, "en": name});
        coverage["coalitions"][place]["names"] = coverage["units"][place]["names"].clone();
    }
    coverage
}

/// Units that have no place on a map.
pub fn no_tiles() -> Value {
    let mut coverage = coverage();
    for unit in coverage["units"].as_array_mut().expect("units") {
        unit["tile"] = Value::Null;
    }
    coverage
}

fn uncount(reach: &mut Value) {
    reach["denominator"] = json!({"voters": 0, "date": null});
    reach["over"] = json!(false);
}

/// A campaign without a count of voters.
pub fn no_voters() -> Value {
    let mut coverage = coverage();
    coverage["counts"]["voters"] = Value::Null;
    coverage["counts"]["precincts"] = json!(0);
    coverage["precincts"] = json!([]);
    uncount(&mut coverage["region"]["figures"]["audience"]["reach"]);
    coverage["region"]["ceiling"] = Value::Null;
    for unit in coverage["units"].as_array_mut().expect("units") {
        uncount(&mut unit["figures"]["audience"]["reach"]);
        uncount(&mut unit["residents"]["reach"]);
    }
    coverage
}

/// A campaign of which two units have no count of voters.
pub fn no_voters_of_some_units() -> Value {
    let mut coverage = coverage();
    for unit in coverage["units"].as_array_mut().expect("units").iter_mut().take(2) {
        uncount(&mut unit["figures"]["audience"]["reach"]);
        uncount(&mut unit["residents"]["reach"]);
    }
    coverage
}

/// A campaign without units and precincts: people were identified, and none can be recognised as a voter.
pub fn nothing_defined() -> Value {
    let mut coverage = no_voters();
    for table in ["units", "coalitions", "categories"] {
        coverage[table] = json!([]);
    }
    coverage["counts"]["units"] = json!(0);
    unreach(&mut coverage);
    let audience = &mut coverage["region"]["figures"]["audience"];
    audience["contacts"] = json!(0);
    audience["outside"] = audience["identified"].clone();
    audience["reach"]["reached"] = json!(0);
    audience["reach"]["lower"] = json!(0);
    coverage
}

/// Figures of meetings of which none was held.
fn unhold(figures: &mut Value) {
    for count in ["held", "held_planned", "held_extra", "unlawful", "contested", "due", "missing"] {
        figures["fulfilment"][count] = json!(0);
    }
    let voters = figures["audience"]["reach"]["denominator"].clone();
    let none = json!({"reached": 0, "lower": 0, "upper": 0, "denominator": voters, "method": "exact", "over": false});
    for count in [
        "gross",
        "identified",
        "contacts",
        "weak",
        "outside",
        "unidentified",
        "headcount_meetings",
        "identified_meetings",
        "uncounted_meetings",
    ] {
        figures["audience"][count] = json!(0);
    }
    figures["audience"]["reach"] = none;
}

fn each_figures(coverage: &mut Value, change: impl Fn(&mut Value)) {
    change(&mut coverage["region"]["figures"]);
    for table in ["units", "coalitions", "categories", "weeks"] {
        for row in coverage[table].as_array_mut().expect("rows") {
            change(&mut row["figures"]);
        }
    }
}

/// Nobody was reached: not by residents, not by weeks.
fn unreach(coverage: &mut Value) {
    coverage["region"]["frequencies"] = json!([0, 0, 0, 0, 0]);
    for unit in coverage["units"].as_array_mut().expect("units") {
        let residents = &mut unit["residents"];
        residents["contacts"] = json!(0);
        residents["reach"]["reached"] = json!(0);
        residents["reach"]["lower"] = json!(0);
    }
    for week in coverage["weeks"].as_array_mut().expect("weeks") {
        week["first_reached"] = json!(0);
        week["reached_to_date"] = json!(0);
    }
    coverage["precincts"] = json!([]);
}

/// A campaign that is planned, and of which nothing was held yet.
pub fn no_meetings() -> Value {
    let mut coverage = coverage();
    each_figures(&mut coverage, unhold);
    unreach(&mut coverage);
    coverage["region"]["ceiling"] = Value::Null;
    coverage["region"]["attendance_without_report"] = json!(0);
    coverage
}

/// A campaign that counted heads everywhere and identified nobody.
pub fn counted_only() -> Value {
    let mut coverage = coverage();
    each_figures(&mut coverage, |figures| {
        let audience = &mut figures["audience"];
        for count in ["identified", "contacts", "weak", "outside", "identified_meetings"] {
            audience[count] = json!(0);
        }
        audience["unidentified"] = audience["gross"].clone();
        let voters = audience["reach"]["denominator"]["voters"].as_u64().expect("a count");
        let gross = audience["gross"].as_u64().expect("a count");
        audience["reach"] = reach(0, gross, voters);
    });
    let reach = &mut coverage["region"]["figures"]["audience"]["reach"];
    (reach["lower"], reach["upper"]) = (json!(161), json!(8_116));
    unreach(&mut coverage);
    coverage
}

/// A campaign whose meetings were held, and nobody says how many came.
pub fn uncounted() -> Value {
    let mut coverage = coverage();
    each_figures(&mut coverage, |figures| {
        let held = figures["fulfilment"].clone();
        unhold(figures);
        figures["fulfilment"] = held;
        figures["audience"]["uncounted_meetings"] = figures["fulfilment"]["held"].clone();
    });
    unreach(&mut coverage);
    coverage["region"]["ceiling"] = Value::Null;
    coverage
}

/// A campaign that wrote lists everywhere and counted no heads: the reach is exact.
pub fn no_headcounts() -> Value {
    let mut coverage = coverage();
    each_figures(&mut coverage, |figures| {
        let audience = &mut figures["audience"];
        audience["headcount_meetings"] = json!(0);
        audience["unidentified"] = json!(0);
        audience["gross"] = audience["identified"].clone();
        let reached = audience["reach"]["reached"].as_u64().expect("a count");
        let voters = audience["reach"]["denominator"]["voters"].as_u64().expect("a count");
        audience["weak"] = json!(0);
        audience["reach"] = reach(reached, reached, voters);
    });
    coverage
}

/// A campaign without a roll: people count as they state.
pub fn no_roll() -> Value {
    let mut coverage = coverage();
    for count in ["roll_voters", "roll_precincts", "precincts_without_roll"] {
        coverage["counts"][count] = json!(0);
    }
    coverage
}

/// A unit with more residents reached than registered: 107.1 %.
pub fn over() -> Value {
    let mut coverage = coverage();
    let reached = coverage["units"][4]["residents"]["reach"]["reached"].as_u64().expect("a count");
    coverage["units"][4]["residents"]["reach"] = reach(reached, reached, reached * 1_000 / 1_071);
    coverage
}

/// Units with few people reached, which are withheld, and one without any.
pub fn few() -> Value {
    let mut coverage = coverage();
    for (place, people) in [(0, 7), (1, 0)] {
        let held = coverage["units"][place]["residents"]["reach"]["reached"].as_u64().expect("a count");
        let voters = coverage["units"][place]["residents"]["reach"]["denominator"]["voters"].as_u64().expect("a count");
        coverage["units"][place]["residents"]["reach"] = reach(people, people, voters);
        let region = &mut coverage["region"]["figures"]["audience"]["reach"];
        region["reached"] = json!(region["reached"].as_u64().expect("a count") - held + people);
        region["lower"] = region["reached"].clone();
    }
    coverage
}

/// A city of districts alone.
pub fn cities() -> Value {
    let mut coverage = coverage();
    for unit in coverage["units"].as_array_mut().expect("units") {
        unit["kind"] = json!("district");
    }
    coverage
}

/// Names in decomposed Unicode, in scripts that the report's typeface lacks, and with signs that no bundled font has.
pub fn letters() -> Value {
    let mut coverage = coverage();
    let names = [
        "И\u{306}од Е\u{308}лка",
        "ქართული საზოგადოება",
        "Հայ համայնք",
        "Oʻzbek birligi — Ğ ğ Ǵ ǵ ı",
        "Ауыл 🏡 村",
        "한국인 협회",
        "اتحاد الأويغور",
        "а\u{301} қ\u{336} \u{915}\u{94d}\u{937}",
    ];
    for (place, name) in names.into_iter().enumerate() {
        coverage["coalitions"][place]["names"] = json!({"kk": name, "ru": name, "en": name});
    }
    coverage["units"][0]["names"] = json!({"kk": names[0], "ru": names[0], "en": names[0]});
    coverage
}

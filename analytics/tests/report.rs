//! The PDF: figures equal to the page, legible text, and embedded fonts, for every campaign and name.

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

use std::{path::Path, process::Command};

use qamtu_analytics::{
    access::{Reader, Role},
    locale::Language,
    published::Published,
    report,
    statement::{Figure, FigureTable, Statement},
};
use serde_json::{Value, json};

fn statement_of(coverage: Value, language: Language) -> (Published, Statement) {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample::stored(folder.path(), coverage);
    let published = Published::new(&snapshot, &Reader::of_region(Role::Leader)).unwrap();
    let statement = Statement::new(&published, language);
    (published, statement)
}

fn tool(name: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, pdf).unwrap();
    let mut command = Command::new(name);
    let (before, after): (Vec<&str>, Vec<&str>) = arguments.iter().copied().partition(|argument| argument.len() > 1);
    command.args(before).arg(&path).args(after);
    let output = command.output().unwrap_or_else(|fault| panic!("{name} (Debian package poppler-utils) is needed: {fault}"));
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The text of a PDF, its blanks made single: line breaks of the layout carry no meaning.
fn plain(pdf: &[u8]) -> String {
    single(&tool("pdftotext", &["-raw", "-"], pdf))
}

fn single(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn rows<'a>(table: &'a FigureTable, columns: &'a [&str]) -> impl Iterator<Item = &'a Figure> {
    table.rows.iter().chain(&table.total).flat_map(|row| {
        table.columns.iter().zip(&row.figures).skip(1).filter(|(column, _)| columns.contains(&column.key)).map(|(_, figure)| figure)
    })
}

#[test]
fn the_report_says_what_the_page_says() {
    for language in Language::ALL {
        let (published, statement) = statement_of(sample::coverage(), language);
        let page = single(
            &qamtu_analytics::dashboard::page::page(&statement, &Default::default(), &qamtu_analytics::dashboard::RefreshStatus::UpToDate)
                .into_string(),
        );
        let report = plain(&report::pdf(&published, &statement).unwrap());
        let headline = [&statement.headline.reached, &statement.headline.share];
        let figures = headline
            .into_iter()
            .chain(statement.cards.iter().map(|card| &card.figure))
            .chain(statement.map.iter().flat_map(|map| &map.tiles).map(|tile| &tile.figure))
            .chain(rows(&statement.units, &["voters", "planned", "held", "gross", "residents", "coverage", "here", "bounds"]))
            .chain(statement.coalitions.iter().chain(&statement.categories).flat_map(|table| rows(table, &["held", "reached"])))
            .chain(statement.weeks.iter().flat_map(|weeks| &weeks.columns).flat_map(|week| [&week.to_date, &week.first]))
            .chain(statement.trust.rows.iter().map(|row| &row.figure));
        let mut compared = 0;
        for figure in figures {
            let text = single(&figure.text);
            assert!(page.contains(&text), "{language}: the page lacks {text}");
            assert!(report.contains(&text), "{language}: the report lacks {text}");
            compared += 1;
        }
        assert!(compared > 220, "{language}: {compared} figures compared");
        let headline = [&statement.headline.label, &statement.headline.denominator];
        let sentences = [&statement.campaign, &statement.as_of, &statement.map.as_ref().unwrap().title];
        let definitions = statement.definitions.list.iter().flat_map(|held| [&held.term, &held.formula, &held.text]);
        for sentence in headline.into_iter().chain(sentences).chain(definitions) {
            assert!(report.contains(&single(sentence)), "{language}: the report lacks {sentence}");
        }
    }
}

#[test]
fn two_pages_with_their_own_fonts_tagged_and_archivable() {
    for language in Language::ALL {
        let (published, statement) = statement_of(sample::coverage(), language);
        let pdf = report::pdf(&published, &statement).unwrap();
        let info = tool("pdfinfo", &[], &pdf);
        for line in ["Pages:           2", "Tagged:          yes", "(A4)"] {
            assert!(info.contains(line), "{language}: {info}");
        }
        let fonts = tool("pdffonts", &[], &pdf);
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        assert_eq!(fonts.len(), 2, "{language}: {fonts:?}");
        assert!(fonts.iter().all(|font| font.contains("Inter") && font.contains(" yes yes yes")), "{language}: {fonts:?}");
    }
}

#[test]
fn the_same_snapshot_gives_the_same_bytes() {
    let set = || {
        let (published, statement) = statement_of(sample::coverage(), Language::Kk);
        report::pdf(&published, &statement).unwrap()
    };
    let first = set();
    assert_eq!(first, set());
    assert!(tool("pdfinfo", &["-rawdates"], &first).contains("D:20260311130000"), "dated by its as-of");
}

#[test]
fn names_are_values_and_never_markup() {
    let names = [
        "#read(\"/etc/passwd\")",
        "#import \"@preview/cetz:0.3.0\": *",
        "*bold* _slanted_ $x^2$ `code` <label> @ref \\ // c",
        "#{ panic(\"x\") } #eval(\"1\")",
    ];
    let mut coverage = sample::coverage();
    for (place, name) in names.into_iter().enumerate() {
        coverage["coalitions"][place]["names"]["ru"] = json!(name);
    }
    coverage["campaign"]["names"]["ru"] = json!("#read(\"/etc/hostname\")");
    coverage["units"][2]["names"]["ru"] = json!("#sys.inputs");
    let (published, statement) = statement_of(coverage, Language::Ru);
    let report = plain(&report::pdf(&published, &statement).unwrap());
    for name in names.into_iter().chain(["#read(\"/etc/hostname\")", "#sys.inputs"]) {
        // Long names break between letters, so blanks are left out of the comparison.
        let squeezed = |text: &str| text.replace([' ', '\u{ad}'], "");
        assert!(squeezed(&report).contains(&squeezed(name)), "{name} is not printed as it stands:\n{report}");
    }
    assert!(!report.contains("root:"));
}

#[test]
fn names_are_printed_in_any_script_and_no_letter_becomes_a_question_mark() {
    let squeezed = |text: &str| single(text).replace([' ', '\u{200b}'], "");
    for language in Language::ALL {
        let (published, statement) = statement_of(cases::letters(), language);
        let pdf = report::pdf(&published, &statement).unwrap();
        let report = squeezed(&plain(&pdf));
        // Composed, though they came decomposed; in Georgian, Armenian and Latin letters, which the second font has.
        for name in ["Йод Ёлка", "ქართული საზოგადოება", "Հայ համայնք", "Oʻzbek birligi — Ğ ğ Ǵ ǵ ı"]
        {
            assert!(report.contains(&squeezed(name)), "{language}: {name} is not printed as it stands:\n{report}");
        }
        // Letters that no bundled font has are written as their numbers, and the report explains them.
        for number in ["Ауыл[U+1F3E1][U+6751]", "[U+D55C]", "[U+0915]", "[U+6751]."] {
            assert!(report.contains(number), "{language}: {number} is missing:\n{report}");
        }
        let questions = statement.cards.iter().map(|card| &card.question).chain([&statement.headline.question, &statement.trust.title]);
        assert_eq!(report.matches('?').count(), questions.filter(|text| text.contains('?')).count(), "{language}: {report}");
        let name = &statement.coalitions.as_ref().unwrap().rows;
        assert!(name.iter().any(|row| row.figures[0].text == "Ауыл 🏡 村"), "the page keeps the name");
        assert!(tool("pdffonts", &[], &pdf).contains("DejaVuSans"), "{language}");
    }
}

/// Words of a PDF with page number and box in points: left, top, right, bottom.
fn words(pdf: &[u8]) -> Vec<(usize, [f64; 4], String)> {
    let xml = tool("pdftotext", &["-bbox", "-"], pdf);
    let mut page = 0;
    let mut words = Vec::new();
    for line in xml.lines().map(str::trim) {
        page += usize::from(line.starts_with("<page "));
        let Some(rest) = line.strip_prefix("<word ") else { continue };
        let number = |name: &str| -> f64 {
            let value = rest.split_once(&format!("{name}=\"")).unwrap().1;
            value.split_once('"').unwrap().0.parse().unwrap()
        };
        let text = rest.split_once('>').unwrap().1.trim_end_matches("</word>").to_owned();
        words.push((page, ["xMin", "yMin", "xMax", "yMax"].map(number), text));
    }
    words
}

#[test]
fn every_campaign_is_set_without_overlaps_in_letters_of_eight_points() {
    for (place, (name, coverage)) in cases::all().into_iter().enumerate() {
        let language = Language::ALL[place % 3];
        let (published, statement) = statement_of(coverage, language);
        let pdf = report::pdf(&published, &statement).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let words = words(&pdf);
        assert!(words.len() > 200, "{name}: {} words", words.len());
        for (at, (page, [left, top, right, bottom], text)) in words.iter().enumerate() {
            // A4 is 595 by 842 points.
            assert!(*left > 20.0 && *right < 575.0 && *top > 10.0 && *bottom < 832.0, "{name}, page {page}: {text} runs out of the frame");
            for (other_page, other, other_text) in &words[at + 1..] {
                let across = right.min(other[2]) - left.max(other[0]);
                let down = bottom.min(other[3]) - top.max(other[1]);
                // Boxes of lines are as high as the typeface and touch where lines are close; letters do not.
                let overlaps = page == other_page && across > 0.6 && down > 0.6 * (bottom - top);
                assert!(!overlaps, "{name}, {language}, page {page}: {text} and {other_text} overlap");
            }
        }
        // The sizes are those of a screen on which a point is one and a half pixels.
        let sizes = tool("pdftohtml", &["-xml", "-i", "-stdout"], &pdf);
        let smallest = sizes.lines().filter_map(|line| line.split_once("size=\"")?.1.split_once('"')?.0.parse::<u32>().ok()).min();
        assert!(smallest >= Some(12), "{name}: the smallest letters have {smallest:?} pixels");
    }
}

#[test]
fn heads_of_columns_do_not_touch() {
    for language in Language::ALL {
        let (published, statement) = statement_of(sample::coverage(), language);
        let report = plain(&report::pdf(&published, &statement).unwrap());
        let tables = [Some(&statement.units), statement.coalitions.as_ref(), statement.categories.as_ref()];
        for pair in tables.into_iter().flatten().flat_map(|table| table.columns.windows(2)) {
            let (left, right) = (pair[0].label.split(' ').next_back().unwrap(), pair[1].label.split(' ').next().unwrap());
            // A reader of PDFs takes words without a blank between them for one.
            assert!(!report.contains(&format!("{left}{right}")), "{language}: {left} touches {right}");
        }
    }
}

#[test]
fn a_long_name_leaves_the_share_of_its_tile_in_sight() {
    for language in Language::ALL {
        let (published, statement) = statement_of(cases::long_names(), language);
        let report = plain(&report::pdf(&published, &statement).unwrap());
        let map = statement.map.as_ref().unwrap();
        let shares: Vec<&str> = map.tiles.iter().map(|tile| tile.figure.text.as_str()).collect();
        for share in &shares {
            let tiles = shares.iter().filter(|other| *other == share).count();
            // Each on its tile and in the table.
            assert!(report.matches(&single(share)).count() >= 2 * tiles, "{language}: {share} is hidden");
        }
    }
}

#[test]
fn the_program_writes_the_report_of_a_stored_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample::stored(folder.path(), sample::coverage());
    let out = folder.path().join("report.pdf");
    let run = |snapshot: &str, out: &Path| {
        Command::new(env!("CARGO_BIN_EXE_qamtu-analytics"))
            .args(["report", "--campaign", "turkistan-2026", "--lang", "ru", "--snapshot", snapshot, "--out"])
            .arg(out)
            .env("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:9")
            .env("QAMTU__ANALYTICS__DIR", folder.path())
            .output()
            .unwrap()
    };
    let done = run("latest", &out);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let latest = std::fs::read(&out).unwrap();
    assert!(run(&snapshot.id.to_string(), &out).status.success());
    assert_eq!(latest, std::fs::read(&out).unwrap());
    assert!(plain(&latest).contains("Отчёт об охвате избирателей"));
    assert_eq!(run("aaaaaaaaaaaaaaaaaaaaaaaa", &out).status.code(), Some(1));
    assert_eq!(run("nonsense", &out).status.code(), Some(64));
}

//! The PDF: the same figures as the page, on one page, with its own fonts, whatever names hold.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "sample/sample.rs"]
mod sample;

use std::{path::Path, process::Command};

use qamtu_analytics::{
    access::{Reader, Role},
    locale::Language,
    published::Published,
    report,
    statement::{Figure, Statement, Table},
};
use serde_json::{Value, json};

fn said(coverage: Value, language: Language) -> (Published, Statement) {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample::kept(folder.path(), coverage);
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

fn rows<'a>(table: &'a Table, columns: &'a [&str]) -> impl Iterator<Item = &'a Figure> {
    table.rows.iter().chain(&table.total).flat_map(|row| {
        table.columns.iter().zip(&row.figures).skip(1).filter(|(column, _)| columns.contains(&column.key)).map(|(_, figure)| figure)
    })
}

#[test]
fn the_report_says_what_the_page_says() {
    for language in Language::ALL {
        let (published, statement) = said(sample::coverage(), language);
        let page = single(
            &qamtu_analytics::dashboard::page::page(&statement, &Default::default(), &qamtu_analytics::dashboard::Trouble::None)
                .into_string(),
        );
        let report = plain(&report::pdf(&published, &statement).unwrap());
        let headline = [&statement.headline.reached, &statement.headline.share];
        let figures = headline
            .into_iter()
            .chain(statement.cards.iter().map(|card| &card.figure))
            .chain(statement.map.tiles.iter().map(|tile| &tile.figure))
            .chain(rows(&statement.units, &["voters", "planned", "held", "gross", "residents", "coverage"]))
            .chain(rows(&statement.coalitions, &["held", "reached"]))
            .chain(statement.weeks.iter().flat_map(|weeks| &weeks.columns).flat_map(|week| [&week.to_date, &week.first]))
            .chain(statement.trust.rows.iter().map(|row| &row.figure));
        let mut compared = 0;
        for figure in figures {
            let text = single(&figure.text);
            assert!(page.contains(&text), "{language}: the page lacks {text}");
            assert!(report.contains(&text), "{language}: the report lacks {text}");
            compared += 1;
        }
        assert!(compared > 180, "{language}: {compared} figures compared");
        let headline = [&statement.headline.label, &statement.headline.denominator];
        let sentences = [&statement.campaign, &statement.as_of, &statement.map.title, &statement.definitions.place];
        for sentence in headline.into_iter().chain(sentences) {
            assert!(report.contains(&single(sentence)), "{language}: the report lacks {sentence}");
        }
    }
}

#[test]
fn one_page_with_its_own_fonts_tagged_and_archivable() {
    for language in Language::ALL {
        let (published, statement) = said(sample::coverage(), language);
        let pdf = report::pdf(&published, &statement).unwrap();
        let info = tool("pdfinfo", &[], &pdf);
        for line in ["Pages:           1", "Tagged:          yes", "(A4)"] {
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
        let (published, statement) = said(sample::coverage(), Language::Kk);
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
    let (published, statement) = said(coverage, Language::Ru);
    let report = plain(&report::pdf(&published, &statement).unwrap());
    for name in names.into_iter().chain(["#read(\"/etc/hostname\")", "#sys.inputs"]) {
        // Long names break between letters, so blanks are left out of the comparison.
        let squeezed = |text: &str| text.replace([' ', '\u{ad}'], "");
        assert!(squeezed(&report).contains(&squeezed(name)), "{name} is not printed as it stands:\n{report}");
    }
    assert!(!report.contains("root:"));
}

#[test]
fn letters_that_the_fonts_lack_become_question_marks() {
    let mut coverage = sample::coverage();
    for language in Language::ALL {
        coverage["coalitions"][0]["names"][language.to_string()] = json!("Ауыл 🏡 村");
    }
    for language in Language::ALL {
        let (published, statement) = said(coverage.clone(), language);
        let report = plain(&report::pdf(&published, &statement).unwrap());
        assert!(report.contains("Ауыл ? ?"), "{language}: {report}");
        assert!(statement.coalitions.rows.iter().any(|row| row.figures[0].text == "Ауыл 🏡 村"), "the page keeps the name");
    }
}

#[test]
fn a_small_campaign_is_set_too() {
    let mut coverage = sample::coverage();
    for table in ["coalitions", "categories", "weeks"] {
        coverage[table] = json!([]);
    }
    coverage["region"]["ceiling"] = Value::Null;
    coverage["campaign"]["planned_reach"] = json!(0);
    coverage["campaign"]["synthetic"] = json!(false);
    let (published, statement) = said(coverage, Language::En);
    let pdf = report::pdf(&published, &statement).unwrap();
    assert!(tool("pdfinfo", &[], &pdf).contains("Pages:           1"));
}

#[test]
fn the_program_writes_the_report_of_a_stored_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample::kept(folder.path(), sample::coverage());
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

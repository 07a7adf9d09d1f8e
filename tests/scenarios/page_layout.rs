//! The page of campaigns that differ from the demo, in a browser: at every width nothing overflows or overlaps and no accessibility rule
//! is violated; a link from a tile shows its table row; print and forced colours show the same map.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{Program, binary};
use qamtu_tests::browser::{Browser, Screen};
use serde_json::{Value, json};

use crate::{cases, sample};

/// Widths in CSS pixels: both sides of each breakpoint of the style sheet, and common screens.
const WIDTHS: [u32; 11] = [320, 360, 511, 700, 768, 769, 840, 900, 1024, 1025, 1440];

fn screen(width: u32) -> Screen {
    Screen { name: "screen", width, height: 900, dark: false }
}

/// Serves the page of a stored snapshot. The warehouse address is the discard port, where nothing listens, so the snapshot stays.
async fn served(coverage: Value, folder: &Path) -> Result<(Program, String)> {
    sample::stored(folder, coverage);
    let env = [
        ("QAMTU__ANALYTICS__DIR", folder.to_string_lossy().into_owned()),
        ("QAMTU__CLICKHOUSE__URL", "http://127.0.0.1:9".to_owned()),
        ("QAMTU__SERVE__LISTEN", "127.0.0.1:0".to_owned()),
        ("QAMTU__SERVE__METRICS", "127.0.0.1:0".to_owned()),
    ];
    let service =
        Program::start(Command::new(binary("qamtu-analytics")?).args(["serve", "--campaign", "turkistan-2026"]).envs(env)).await?;
    let address = service.ready_field("listening")?;
    Ok((service, address))
}

/// Script that lists layout faults: overflowing text, overlapping labels, invisible shares.
const LAYOUT_FAULTS: &str = r#"(() => {
    const faults = [], box = element => element.getBoundingClientRect();
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) faults.push(`the page is ${wide} pixels wider than the screen`);
    const chart = document.querySelector('svg.columns');
    const labels = chart ? [...chart.querySelectorAll('text')].filter(text => box(text).width > 0) : [];
    for (const [place, label] of labels.entries()) {
        const one = box(label), frame = box(chart);
        if (one.left < frame.left - 1 || one.right > frame.right + 1) faults.push(`${label.textContent} leaves the chart`);
        for (const next of labels.slice(place + 1)) {
            const other = box(next);
            const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
            const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
            if (across > 0.5 && down > 3) faults.push(`${label.textContent} covers ${next.textContent}`);
        }
    }
    for (const tile of document.querySelectorAll('.tile')) {
        const frame = box(tile), name = box(tile.querySelector('.name')), value = box(tile.querySelector('.value'));
        const inside = value.left > frame.left - 1 && value.right < frame.right + 1 && value.bottom < frame.bottom + 1;
        if (!inside || value.height < 8 || name.bottom > value.top + 1) faults.push(`the share of ${tile.textContent} cannot be seen`);
    }
    return faults;
})()"#;

#[tokio::test]
async fn nothing_overflows_or_overlaps_at_any_width_in_any_campaign() -> Result<()> {
    let browser = Browser::start().await?;
    for (name, coverage) in cases::all() {
        let folder = tempfile::tempdir()?;
        let (service, address) = served(coverage, folder.path()).await?;
        for language in ["kk", "ru", "en"] {
            browser.open(&format!("{address}/{language}"), screen(WIDTHS[0])).await?;
            browser.client.execute_async("const done = arguments[0]; document.fonts.ready.then(() => done())", Vec::new()).await?;
            for width in WIDTHS {
                browser.resize(screen(width)).await?;
                let faults = browser.value(LAYOUT_FAULTS).await?;
                ensure!(faults == json!([]), "{name} in {language} at {width} pixels: {faults}");
            }
        }
        let violations = browser.violations().await?;
        ensure!(violations.is_empty(), "{name}: axe-core found:\n{}", violations.join("\n"));
        service.stop().await?;
    }
    browser.client.close().await.map_err(Into::into)
}

/// Script that follows the link of each tile and lists the rows that are outside the screen or behind the table head.
const HIDDEN_ROWS: &str = r#"[...document.querySelectorAll('.tile')].map(tile => {
    location.hash = tile.getAttribute('href');
    const row = document.querySelector(':target').getBoundingClientRect(), head = document.querySelector('#units thead th');
    const covered = getComputedStyle(head).position === 'sticky' ? head.getBoundingClientRect().bottom : 0;
    return row.top < covered - 1 || row.bottom > innerHeight ? tile.textContent : null;
}).filter(Boolean)"#;

/// Script that counts the cells of the last row whose label is not above the number on a phone.
const JOINED: &str = r#"[...document.querySelectorAll('#units tfoot td')]
    .filter(cell => getComputedStyle(cell).flexDirection !== 'column' || getComputedStyle(cell).display !== 'flex').length"#;

/// Script that counts the different fills of the map's tiles.
const FILLS: &str = "new Set([...document.querySelectorAll('.tile')].map(tile => getComputedStyle(tile).backgroundColor)).size";

#[tokio::test]
async fn table_print_and_forced_colours_show_the_same_figures() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Without a name of the area, which is also part of the campaign's name, so that the search finds only the total's label.
    let mut coverage = sample::coverage();
    coverage["campaign"]["area"] = json!(null);
    let (service, address) = served(coverage, folder.path()).await?;
    let browser = Browser::start().await?;
    for language in ["kk", "ru", "en"] {
        let page = format!("{address}/{language}");
        for width in [360, 769, 1280] {
            browser.open(&page, screen(width)).await?;
            let hidden = browser.value(HIDDEN_ROWS).await?;
            ensure!(hidden == json!([]), "{language} at {width} pixels: rows are hidden behind the head: {hidden}");
        }
        browser.open(&page, screen(360)).await?;
        let joined = browser.value(JOINED).await?;
        ensure!(joined == 0, "{language}: {joined} numbers of the last row stand on one line with their labels");
        browser.open_with_media(&page, screen(1280), &[("forced-colors", "active")]).await?;
        let fills = browser.value(FILLS).await?;
        ensure!(fills == 5, "{language}: forced colours leave {fills} of 5 shades");
        browser.open(&page, screen(1280)).await?;
        prints_total_once_and_map_whole(&browser, folder.path()).await.with_context(|| language.to_owned())?;
    }
    browser.client.close().await?;
    service.stop().await?;
    Ok(())
}

/// The printed page has the total once and the whole map on one page.
async fn prints_total_once_and_map_whole(browser: &Browser, folder: &Path) -> Result<()> {
    let total = browser.value("document.querySelector('#units tfoot th').textContent").await?;
    let last = browser.value("[...document.querySelectorAll('.tile .value')].pop().textContent").await?;
    let path = folder.join("print.pdf");
    std::fs::write(&path, browser.print().await?)?;
    let text = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().context("pdftotext")?;
    let text = String::from_utf8(text.stdout)?.replace('\u{a0}', " ");
    let (total, last) = (total.as_str().context("a total")?, last.as_str().context("a share")?.replace('\u{a0}', " "));
    let totals = text.lines().filter(|line| line.contains(total)).count();
    ensure!(totals == 1, "the total is printed {totals} times");
    let map = browser.value("document.querySelector('.map h2').textContent").await?;
    let finding: String = map.as_str().context("a finding")?.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let page = text.split('\u{c}').find(|page| page.contains(&finding)).with_context(|| format!("no page has {finding}"))?;
    ensure!(page.contains(&last), "the map is cut: {last} is not on the page of {finding}");
    Ok(())
}

//! The demo's page in a real browser: on desktop and phone screens, with a dark colour scheme and by keyboard. The report has the same
//! figures, and Ctrl-C ends the demo.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{binary, wait};
use qamtu_tests::browser::{Browser, Screen};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};

const SCREENS: [Screen; 4] = [
    Screen { name: "desk", width: 1280, height: 900, dark: false },
    Screen { name: "desk-dark", width: 1280, height: 900, dark: true },
    Screen { name: "phone", width: 390, height: 844, dark: false },
    // A desktop screen at 400 % zoom (WCAG 2.2, 1.4.10).
    Screen { name: "narrow", width: 320, height: 640, dark: true },
];

/// Starts a demo that keeps running; returns it and the address of its page.
async fn demo(out: &Path) -> Result<(Child, String)> {
    let mut command = Command::new(binary("qamtu")?);
    command.args(["demo", "--seed", "7", "--dir"]).arg(out.join("demo")).arg("--out").arg(out);
    let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("standard error")?).lines();
    let mut output = String::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("Dashboard: ").and_then(|rest| rest.split_whitespace().next()) {
            let address = address.to_owned();
            // Later output is read too, so that the pipe never fills up.
            tokio::spawn(async move { lines.into_inner().read_to_end(&mut Vec::new()).await });
            return Ok((child, address));
        }
        output.push_str(&line);
        output.push('\n');
    }
    anyhow::bail!("the demo ended without a page: {output}")
}

#[tokio::test]
async fn the_demo_page_is_accessible_and_agrees_with_summary_and_report() -> Result<()> {
    let out = tempfile::tempdir()?;
    let (mut demo, address) = demo(out.path()).await?;
    let summary: Value = serde_json::from_slice(&std::fs::read(out.path().join("summary.json"))?)?;
    let browser = Browser::start().await?;
    for language in ["kk", "ru", "en"] {
        for screen in SCREENS {
            is_accessible(&browser, &format!("{address}/{language}"), screen)
                .await
                .with_context(|| format!("{language} on {}", screen.name))?;
        }
        shows_the_summary(&browser, &summary).await.with_context(|| language.to_owned())?;
        report_matches(&address, language, &summary, out.path()).await.with_context(|| language.to_owned())?;
    }
    sorts_by_keyboard(&browser, &format!("{address}/kk")).await?;
    browser.client.close().await?;
    ends_on_ctrl_c(&mut demo).await
}

/// The page has no accessibility violation, no horizontal overflow, no external resource and no message in the browser's log.
async fn is_accessible(browser: &Browser, address: &str, screen: Screen) -> Result<()> {
    browser.open(address, screen).await?;
    if let Some(folder) = std::env::var_os("QAMTU_PICTURES") {
        let name = format!("{}-{}.png", address.rsplit('/').next().unwrap_or_default(), screen.name);
        browser.screenshot(&Path::new(&folder).join(name)).await?;
    }
    let violations = browser.violations().await?;
    ensure!(violations.is_empty(), "axe-core found:\n{}", violations.join("\n"));
    let sideways = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth").await?;
    ensure!(sideways == 0, "the page is {sideways} pixels wider than the screen");
    let elsewhere =
        browser.value("performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))").await?;
    ensure!(elsewhere == serde_json::json!([]), "loaded from elsewhere: {elsewhere}");
    let log_messages = browser.log_messages().await?;
    ensure!(log_messages.is_empty(), "the browser logged: {log_messages:?}");
    Ok(())
}

/// The page shows the figures of the summary, in any grouping of digits.
async fn shows_the_summary(browser: &Browser, summary: &Value) -> Result<()> {
    let text = browser.value("document.body.innerText").await?;
    let digits = digits(text.as_str().unwrap_or_default());
    for figure in ["reached", "lower", "upper"] {
        let number = summary["audience"][figure].to_string();
        ensure!(digits.contains(&number), "the page does not say {figure} {number}");
    }
    let tiles = browser.value("document.querySelectorAll('.tile').length").await?;
    ensure!(tiles == 17, "{tiles} tiles");
    let rows = browser.value("document.querySelectorAll('#units tbody tr').length").await?;
    ensure!(rows == 17, "{rows} units");
    Ok(())
}

/// The report that the page offers has two pages and the same figures.
async fn report_matches(address: &str, language: &str, summary: &Value, folder: &Path) -> Result<()> {
    let path = folder.join(format!("offered-{language}.pdf"));
    let bytes = reqwest::get(format!("{address}/report/{language}.pdf")).await?.error_for_status()?.bytes().await?;
    std::fs::write(&path, &bytes)?;
    ensure!(bytes == std::fs::read(folder.join(format!("report-{language}.pdf")))?, "the page offers another report than the demo wrote");
    let text = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().await.context("pdftotext")?;
    let text = String::from_utf8(text.stdout)?;
    ensure!(text.matches('\u{c}').count() == 2, "the report has {} pages", text.matches('\u{c}').count());
    let reached = summary["audience"]["reached"].to_string();
    ensure!(digits(&text).contains(&reached), "the report does not say {reached}");
    Ok(())
}

/// A text without the blanks and commas that group its digits.
fn digits(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | ',')).collect()
}

/// Tab reaches every link with a visible focus, and Enter on a column heading sorts.
async fn sorts_by_keyboard(browser: &Browser, address: &str) -> Result<()> {
    browser.open(address, SCREENS[0]).await?;
    let links = browser.value("document.querySelectorAll('a[href], summary').length").await?.as_u64().context("links")?;
    let mut reached = 0;
    let mut sorted = false;
    for _ in 0..links {
        browser.press("Tab", 9).await?;
        let seen = browser
            .value("(() => { const a = document.activeElement, s = getComputedStyle(a); return ['A', 'SUMMARY'].includes(a.tagName) && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 && a.getBoundingClientRect().top < innerHeight; })()")
            .await?;
        let what = browser.value("document.activeElement.outerHTML").await?;
        ensure!(seen == true, "focus cannot be seen on {what}");
        reached += 1;
        if !sorted && browser.value("document.activeElement.matches('#units th:nth-child(2) a')").await? == true {
            sorted = true;
        }
    }
    ensure!(sorted && reached == links, "Tab reached {reached} of {links} links and summaries");
    browser.value("document.querySelector('#units th:nth-child(2) a').focus()").await?;
    browser.press("Enter", 13).await?;
    wait::until("the table to be sorted", std::time::Duration::from_secs(30), async || {
        let order = browser.value("document.querySelector('#units th:nth-child(2)').getAttribute('aria-sort')").await;
        match order {
            Ok(order) if order == "descending" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// Ctrl-C ends the demo with success.
async fn ends_on_ctrl_c(demo: &mut Child) -> Result<()> {
    let pid = demo.id().context("the demo has ended by itself")?.to_string();
    Command::new("kill").args(["-INT", &pid]).status().await?;
    let status = tokio::time::timeout(std::time::Duration::from_secs(60), demo.wait()).await.context("the demo did not end")??;
    ensure!(status.success(), "the demo ended with {status}");
    Ok(())
}

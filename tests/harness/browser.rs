//! A real browser: headless Chromium, controlled over WebDriver, with the accessibility rules of axe-core.
//!
//! `deploy/setup --test` installs Chromium and its driver and downloads axe-core. Browsers share nothing.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, bail};
use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use url::{ParseError, Url};

use qamtu_devstack::cache_dir;

/// A browser and its driver; both end when this is dropped.
pub struct Browser {
    /// WebDriver client of the browser.
    pub client: Client,
    axe: String,
    _driver: Child,
}

/// Viewport and colour scheme of a reader. Sizes are in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Name for error messages and screenshot files.
    pub name: &'static str,
    /// Width of the viewport.
    pub width: u32,
    /// Height of the viewport.
    pub height: u32,
    /// Whether the reader prefers a dark page.
    pub dark: bool,
}

impl Browser {
    /// Starts chromedriver on a free port, and a browser.
    pub async fn start() -> Result<Self> {
        let axe = cache_dir()?.join("axe-core/axe.min.js");
        let axe =
            std::fs::read_to_string(&axe).with_context(|| format!("{} is missing: `deploy/setup --test` fetches it", axe.display()))?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver is missing: `deploy/setup --test` installs it")?;
        let port = port(&mut driver).await?;
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ];
        let wanted = json!({"goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}});
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let client =
            builder.capabilities(wanted.as_object().cloned().unwrap_or_default()).connect(&format!("http://127.0.0.1:{port}")).await?;
        Ok(Self { client, axe, _driver: driver })
    }

    /// Opens an address with the viewport of a screen.
    pub async fn open(&self, address: &str, screen: Screen) -> Result<()> {
        self.open_with_media(address, screen, &[]).await
    }

    /// As [`Self::open`] with additional CSS media features, such as `("forced-colors", "active")`.
    pub async fn open_with_media(&self, address: &str, screen: Screen, media_features: &[(&str, &str)]) -> Result<()> {
        self.resize(screen).await?;
        let scheme = if screen.dark { "dark" } else { "light" };
        let features: Vec<Value> = [("prefers-color-scheme", scheme)]
            .iter()
            .chain(media_features)
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await?;
        self.client.goto(address).await.map_err(Into::into)
    }

    /// Evaluates a JavaScript expression in the page.
    pub async fn value(&self, expression: &str) -> Result<Value> {
        self.client.execute(&format!("return {expression}"), Vec::new()).await.with_context(|| expression.to_owned())
    }

    /// Violations that axe-core finds, by WCAG 2.2 to level AA and its best practices: rule, help and elements.
    pub async fn violations(&self) -> Result<Vec<String>> {
        self.client.execute(&self.axe, Vec::new()).await?;
        let tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
        let script =
            "const done = arguments[1]; axe.run(document, {runOnly: arguments[0]}).then(r => done(r.violations), e => done(String(e)))";
        let found = self.client.execute_async(script, vec![json!(tags)]).await?;
        let Value::Array(found) = found else { bail!("axe-core failed: {found}") };
        let place = |node: &Value| format!("{} ({})", node["target"][0], node["failureSummary"].as_str().unwrap_or("").replace('\n', " "));
        let line = |rule: &Value| {
            let places: Vec<String> = rule["nodes"].as_array().into_iter().flatten().take(3).map(place).collect();
            format!("{}: {}: {}", rule["id"], rule["help"], places.join("; "))
        };
        Ok(found.iter().map(line).collect())
    }

    /// Messages in the browser's log since the last call, such as blocked or failed requests.
    pub async fn log_messages(&self) -> Result<Vec<String>> {
        let log = self.client.issue_cmd(BrowserLog).await?;
        Ok(log.as_array().into_iter().flatten().map(|entry| entry["message"].to_string()).collect())
    }

    /// Writes a PNG screenshot of the whole page.
    pub async fn screenshot(&self, to: &Path) -> Result<()> {
        let taken = self.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true})).await?;
        let screenshot = taken["data"].as_str().context("no screenshot")?;
        std::fs::write(to, base64::Engine::decode(&base64::engine::general_purpose::STANDARD, screenshot)?).map_err(Into::into)
    }

    /// Changes the viewport without loading the page again.
    pub async fn resize(&self, screen: Screen) -> Result<()> {
        let size = json!({"width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        Ok(())
    }

    /// The page as the browser prints it: a PDF on A4 paper.
    pub async fn print(&self) -> Result<Vec<u8>> {
        let printed = self.devtools("Page.printToPDF", json!({"preferCSSPageSize": true})).await?;
        let pdf = printed["data"].as_str().context("nothing was printed")?;
        Ok(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, pdf)?)
    }

    /// Presses a key on the focused element.
    pub async fn press(&self, key: &str, code: u32) -> Result<()> {
        for kind in ["rawKeyDown", "keyUp"] {
            let text = if key == "Enter" && kind == "rawKeyDown" { "\r" } else { "" };
            let event = json!({"type": if text.is_empty() { kind } else { "keyDown" }, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.devtools("Input.dispatchKeyEvent", event).await?;
        }
        Ok(())
    }

    async fn devtools(&self, command: &str, params: Value) -> Result<Value> {
        self.client.issue_cmd(DevTools(json!({"cmd": command, "params": params}))).await.with_context(|| command.to_owned())
    }
}

/// The port that chromedriver prints at its start.
async fn port(driver: &mut Child) -> Result<u16> {
    let mut lines = BufReader::new(driver.stdout.take().context("standard output")?).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(port) = line.split("started successfully on port ").nth(1) {
            return port.trim_end_matches('.').trim().parse().context("the driver's port");
        }
    }
    bail!("chromedriver ended at once")
}

/// A command of the Chrome DevTools protocol.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

/// The WebDriver command that reads the browser's log.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

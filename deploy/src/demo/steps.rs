//! What the terminal shows while the demo works: a bar for every step, several at once; plain lines where there is no terminal.
//!
//! Guarantees: a finished step leaves one line with its time; nothing is drawn into a file or a pipe.

use std::{
    borrow::Cow,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use crate::warehouse::{FetchProgress, FetchStep};

/// All steps.
#[derive(Debug, Clone)]
pub struct Steps {
    bars: Option<MultiProgress>,
}

/// A step under way; dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct Step {
    name: &'static str,
    bar: ProgressBar,
    since: Instant,
    steps: Steps,
}

const NAME_WIDTH: usize = 24;

impl Steps {
    /// Bars on a terminal, lines elsewhere.
    pub fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Begins a step; without a total it only shows that it goes on.
    pub fn begin(&self, name: &'static str, total: Option<u64>) -> Step {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = self.bars.as_ref().map_or_else(ProgressBar::hidden, |bars| bars.add(bar));
        let template = if total.is_some() { "  {prefix} {bar:30} {human_pos}/{human_len}  {eta}" } else { "  {prefix} {spinner}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(format!("{name:NAME_WIDTH$}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Step { name, bar, since: Instant::now(), steps: self.clone() }
    }

    /// Shows how far the one-time download of ClickHouse is.
    pub fn fetch_progress(&self) -> FetchProgress {
        let steps = self.clone();
        let running_step: Mutex<Option<Step>> = Mutex::new(None);
        Arc::new(move |fetch| {
            let (name, done, total) = match fetch {
                FetchStep::Downloading { total } => ("Fetching ClickHouse", 0, total),
                FetchStep::Verifying { done, total } => ("Checking ClickHouse", done, total),
                FetchStep::Unpacking { done, total } => ("Unpacking ClickHouse", done, total),
                FetchStep::Ready => ("", 0, 0),
                FetchStep::Starting { seconds } => {
                    return steps.print_line(&format!("  ClickHouse is still loading its tables, {seconds} s so far"));
                }
            };
            let mut current = running_step.lock().unwrap_or_else(PoisonError::into_inner);
            if current.as_ref().is_some_and(|step| step.name != name)
                && let Some(step) = current.take()
            {
                step.done("");
            }
            if total > 0 {
                current.get_or_insert_with(|| steps.begin(name, Some(total))).set(done);
            }
        })
    }

    /// Says a line above the bars.
    pub fn print_line(&self, line: &str) {
        match &self.bars {
            // Where standard error is gone nobody reads it.
            Some(bars) => drop(bars.println(line)),
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }
}

impl Step {
    /// So much more is done.
    pub fn add(&self, number: u64) {
        self.bar.inc(number);
    }

    /// So much is done.
    pub fn set(&self, number: u64) {
        self.bar.set_position(number);
    }

    /// So much is to be done.
    pub fn total(&self, number: u64) {
        self.bar.set_length(number);
    }

    /// Ends with a word on what came of it.
    pub fn done(self, what: impl Into<Cow<'static, str>>) {
        let elapsed = self.since.elapsed();
        self.bar.finish_and_clear();
        self.steps.print_line(&format!("  {:NAME_WIDTH$} {:>6.1} s  {}", self.name, elapsed.as_secs_f64(), what.into()));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `1,195,000`.
pub fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

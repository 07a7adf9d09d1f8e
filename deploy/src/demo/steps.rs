//! Progress on the terminal: a bar for every running step; plain lines if standard error is no terminal.
//!
//! A finished step prints one line with its duration. Bars are never drawn into a file or a pipe.

use std::{
    borrow::Cow,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use qamtu_devstack::warehouse::{FetchProgress, FetchStep};

#[derive(Debug, Clone)]
pub struct Steps {
    bars: Option<MultiProgress>,
}

/// A running step; if it is dropped unfinished, its bar disappears.
#[derive(Debug)]
pub struct Step {
    name: &'static str,
    bar: ProgressBar,
    since: Instant,
    steps: Steps,
}

const NAME_WIDTH: usize = 24;

impl Steps {
    /// Shows bars on a terminal, lines elsewhere.
    pub fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Begins a step; without a total it shows a spinner.
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

    /// A callback that shows the progress of the one-time download of ClickHouse.
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

    pub fn print_line(&self, line: &str) {
        match &self.bars {
            // A closed standard error is ignored.
            Some(bars) => drop(bars.println(line)),
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }
}

impl Step {
    /// Advances the bar by a number of units.
    pub fn add(&self, number: u64) {
        self.bar.inc(number);
    }

    /// Sets the number of finished units.
    pub fn set(&self, number: u64) {
        self.bar.set_position(number);
    }

    /// Sets the total number of units.
    pub fn total(&self, number: u64) {
        self.bar.set_length(number);
    }

    /// Ends the step and prints its duration and result.
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

/// Formats a number with separators, such as `1,195,000`.
pub fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

//! Child processes: this test program started again in a role, so that it can be killed with SIGKILL.
//!
//! It gets the log's configuration as a service does, in `QAMTU__LOG__...` variables.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use figment::Figment;
use figment::providers::Env;
use qamtu_devstack::testing::{Program, start_broker};
use qamtu_log::{Delivery, LogConfig, Membership, open_reader, open_writer};

use crate::fixture::{self, LogFixture, member};

const ROLE: &str = "QAMTU_TEST_ROLE";

/// A child process and its printed lines; killed with SIGKILL when dropped.
pub struct TestProcess(Program);

impl TestProcess {
    /// Starts a process in a role, e.g. `append 10`.
    pub fn start(log: &LogFixture, role: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(["--exact", "process::run_role", "--nocapture", "--test-threads=1"]).env(ROLE, role);
        match &log.config {
            LogConfig::Embedded(config) => {
                command.env("QAMTU__LOG__KIND", "embedded").env("QAMTU__LOG__DIR", &config.dir);
            }
            LogConfig::Kafka(config) => {
                command.env("QAMTU__LOG__KIND", "kafka").env("QAMTU__LOG__BROKERS", &config.brokers);
                command.env("QAMTU__LOG__TOPIC_PREFIX", &config.topic_prefix).env("QAMTU__LOG__REPLICAS", "1");
                command.env("QAMTU__LOG__SESSION_TIMEOUT_MS", config.session_timeout_ms.to_string());
            }
        }
        Self(Program::spawn(&mut command).expect("process"))
    }

    /// Waits for a line with this prefix; returns the rest of it.
    pub fn wait_for(&self, word: &str) -> String {
        let lines = self.lines_until(word);
        lines.last().and_then(|line| line.strip_prefix(word)).expect("the line itself").trim().to_owned()
    }

    /// Every line up to the next one with this prefix.
    pub fn lines_until(&self, word: &str) -> Vec<String> {
        let deadline = Instant::now() + fixture::DEADLINE;
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.starts_with(word)) {
            let left = deadline.saturating_duration_since(Instant::now());
            lines.push(self.0.next_line(left).unwrap_or_else(|_| panic!("no line {word:?} came after {lines:?}")));
        }
        lines
    }

    /// Kills with SIGKILL and returns every line that was not read before.
    pub fn kill(self) -> Vec<String> {
        self.0.kill().expect("kill");
        self.0.remaining_lines()
    }

    /// Sends a signal by name, e.g. `STOP`.
    pub fn signal(&self, name: &str) {
        self.0.signal(name).expect("signal");
    }
}

/// Not a test by itself: the entry point of a child process. Without a role it returns at once.
#[test]
fn run_role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let config: LogConfig = Figment::from(Env::prefixed("QAMTU__").split("__")).extract_inner("log").expect("configuration");
    print_line("");
    fixture::run_test(async move {
        let mut words = role.split(' ');
        match words.next() {
            Some("append") => append(&config, words.next().expect("size").parse().expect("size")).await,
            Some("broker") => broker(words.next().expect("folder")),
            Some("hold") => own_partitions(&config).await,
            Some("read") => read(&config).await,
            _ => panic!("unknown role {role:?}"),
        }
    });
}

fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("output");
}

/// Appends in an endless loop; prints every acknowledged position.
async fn append(config: &LogConfig, size: u64) {
    let writer = open_writer(config).await.expect("writer");
    let run = uuid::Uuid::new_v4().simple().to_string();
    print_line("ready");
    for round in 0_u64.. {
        let entries = (0..size).map(|number| fixture::entry("events", &format!("{number}"), format!("{run}-{round}-{number}"))).collect();
        let lines = writer.append(entries).await.into_iter().enumerate().map(|(number, outcome)| {
            let position = outcome.expect("append");
            format!("ack {} {} {run}-{round}-{number}\n", position.partition.number, position.offset)
        });
        // One write, so that a kill can cut only the last line.
        print_line(lines.collect::<String>().trim_end());
    }
}

/// Starts a broker and waits to be killed.
fn broker(name: &str) {
    let broker = start_broker(name, 0).expect("broker");
    print_line(&format!("address {}", broker.address()));
    loop {
        std::thread::park();
    }
}

/// Owns all partitions and reads nothing.
async fn own_partitions(config: &LogConfig) {
    let mut reader = open_reader(config, fixture::options(&["events"], member(0, 1))).await.expect("reader");
    let Ok(Delivery::Assigned(partitions)) = reader.next().await else { panic!("no assignment") };
    print_line(&format!("assigned {}", partitions.len()));
    loop {
        let delivery = reader.next().await;
        print_line(&format!("delivery {delivery:?}"));
    }
}

/// Reads as the only member; prints each record, commits it, and prints the commit.
async fn read(config: &LogConfig) {
    let membership = Membership::Group { group: "projector".into(), member: 0, members: 1 };
    let options = qamtu_log::ReaderOptions { max_records: 10, ..fixture::options(&["events"], membership) };
    let mut reader = open_reader(config, options).await.expect("reader");
    loop {
        match reader.next().await.expect("delivery") {
            Delivery::Assigned(partitions) => {
                let at: Vec<_> = partitions.iter().map(|(partition, next)| partition.next_offset(next.unwrap_or(0))).collect();
                reader.start_at(&at).await.expect("start");
            }
            Delivery::Records(records) => {
                for record in &records {
                    print_line(&format!("got {} {}", record.partition.number, record.offset));
                }
                let last = records.last().expect("never empty");
                match reader.commit(&[last.partition.next_offset(last.offset + 1)]).await {
                    Ok(()) => print_line(&format!("committed {} {}", last.partition.number, last.offset + 1)),
                    Err(error) => print_line(&format!("refused {error}")),
                }
                // Slow enough to be killed in the middle.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Delivery::Revoked { partitions, lost } => {
                print_line(&format!("revoked {lost}"));
                reader.release(&partitions).await.expect("release");
            }
            Delivery::CaughtUp => print_line("caught up"),
        }
    }
}

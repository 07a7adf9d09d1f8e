//! Other processes: this test program started again in a role, so that it can be killed with -9.
//!
//! The log is given to it as a service would get it, by `QAMTU__LOG__...` variables.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use figment::Figment;
use figment::providers::Env;
use qamtu_log::{Delivery, LogConfig, Membership, open_reader, open_writer};

use crate::site::{self, Site, member};

const ROLE: &str = "QAMTU_TEST_ROLE";

/// Another process with its printed lines; killed with -9 when dropped.
pub struct Actor {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Actor {
    /// Starts a process in a role.
    pub fn start(site: &Site, role: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(["--exact", "actor::plays_its_role", "--nocapture", "--test-threads=1"]).env(ROLE, role);
        match &site.config {
            LogConfig::Embedded(config) => {
                command.env("QAMTU__LOG__KIND", "embedded").env("QAMTU__LOG__DIR", &config.dir);
            }
            LogConfig::Kafka(config) => {
                command.env("QAMTU__LOG__KIND", "kafka").env("QAMTU__LOG__BROKERS", &config.brokers);
                command.env("QAMTU__LOG__TOPIC_PREFIX", &config.topic_prefix).env("QAMTU__LOG__REPLICAS", "1");
                command.env("QAMTU__LOG__SESSION_TIMEOUT_MS", config.session_timeout_ms.to_string());
            }
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("process");
        let stdout = BufReader::new(child.stdout.take().expect("output"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// The rest of the next line that begins with this word.
    pub fn wait_for(&self, word: &str) -> String {
        let lines = self.lines_until(word);
        lines.last().and_then(|line| line.strip_prefix(word)).expect("the line itself").trim().to_owned()
    }

    /// Every line up to the next one that begins with this word.
    pub fn lines_until(&self, word: &str) -> Vec<String> {
        let deadline = Instant::now() + site::DEADLINE;
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line: &String| !line.starts_with(word)) {
            let left = deadline.saturating_duration_since(Instant::now());
            lines.push(self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no line {word:?} came after {lines:?}")));
        }
        lines
    }

    /// Kills with -9 and answers every whole line that had not been taken.
    pub fn kill(mut self) -> Vec<String> {
        self.end();
        self.lines.iter().collect()
    }

    /// Sends a signal by name, e.g. `STOP`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().expect("kill");
        assert!(status.success(), "kill -{name}");
    }

    fn end(&mut self) {
        // On Unix this is SIGKILL.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.end();
    }
}

/// Not a test by itself: what a started process does. Without a role it has nothing to do.
#[test]
fn plays_its_role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let config: LogConfig = Figment::from(Env::prefixed("QAMTU__").split("__")).extract_inner("log").expect("configuration");
    say("");
    site::run(async move {
        let mut words = role.split(' ');
        match words.next() {
            Some("append") => append(&config, words.next().expect("size").parse().expect("size")).await,
            Some("broker") => broker(words.next().expect("folder")),
            Some("hold") => hold(&config).await,
            Some("read") => read(&config).await,
            _ => panic!("unknown role {role:?}"),
        }
    });
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("output");
}

/// Appends for ever; says every position once it is acknowledged.
async fn append(config: &LogConfig, size: u64) {
    let writer = open_writer(config).await.expect("writer");
    let run = uuid::Uuid::new_v4().simple().to_string();
    say("ready");
    for round in 0_u64.. {
        let entries = (0..size).map(|number| site::entry("events", &format!("{number}"), format!("{run}-{round}-{number}"))).collect();
        let lines = writer.append(entries).await.into_iter().enumerate().map(|(number, outcome)| {
            let position = outcome.expect("append");
            format!("ack {} {} {run}-{round}-{number}\n", position.partition.number, position.offset)
        });
        // One write, so that a kill leaves whole lines and perhaps a part of the last.
        say(lines.collect::<String>().trim_end());
    }
}

/// Has a broker and waits to be killed.
fn broker(name: &str) {
    let broker = site::start_broker(name).expect("broker");
    say(&format!("address {}", broker.address()));
    loop {
        std::thread::park();
    }
}

/// Owns everything and does nothing.
async fn hold(config: &LogConfig) {
    let mut reader = open_reader(config, site::options(&["events"], member(0, 1))).await.expect("reader");
    let Ok(Delivery::Assigned(partitions)) = reader.next().await else { panic!("no assignment") };
    say(&format!("assigned {}", partitions.len()));
    loop {
        let delivery = reader.next().await;
        say(&format!("delivery {delivery:?}"));
    }
}

/// Reads as the only member; says what it got, then commits it and says that.
async fn read(config: &LogConfig) {
    let membership = Membership::Group { group: "projector".into(), member: 0, members: 1 };
    let options = qamtu_log::ReaderOptions { max_records: 10, ..site::options(&["events"], membership) };
    let mut reader = open_reader(config, options).await.expect("reader");
    loop {
        match reader.next().await.expect("delivery") {
            Delivery::Assigned(partitions) => {
                let at: Vec<_> = partitions.iter().map(|(partition, next)| partition.next_offset(next.unwrap_or(0))).collect();
                reader.start_at(&at).await.expect("start");
            }
            Delivery::Records(records) => {
                for record in &records {
                    say(&format!("got {} {}", record.partition.number, record.offset));
                }
                let last = records.last().expect("never empty");
                match reader.commit(&[last.partition.next_offset(last.offset + 1)]).await {
                    Ok(()) => say(&format!("committed {} {}", last.partition.number, last.offset + 1)),
                    Err(error) => say(&format!("refused {error}")),
                }
                // Slow enough to be killed in the middle.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Delivery::Revoked { partitions, lost } => {
                say(&format!("revoked {lost}"));
                reader.release(&partitions).await.expect("release");
            }
            Delivery::CaughtUp => say("caught up"),
        }
    }
}

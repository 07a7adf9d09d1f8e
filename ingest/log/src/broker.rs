//! Starts a real Apache Kafka broker on this machine: for tests, and for `--kafka local`.
//!
//! One combined KRaft node on loopback. Needs Java 17 or newer, and Maven once to fetch Kafka. The broker
//! ends with this process however that ends, because a small shell holds the other end of a pipe.
//! With one copy of everything it keeps what it acknowledged when it is killed, not when the power fails.

mod jars;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a broker may take to answer.
const START: Duration = Duration::from_secs(120);
/// How long a broker may take to stop in order.
const STOP: Duration = Duration::from_secs(30);
/// How often a start is tried again when somebody else took the port meanwhile.
const ATTEMPTS: u32 = 3;

/// How to start a broker.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Folder of the broker's data and logs; kept between starts.
    pub dir: PathBuf,
    /// Folder where Kafka's own jars are kept, e.g. `~/.cache/qamtu/kafka`.
    pub cache_dir: PathBuf,
    /// Port on loopback; 0 takes a free one.
    pub port: u16,
    /// Java heap in MB.
    pub heap_mb: u32,
}

/// What goes beyond a plain broker: encryption and logins.
#[derive(Debug, Clone, Default)]
pub struct BrokerExtras {
    /// Lines of `server.properties` that are added to ours and win over them; `{port}` is the broker's port.
    pub settings: Vec<(String, String)>,
    /// Users with passwords for SCRAM-SHA-512, known from the first start of a folder on.
    pub scram_users: Vec<(String, String)>,
}

/// A running broker; it ends when this is dropped, and with this process however that ends.
#[derive(Debug)]
pub struct Broker {
    port: u16,
    guard: Child,
    dir: PathBuf,
}

impl Broker {
    /// Starts a broker and waits until it answers; blocks (minutes, when Kafka must be fetched first).
    pub fn start(options: BrokerOptions) -> Result<Self, BrokerError> {
        Self::start_with(options, &BrokerExtras::default())
    }

    /// The same with encryption or logins.
    pub fn start_with(options: BrokerOptions, extras: &BrokerExtras) -> Result<Self, BrokerError> {
        let java = find_java()?;
        let jars = jars::folder(&options.cache_dir)?;
        fs::create_dir_all(&options.dir).map_err(|error| BrokerError::io(&options.dir, error))?;
        let dir = options.dir.canonicalize().map_err(|error| BrokerError::io(&options.dir, error))?;
        let plan = Plan { java, jars, dir, heap_mb: options.heap_mb };
        let mut attempt = 1;
        loop {
            let started = plan.start(options.port, extras);
            match started {
                Err(BrokerError::Exited { ref line, .. }) if options.port == 0 && attempt < ATTEMPTS && line.contains("in use") => {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Address for clients, e.g. `127.0.0.1:49152`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops in order and waits for the end.
    pub fn stop(mut self) -> Result<(), BrokerError> {
        self.order("stop")?;
        let deadline = Instant::now() + STOP;
        while self.guard.try_wait().map_err(|error| BrokerError::io(&self.dir, error))?.is_none() {
            if Instant::now() > deadline {
                return Err(BrokerError::Silent { seconds: STOP.as_secs(), log: self.dir.join("broker.log") });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Freezes the process, as a stalled machine would.
    pub fn pause(&mut self) -> Result<(), BrokerError> {
        self.order("pause")
    }

    /// Lets a frozen process go on.
    pub fn resume(&mut self) -> Result<(), BrokerError> {
        self.order("resume")
    }

    fn order(&mut self, order: &str) -> Result<(), BrokerError> {
        let pipe = self.guard.stdin.as_mut();
        let written = pipe.map_or(Ok(()), |pipe| writeln!(pipe, "{order}"));
        written.map_err(|error| BrokerError::io(&self.dir, error))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The end of the pipe is the order to kill.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Everything a start needs.
struct Plan {
    java: PathBuf,
    jars: PathBuf,
    dir: PathBuf,
    heap_mb: u32,
}

impl Plan {
    fn start(&self, port: u16, extras: &BrokerExtras) -> Result<Broker, BrokerError> {
        let (broker, controller) = (claim(port)?, claim(0)?);
        let ports = (port_of(&broker)?, port_of(&controller)?);
        self.write("server.properties", &self.settings(ports, extras))?;
        self.write("log4j2.properties", &self.logging())?;
        let cluster = self.cluster(extras)?;
        // What the last start wrote must not be taken for this one's.
        let _ = fs::remove_file(self.dir.join("broker.log"));
        let mut command = self.java(&format!("-Xmx{}m", self.heap_mb));
        command.args(["kafka.Kafka", "server.properties"]);
        drop((broker, controller));
        let guard = self.guarded(command)?;
        let mut broker = Broker { port: ports.0, guard, dir: self.dir.clone() };
        self.wait(&mut broker, &cluster, extras).map(|()| broker)
    }

    fn settings(&self, (broker, controller): (u16, u16), extras: &BrokerExtras) -> String {
        let data = self.dir.join("data");
        let ours = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             # Static, so that the ports may be others at the next start.\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{broker}\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL\n\
             log.dirs={data}\n\
             log.retention.ms=-1\n\
             auto.create.topics.enable=false\n\
             # One node: one copy, and few internal partitions for a quick start.\n\
             offsets.topic.replication.factor=1\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             transaction.state.log.num.partitions=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             log.cleaner.dedupe.buffer.size=16777216\n\
             group.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=1000\n",
            data = data.display(),
        );
        extras.settings.iter().fold(ours, |lines, (name, value)| {
            lines + &format!("{name}={}\n", value.replace("{port}", &broker.to_string()).replace("{controller}", &controller.to_string()))
        })
    }

    fn logging(&self) -> String {
        format!(
            "appender.file.type=File\n\
             appender.file.name=file\n\
             appender.file.fileName={}\n\
             appender.file.append=false\n\
             appender.file.layout.type=PatternLayout\n\
             appender.file.layout.pattern=%d{{ISO8601}} %p %m (%c)%n%throwable{{3}}\n\
             rootLogger.level=INFO\n\
             rootLogger.appenderRef.file.ref=file\n",
            self.dir.join("broker.log").display()
        )
    }

    fn write(&self, name: &str, text: &str) -> Result<(), BrokerError> {
        let path = self.dir.join(name);
        fs::write(&path, text).map_err(|error| BrokerError::io(&path, error))
    }

    /// Id of the cluster in this folder; formats the folder at the first start.
    fn cluster(&self, extras: &BrokerExtras) -> Result<String, BrokerError> {
        let path = self.dir.join("data/meta.properties");
        if let Ok(text) = fs::read_to_string(&path) {
            let id = text.lines().find_map(|line| line.strip_prefix("cluster.id="));
            return id.map(str::to_owned).ok_or(BrokerError::Format { reason: format!("{} names no cluster", path.display()) });
        }
        // Kafka wants 16 bytes in base 64 without padding; hexadecimal digits are a part of its alphabet.
        let id = format!("{}A", &uuid::Uuid::new_v4().simple().to_string()[..21]);
        let mut command = self.java("-XX:TieredStopAtLevel=1");
        command.args(["kafka.tools.StorageTool", "format", "--cluster-id", &id, "--config", "server.properties"]);
        for (user, password) in &extras.scram_users {
            command.arg("--add-scram").arg(format!("SCRAM-SHA-512=[name={user},password={password}]"));
        }
        let output = command.stdin(Stdio::null()).output().map_err(|error| BrokerError::io(&self.java, error))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            return Err(BrokerError::Format { reason: text.lines().next().unwrap_or("no reason was given").to_owned() });
        }
        Ok(id)
    }

    fn java(&self, option: &str) -> Command {
        let mut command = Command::new(&self.java);
        command.arg(option).arg("-Djava.awt.headless=true");
        command.arg("-Dlog4j2.configurationFile=log4j2.properties").arg("-cp").arg(self.jars.join("*")).current_dir(&self.dir);
        command
    }

    /// The same command below the shell that never lets it outlive us.
    fn guarded(&self, command: Command) -> Result<Child, BrokerError> {
        let path = self.dir.join("broker.out");
        let out = File::create(&path).map_err(|error| BrokerError::io(&path, error))?;
        let err = out.try_clone().map_err(|error| BrokerError::io(&path, error))?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(include_str!("broker/guard.sh")).arg("qamtu-broker").arg(command.get_program()).args(command.get_args());
        // A group of its own, so that Ctrl-C at the terminal reaches us first and we stop it in order.
        shell.current_dir(&self.dir).stdin(Stdio::piped()).stdout(out).stderr(err).process_group(0);
        shell.spawn().map_err(|error| BrokerError::io(Path::new("/bin/sh"), error))
    }

    /// Waits until the broker answers with its own cluster id (somebody else may sit on the port).
    fn wait(&self, broker: &mut Broker, cluster: &str, extras: &BrokerExtras) -> Result<(), BrokerError> {
        let deadline = Instant::now() + START;
        let log = self.dir.join("broker.log");
        let probe = crate::kafka::Probe::new(&broker.address());
        while Instant::now() < deadline {
            if broker.guard.try_wait().map_err(|error| BrokerError::io(&self.dir, error))?.is_some() {
                return Err(BrokerError::Exited { line: self.last_error(), log });
            }
            // A broker that asks for a login does not answer a stranger; its log says when it has started.
            let started = if extras.settings.is_empty() { probe.cluster_id().as_deref() == Some(cluster) } else { self.says_started() };
            if started {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(BrokerError::Silent { seconds: START.as_secs(), log })
    }

    fn says_started(&self) -> bool {
        fs::read_to_string(self.dir.join("broker.log")).is_ok_and(|text| text.contains("Kafka Server started"))
    }

    fn last_error(&self) -> String {
        let text = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let (log, out) = (text("broker.log"), text("broker.out"));
        let line = log.lines().rfind(|line| line.contains(" ERROR ") || line.contains("Exception")).or(out.lines().last());
        line.unwrap_or("no reason was given").to_owned()
    }
}

/// A listener that keeps a port until the broker takes it.
fn claim(port: u16) -> Result<TcpListener, BrokerError> {
    TcpListener::bind(("127.0.0.1", port)).map_err(|error| BrokerError::Port { port, reason: error.to_string() })
}

fn port_of(listener: &TcpListener) -> Result<u16, BrokerError> {
    Ok(listener.local_addr().map_err(|error| BrokerError::Port { port: 0, reason: error.to_string() })?.port())
}

/// A Java that can run Kafka: `JAVA_HOME` first, then `PATH`.
fn find_java() -> Result<PathBuf, BrokerError> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let java = home.filter(|java| java.is_file()).unwrap_or_else(|| "java".into());
    let output = Command::new(&java).arg("-version").stdin(Stdio::null()).output().map_err(|_| BrokerError::NoJava)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match java_version(&text) {
        Some(version) if version >= 17 => Ok(java),
        Some(version) => Err(BrokerError::OldJava { version }),
        None => Err(BrokerError::NoJava),
    }
}

/// First number of the version in what `java -version` prints.
fn java_version(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    quoted.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok()
}

/// Why a broker could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// No Java was found.
    #[error("a local Kafka broker needs Java 17 or newer: install openjdk-17-jre-headless")]
    NoJava,
    /// The Java that was found is too old.
    #[error("a local Kafka broker needs Java 17 or newer, found {version}: install openjdk-17-jre-headless")]
    OldJava {
        /// Its version.
        version: u32,
    },
    /// No Maven was found, and Kafka was not fetched before.
    #[error("fetching Apache Kafka needs Maven once: install maven")]
    NoMaven,
    /// Kafka could not be fetched.
    #[error("Apache Kafka could not be fetched: {reason}")]
    Fetch {
        /// What Maven said.
        reason: String,
    },
    /// The port cannot be used.
    #[error("port {port} cannot be used by the local Kafka broker: {reason}")]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        reason: String,
    },
    /// The folder could not be made a broker's.
    #[error("the folder of the local Kafka broker cannot be used: {reason}")]
    Format {
        /// What Kafka said.
        reason: String,
    },
    /// The broker ended by itself.
    #[error("the local Kafka broker ended at once: {line} (all of it in {})", log.display())]
    Exited {
        /// Its last complaint.
        line: String,
        /// Its log.
        log: PathBuf,
    },
    /// The broker did not do it in time.
    #[error("the local Kafka broker did not answer within {seconds} s (see {})", log.display())]
    Silent {
        /// How long it was given.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A file or program cannot be used.
    #[error("{} cannot be used by the local Kafka broker", path.display())]
    Io {
        /// The file or program.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
}

impl BrokerError {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_versions_that_java_prints() {
        assert_eq!(java_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(java_version("java version \"1.8.0_292\""), Some(1));
        assert_eq!(java_version("openjdk version \"24\" 2025-03-18"), Some(24));
        assert_eq!(java_version("no java here"), None);
    }
}

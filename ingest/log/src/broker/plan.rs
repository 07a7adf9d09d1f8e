//! One start of a broker: its files, its format, its process, and the wait until it answers.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Broker, BrokerError, BrokerExtras};

/// How long a broker may take to answer.
const START: Duration = Duration::from_secs(120);

/// Everything a start needs.
pub(super) struct Plan {
    pub(super) java: PathBuf,
    pub(super) jars: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) heap_mb: u32,
}

impl Plan {
    /// Starts on this port, or on a free one.
    pub(super) fn start(&self, port: u16, extras: &BrokerExtras) -> Result<Broker, BrokerError> {
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
             group.initial.rebalance.delay.ms=0\n",
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
        shell.arg("-c").arg(include_str!("guard.sh")).arg("qamtu-broker").arg(command.get_program()).args(command.get_args());
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

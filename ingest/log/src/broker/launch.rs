//! Launches a broker: configuration files, storage format, process, and the wait until it responds.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Broker, BrokerError, BrokerOverrides};

/// How long a broker may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// Paths and memory for one launch.
pub(super) struct BrokerLaunch {
    pub(super) java: PathBuf,
    pub(super) jars: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) heap_mb: u32,
}

impl BrokerLaunch {
    /// Starts on this port; 0: on a free one.
    pub(super) fn start(&self, port: u16, overrides: &BrokerOverrides) -> Result<Broker, BrokerError> {
        let (broker, controller) = (reserve_port(port)?, reserve_port(0)?);
        let ports = (port_of(&broker)?, port_of(&controller)?);
        self.write("server.properties", &self.settings(ports, overrides))?;
        self.write("log4j2.properties", &self.logging())?;
        let cluster = self.cluster_id(overrides)?;
        // The log file of the last start must not be mistaken for this one's.
        let _ = fs::remove_file(self.dir.join("broker.log"));
        let mut command = self.java(&format!("-Xmx{}m", self.heap_mb));
        command.args(["kafka.Kafka", "server.properties"]);
        drop((broker, controller));
        let process = self.spawn_supervised(command)?;
        let mut broker = Broker { port: ports.0, process, dir: self.dir.clone() };
        self.wait_until_started(&mut broker, &cluster, overrides).map(|()| broker)
    }

    fn settings(&self, (broker, controller): (u16, u16), overrides: &BrokerOverrides) -> String {
        let data = self.dir.join("data");
        let defaults = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             # Static, so that the ports may differ at the next start.\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{broker}\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL\n\
             log.dirs={data}\n\
             log.retention.ms=-1\n\
             auto.create.topics.enable=false\n\
             # One node: replication factor 1, and few internal partitions for a quick start.\n\
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
        overrides.settings.iter().fold(defaults, |lines, (name, value)| {
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

    /// Cluster id of this folder; formats the storage at the first start.
    fn cluster_id(&self, overrides: &BrokerOverrides) -> Result<String, BrokerError> {
        let path = self.dir.join("data/meta.properties");
        if let Ok(text) = fs::read_to_string(&path) {
            let id = text.lines().find_map(|line| line.strip_prefix("cluster.id="));
            return id.map(str::to_owned).ok_or(BrokerError::Format { reason: format!("{} names no cluster", path.display()) });
        }
        // Kafka requires 16 bytes in base 64 without padding; hexadecimal digits are a part of its alphabet.
        let id = format!("{}A", &uuid::Uuid::new_v4().simple().to_string()[..21]);
        let mut command = self.java("-XX:TieredStopAtLevel=1");
        command.args(["kafka.tools.StorageTool", "format", "--cluster-id", &id, "--config", "server.properties"]);
        for (user, password) in &overrides.scram_users {
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

    /// Runs the command under a shell script that kills it when this process ends.
    fn spawn_supervised(&self, command: Command) -> Result<Child, BrokerError> {
        let path = self.dir.join("broker.out");
        let out = File::create(&path).map_err(|error| BrokerError::io(&path, error))?;
        let err = out.try_clone().map_err(|error| BrokerError::io(&path, error))?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(include_str!("guard.sh")).arg("qamtu-broker").arg(command.get_program()).args(command.get_args());
        // A process group of its own, so that Ctrl-C at the terminal reaches only this process, which stops the broker gracefully.
        shell.current_dir(&self.dir).stdin(Stdio::piped()).stdout(out).stderr(err).process_group(0);
        shell.spawn().map_err(|error| BrokerError::io(Path::new("/bin/sh"), error))
    }

    /// Waits until the broker responds with its own cluster id (another process may have the port).
    fn wait_until_started(&self, broker: &mut Broker, cluster: &str, overrides: &BrokerOverrides) -> Result<(), BrokerError> {
        let deadline = Instant::now() + START_TIMEOUT;
        let log = self.dir.join("broker.log");
        let probe = crate::kafka::ClusterProbe::new(&broker.address());
        while Instant::now() < deadline {
            if broker.process.try_wait().map_err(|error| BrokerError::io(&self.dir, error))?.is_some() {
                return Err(BrokerError::Exited { line: self.last_error(), log });
            }
            // With authentication the probe gets no response, so the broker's log must say that it has started.
            let started =
                if overrides.settings.is_empty() { probe.cluster_id().as_deref() == Some(cluster) } else { self.has_logged_start() };
            if started {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(BrokerError::Timeout { seconds: START_TIMEOUT.as_secs(), log })
    }

    fn has_logged_start(&self) -> bool {
        fs::read_to_string(self.dir.join("broker.log")).is_ok_and(|text| text.contains("Kafka Server started"))
    }

    fn last_error(&self) -> String {
        let text = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let (log, out) = (text("broker.log"), text("broker.out"));
        let line = log.lines().rfind(|line| line.contains(" ERROR ") || line.contains("Exception")).or(out.lines().last());
        line.unwrap_or("no reason was given").to_owned()
    }
}

/// Reserves a port with a listener until the broker takes it.
fn reserve_port(port: u16) -> Result<TcpListener, BrokerError> {
    TcpListener::bind(("127.0.0.1", port)).map_err(|error| BrokerError::Port { port, reason: error.to_string() })
}

fn port_of(listener: &TcpListener) -> Result<u16, BrokerError> {
    Ok(listener.local_addr().map_err(|error| BrokerError::Port { port: 0, reason: error.to_string() })?.port())
}

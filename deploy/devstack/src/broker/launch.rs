//! Launches a broker: configuration files, storage format, process, and the wait until it responds.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Broker, BrokerOverrides};
use crate::error::DevstackError;
use crate::guard;

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
    pub(super) fn start(&self, port: u16, overrides: &BrokerOverrides) -> Result<Broker, DevstackError> {
        let (broker, controller) = (reserve_port(port)?, reserve_port(0)?);
        let ports = (port_of(&broker)?, port_of(&controller)?);
        self.write("server.properties", &self.settings(ports, overrides))?;
        self.write("log4j2.properties", &self.logging())?;
        self.format_storage(overrides)?;
        // The log file of the last start must not be mistaken for this one's.
        let _ = fs::remove_file(self.dir.join("broker.log"));
        let mut command = self.java(&format!("-Xmx{}m", self.heap_mb));
        command.args(["kafka.Kafka", "server.properties"]);
        drop((broker, controller));
        let process = self.spawn(&command)?;
        let mut broker = Broker { port: ports.0, process, dir: self.dir.clone() };
        self.wait_until_started(&mut broker).map(|()| broker)
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

    fn write(&self, name: &str, text: &str) -> Result<(), DevstackError> {
        let path = self.dir.join(name);
        fs::write(&path, text).map_err(|error| DevstackError::file(&path, error))
    }

    /// Formats the storage at the first start in this folder.
    fn format_storage(&self, overrides: &BrokerOverrides) -> Result<(), DevstackError> {
        if self.dir.join("data/meta.properties").exists() {
            return Ok(());
        }
        // Kafka requires 16 bytes in base 64 without padding; hexadecimal digits are a part of its alphabet.
        let id = format!("{}A", &uuid::Uuid::new_v4().simple().to_string()[..21]);
        let mut command = self.java("-XX:TieredStopAtLevel=1");
        command.args(["kafka.tools.StorageTool", "format", "--cluster-id", &id, "--config", "server.properties"]);
        for (user, password) in &overrides.scram_users {
            command.arg("--add-scram").arg(format!("SCRAM-SHA-512=[name={user},password={password}]"));
        }
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|source| DevstackError::Spawn { program: self.java.clone(), source })?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            return Err(DevstackError::Format { reason: text.lines().next().unwrap_or("no reason was given").to_owned() });
        }
        Ok(())
    }

    fn java(&self, option: &str) -> Command {
        let mut command = Command::new(&self.java);
        command.arg(option).arg("-Djava.awt.headless=true");
        command.arg("-Dlog4j2.configurationFile=log4j2.properties").arg("-cp").arg(self.jars.join("*")).current_dir(&self.dir);
        command
    }

    fn spawn(&self, server: &Command) -> Result<Child, DevstackError> {
        let path = self.dir.join("broker.out");
        let out = File::create(&path).map_err(|error| DevstackError::file(&path, error))?;
        let err = out.try_clone().map_err(|error| DevstackError::file(&path, error))?;
        let mut guarded = guard::command(server.get_program());
        guarded.args(server.get_args()).current_dir(&self.dir).stdout(out).stderr(err);
        guarded.spawn().map_err(|source| DevstackError::Spawn { program: "/bin/sh".into(), source })
    }

    /// Waits until the broker's own log says that it serves its port.
    fn wait_until_started(&self, broker: &mut Broker) -> Result<(), DevstackError> {
        let deadline = Instant::now() + START_TIMEOUT;
        let log = self.dir.join("broker.log");
        while Instant::now() < deadline {
            if broker.process.try_wait().map_err(|error| DevstackError::file(&self.dir, error))?.is_some() {
                return Err(DevstackError::Ended { program: "the local Kafka broker", reason: self.last_error(), log });
            }
            if fs::read_to_string(&log).is_ok_and(|text| text.contains("Kafka Server started")) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(DevstackError::Timeout { seconds: START_TIMEOUT.as_secs(), log })
    }

    fn last_error(&self) -> String {
        let text = |name: &str| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let (log, out) = (text("broker.log"), text("broker.out"));
        let line = log
            .lines()
            .rfind(|line| line.contains(" ERROR ") || line.contains("Exception"))
            .or(out.lines().rfind(|line| !line.starts_with("pid ")));
        line.unwrap_or("no reason was given").to_owned()
    }
}

/// Reserves a port with a listener until the broker takes it.
fn reserve_port(port: u16) -> Result<TcpListener, DevstackError> {
    TcpListener::bind(("127.0.0.1", port)).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => DevstackError::PortTaken { port },
        _ => no_listener(source),
    })
}

fn port_of(listener: &TcpListener) -> Result<u16, DevstackError> {
    Ok(listener.local_addr().map_err(no_listener)?.port())
}

fn no_listener(source: io::Error) -> DevstackError {
    DevstackError::Spawn { program: "a listener on 127.0.0.1".into(), source }
}

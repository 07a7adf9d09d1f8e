//! Errors of the local servers. Each message is one line with the file or setting and how to fix the problem.

use std::path::{Path, PathBuf};

/// Why a server did not start, or did not stop.
#[derive(Debug, thiserror::Error)]
pub enum DevstackError {
    /// A setting is missing or wrong.
    #[error("{name}: {reason}")]
    Configuration {
        /// The environment variable or option.
        name: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The folder cannot be created, read or written.
    #[error("the warehouse folder {} cannot be used", dir.display())]
    Folder {
        /// Path of the warehouse folder.
        dir: PathBuf,
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// Another launcher serves this folder.
    #[error("the warehouse folder {} is in use by process {owner}; stop that one or take another folder", dir.display())]
    InUse {
        /// Path of the warehouse folder.
        dir: PathBuf,
        /// Its process id as written in the lock file, or `unknown`.
        owner: String,
    },
    /// The folder has files that no launcher created.
    #[error("{} is not empty and holds no Qamtu warehouse; give an empty or a new folder", dir.display())]
    NotAWarehouse {
        /// Path of the rejected folder.
        dir: PathBuf,
    },
    /// The tables were written by another version of ClickHouse.
    #[error(
        "the warehouse folder {} was written by {found}, this is {expected}; start with that version, or delete the folder: \
         the projector fills a new one from the event log", dir.display()
    )]
    OtherVersion {
        /// Path of the warehouse folder.
        dir: PathBuf,
        /// Version that wrote the folder.
        found: String,
        /// Version that was about to open it.
        expected: String,
    },
    /// ClickHouse refuses to load the tables of the folder.
    #[error(
        "the warehouse folder {} is damaged: {reason}; delete it, the projector fills a new one from the event log (details: {})",
        dir.display(), log.display()
    )]
    Damaged {
        /// Path of the warehouse folder.
        dir: PathBuf,
        /// Error message of ClickHouse, shortened.
        reason: String,
        /// File with the full output.
        log: PathBuf,
    },
    /// A fixed port is taken.
    #[error("port {port} on 127.0.0.1 is taken by another program; free it or choose another port")]
    PortTaken {
        /// The port asked for.
        port: u16,
    },
    /// No engine library is pinned for this machine.
    #[error(
        "no ClickHouse engine is pinned for {platform}; install ClickHouse so that `clickhouse` is on PATH, \
         or set QAMTU__CLICKHOUSE__URL"
    )]
    UnknownPlatform {
        /// Operating system and processor.
        platform: String,
    },
    /// `npm` is not installed, which the one-time download needs.
    #[error(
        "npm is needed to fetch the ClickHouse engine and is not on PATH; install Node.js with npm, or put {file} \
         into {}, or set QAMTU__CLICKHOUSE__URL", folder.display()
    )]
    NpmMissing {
        /// The archive that would be downloaded.
        file: String,
        /// Folder in which it is searched.
        folder: PathBuf,
    },
    /// No Maven is on PATH, which the one-time download of Kafka needs.
    #[error("fetching Apache Kafka needs Maven once: install maven")]
    NoMaven,
    /// A package was not downloaded, or is not the pinned one.
    #[error("{package} could not be fetched: {reason}; check the network or the registry and start again")]
    Fetch {
        /// Name and version of the package.
        package: String,
        /// The error that npm or Maven printed.
        reason: String,
    },
    /// The archive does not have the pinned hash.
    #[error(
        "{} has the hash {found}, pinned is {pinned}; nothing of it was used: delete it and start again, and if it comes \
         back do not trust its source", file.display()
    )]
    WrongHash {
        /// Path of the archive.
        file: PathBuf,
        /// Hash of the archive.
        found: String,
        /// The hash it must have.
        pinned: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{} cannot be used", path.display())]
    File {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system or of the archive reader.
        #[source]
        source: std::io::Error,
    },
    /// A program could not be started, or a listener not be opened.
    #[error("{} cannot be started", program.display())]
    Spawn {
        /// Path of the program.
        program: PathBuf,
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The serving process could not drop its unneeded rights.
    #[error("the process that serves the warehouse cannot be confined")]
    Confine {
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// A password file of the warehouse folder cannot be used.
    #[error("{}: {reason}; write one of at least 16 characters into it, or delete it and a new one is made", file.display())]
    Password {
        /// Path of the password file.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The engine library does not load.
    #[error("the ClickHouse engine {} does not load; delete its folder to fetch it anew", library.display())]
    Library {
        /// Path of the library.
        library: PathBuf,
        /// Error of the dynamic loader.
        #[source]
        source: libloading::Error,
    },
    /// A server ended by itself.
    #[error("{program} ended by itself: {reason} (details: {})", log.display())]
    Ended {
        /// Name of the server.
        program: &'static str,
        /// Its last message, shortened.
        reason: String,
        /// File with the full output.
        log: PathBuf,
    },
    /// No Java was found.
    #[error("a local Kafka broker needs Java 17 or newer: install openjdk-17-jre-headless")]
    NoJava,
    /// The Java that was found is too old.
    #[error("a local Kafka broker needs Java 17 or newer, found {version}: install openjdk-17-jre-headless")]
    OldJava {
        /// First number of its version.
        version: u32,
    },
    /// The broker's folder could not be formatted.
    #[error("the folder of the local Kafka broker cannot be used: {reason}")]
    Format {
        /// First line of Kafka's output.
        reason: String,
    },
    /// The broker did not start or stop in time.
    #[error("the local Kafka broker did not respond within {seconds} s (see {})", log.display())]
    Timeout {
        /// The timeout in seconds.
        seconds: u64,
        /// Path of the broker's log.
        log: PathBuf,
    },
    /// ClickHouse runs, but neither answers nor uses processor time.
    #[error("ClickHouse does not answer and has made no progress for {seconds} s (details: {})", log.display())]
    Unresponsive {
        /// Time without progress.
        seconds: u64,
        /// File with the full output.
        log: PathBuf,
    },
    /// The user's ClickHouse server does not answer as expected.
    #[error("QAMTU__CLICKHOUSE__URL names a server that does not answer as it should")]
    External {
        /// Error or response of the server at that address.
        #[source]
        source: Box<DevstackError>,
    },
    /// The HTTP client could not be created.
    #[error("the HTTP client cannot be created")]
    Client(#[source] reqwest::Error),
    /// A request got no response.
    #[error("no response from {to}")]
    Request {
        /// Address of the request.
        to: String,
        /// Error of the HTTP client.
        #[source]
        source: reqwest::Error,
    },
    /// A response is not the expected one.
    #[error("{from} answered: {response}")]
    Response {
        /// Address of the request.
        from: String,
        /// Status and body, shortened.
        response: String,
    },
}

impl DevstackError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

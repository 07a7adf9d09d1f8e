//! What can go wrong with a warehouse, each with the place and the mend in one line.

use std::path::PathBuf;

/// Why a warehouse did not start, or did not stop.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// A setting of the user's is missing or wrong.
    #[error("{name}: {reason}")]
    Configuration {
        /// The environment variable or option.
        name: &'static str,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// The folder cannot be made, read or written.
    #[error("the warehouse folder {} cannot be used", dir.display())]
    Folder {
        /// The warehouse folder.
        dir: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// Another launcher serves this folder.
    #[error("the warehouse folder {} is in use by process {owner}; stop that one or take another folder", dir.display())]
    InUse {
        /// The warehouse folder.
        dir: PathBuf,
        /// Its process id as written in the lock file, or `unknown`.
        owner: String,
    },
    /// The folder holds something that no launcher put there.
    #[error("{} is not empty and holds no Qamtu warehouse; give an empty or a new folder", dir.display())]
    NotAWarehouse {
        /// The folder.
        dir: PathBuf,
    },
    /// The tables were written by another version of ClickHouse.
    #[error(
        "the warehouse folder {} was written by {found}, this is {expected}; start with that version, or delete the folder: \
         the projector fills a new one from the event log", dir.display()
    )]
    OtherVersion {
        /// The warehouse folder.
        dir: PathBuf,
        /// What wrote the folder.
        found: String,
        /// What was about to open it.
        expected: String,
    },
    /// ClickHouse refuses to load the tables of the folder.
    #[error(
        "the warehouse folder {} is damaged: {reason}; delete it, the projector fills a new one from the event log (details: {})",
        dir.display(), log.display()
    )]
    Damaged {
        /// The warehouse folder.
        dir: PathBuf,
        /// What ClickHouse said, shorten.
        reason: String,
        /// Where all it said is kept.
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
    /// `npm` is needed once for the download and is not there.
    #[error(
        "npm is needed to fetch the ClickHouse engine and is not on PATH; install Node.js with npm, or put {file} \
         into {}, or set QAMTU__CLICKHOUSE__URL", folder.display()
    )]
    NpmMissing {
        /// The archive that would be fetched.
        file: String,
        /// Where it is looked for.
        folder: PathBuf,
    },
    /// `npm pack` did not bring the package.
    #[error("npm could not fetch {package}: {reason}; check the network or the registry and start again")]
    Npm {
        /// Name and version of the package.
        package: String,
        /// The last line npm printed.
        reason: String,
    },
    /// What was fetched is not what is pinned.
    #[error(
        "{} has the hash {found}, pinned is {pinned}; nothing of it was used: delete it and start again, and if it comes \
         back do not trust its source", file.display()
    )]
    WrongHash {
        /// The archive.
        file: PathBuf,
        /// Its hash.
        found: String,
        /// The hash it must have.
        pinned: String,
    },
    /// The engine could not be unpacked or kept.
    #[error("the ClickHouse engine cannot be kept in {}", folder.display())]
    Cache {
        /// The cache folder.
        folder: PathBuf,
        /// What the operating system or the archive reader said.
        #[source]
        source: std::io::Error,
    },
    /// The child process could not be started.
    #[error("{} cannot be started", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The serving process could not give up the rights it has no use for.
    #[error("the process that serves the warehouse cannot be confined")]
    Confine {
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A password file of the warehouse folder cannot be used.
    #[error("{}: {reason}; write one of at least 16 characters into it, or delete it and a new one is made", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The engine library does not load.
    #[error("the ClickHouse engine {} does not load; delete its folder to fetch it anew", library.display())]
    Library {
        /// The library.
        library: PathBuf,
        /// What the loader said.
        #[source]
        source: libloading::Error,
    },
    /// ClickHouse ended by itself.
    #[error("ClickHouse ended by itself: {reason} (details: {})", log.display())]
    Ended {
        /// What it said last, shorten.
        reason: String,
        /// Where all it said is kept.
        log: PathBuf,
    },
    /// ClickHouse runs but neither answers nor works.
    #[error("ClickHouse does not answer, and has not worked on its start for {seconds} s (details: {})", log.display())]
    Unresponsive {
        /// For how long.
        seconds: u64,
        /// Where all it said is kept.
        log: PathBuf,
    },
    /// A ClickHouse of the user's does not answer.
    #[error("QAMTU__CLICKHOUSE__URL: {url} does not answer as it should: {reason}")]
    External {
        /// The address given.
        url: String,
        /// What was answered instead.
        reason: String,
    },
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

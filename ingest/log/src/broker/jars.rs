//! Kafka's own jars: fetched once with Maven, verified, and moved into the cache atomically.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::BrokerError;

/// Version of Apache Kafka, as in `pom.xml`; names the folder in the cache.
const VERSION: &str = "4.4.0";
const POM: &str = include_str!("pom.xml");
const CHECKSUMS: &str = include_str!("jars.sha256");
const COPY_GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies";

/// Folder with the jars; fetches them first when they are missing. Safe when several processes start at once.
pub(super) fn ensure_fetched(cache: &Path) -> Result<PathBuf, BrokerError> {
    let folder = cache.join(VERSION);
    if folder.is_dir() {
        return Ok(folder);
    }
    let temporary = cache.join(format!(".fetch-{}-{}", std::process::id(), uuid::Uuid::new_v4().simple()));
    fs::create_dir_all(&temporary).map_err(|error| BrokerError::io(&temporary, error))?;
    let fetched = fetch(&temporary).and_then(|jars| {
        // Another process may have been faster; its files are verified too.
        fs::rename(&jars, &folder).or_else(|error| if folder.is_dir() { Ok(()) } else { Err(BrokerError::io(&folder, error)) })
    });
    let _ = fs::remove_dir_all(&temporary);
    fetched.map(|()| folder)
}

fn fetch(temporary: &Path) -> Result<PathBuf, BrokerError> {
    tracing::info!(version = VERSION, "fetching Apache Kafka with Maven");
    let pom = temporary.join("pom.xml");
    fs::write(&pom, POM).map_err(|error| BrokerError::io(&pom, error))?;
    let jars = temporary.join("jars");
    let maven = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--strict-checksums", COPY_GOAL])
        .arg(format!("-DoutputDirectory={}", jars.display()))
        .current_dir(temporary)
        .stdin(Stdio::null())
        .output()
        .map_err(|_| BrokerError::NoMaven)?;
    if !maven.status.success() {
        let output = String::from_utf8_lossy(&maven.stdout).into_owned() + &String::from_utf8_lossy(&maven.stderr);
        let line = output.lines().find(|line| line.contains("ERROR")).or(output.lines().last());
        return Err(BrokerError::Fetch { reason: line.unwrap_or("Maven gave no reason").trim().to_owned() });
    }
    verify(&jars)?;
    Ok(jars)
}

/// Compares the files with the checksums of this version; missing and additional files are errors.
fn verify(jars: &Path) -> Result<(), BrokerError> {
    let names = fs::read_dir(jars).map_err(|error| BrokerError::io(jars, error))?;
    let count = names.count();
    for (expected, name) in CHECKSUMS.lines().filter_map(|line| line.split_once("  ")) {
        let path = jars.join(name);
        let bytes = fs::read(&path).map_err(|error| BrokerError::io(&path, error))?;
        let actual: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if actual != expected {
            return Err(BrokerError::Fetch { reason: format!("{name} has another checksum than expected") });
        }
    }
    if count != CHECKSUMS.lines().count() {
        return Err(BrokerError::Fetch { reason: format!("{count} files were fetched, {} were expected", CHECKSUMS.lines().count()) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pom_and_sums_are_of_the_same_version() {
        assert!(POM.contains(&format!("<version>{VERSION}</version>")));
        assert!(CHECKSUMS.contains(&format!("kafka_2.13-{VERSION}.jar")));
    }
}

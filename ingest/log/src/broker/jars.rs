//! Kafka's own jars: fetched once with Maven, verified, and moved into place whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::BrokerError;

/// Version of Apache Kafka, as in `pom.xml`; names the folder in the cache.
const VERSION: &str = "4.4.0";
const POM: &str = include_str!("pom.xml");
const SUMS: &str = include_str!("jars.sha256");
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies";

/// Folder with the jars; fetches them first where they are missing. Safe when several start at once.
pub(super) fn folder(cache: &Path) -> Result<PathBuf, BrokerError> {
    let folder = cache.join(VERSION);
    if folder.is_dir() {
        return Ok(folder);
    }
    let fresh = cache.join(format!(".fetch-{}-{}", std::process::id(), uuid::Uuid::new_v4().simple()));
    fs::create_dir_all(&fresh).map_err(|error| BrokerError::io(&fresh, error))?;
    let fetched = fetch(&fresh).and_then(|jars| {
        // Somebody else may have been faster; then theirs is as good, as both were verified.
        fs::rename(&jars, &folder).or_else(|error| if folder.is_dir() { Ok(()) } else { Err(BrokerError::io(&folder, error)) })
    });
    let _ = fs::remove_dir_all(&fresh);
    fetched.map(|()| folder)
}

fn fetch(fresh: &Path) -> Result<PathBuf, BrokerError> {
    tracing::info!(version = VERSION, "fetching Apache Kafka with Maven");
    let pom = fresh.join("pom.xml");
    fs::write(&pom, POM).map_err(|error| BrokerError::io(&pom, error))?;
    let jars = fresh.join("jars");
    let maven = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--strict-checksums", COPY])
        .arg(format!("-DoutputDirectory={}", jars.display()))
        .current_dir(fresh)
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

/// Exactly the files that were looked at when the version was chosen.
fn verify(jars: &Path) -> Result<(), BrokerError> {
    let names = fs::read_dir(jars).map_err(|error| BrokerError::io(jars, error))?;
    let count = names.count();
    for (wanted, name) in SUMS.lines().filter_map(|line| line.split_once("  ")) {
        let path = jars.join(name);
        let bytes = fs::read(&path).map_err(|error| BrokerError::io(&path, error))?;
        let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if found != wanted {
            return Err(BrokerError::Fetch { reason: format!("{name} is not the file it should be") });
        }
    }
    if count != SUMS.lines().count() {
        return Err(BrokerError::Fetch { reason: format!("{count} files came, {} were expected", SUMS.lines().count()) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pom_and_sums_are_of_the_same_version() {
        assert!(POM.contains(&format!("<version>{VERSION}</version>")));
        assert!(SUMS.contains(&format!("kafka_2.13-{VERSION}.jar")));
    }
}

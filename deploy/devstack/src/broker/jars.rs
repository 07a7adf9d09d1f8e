//! Kafka's own jars: fetched once with Maven and verified.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::DevstackError;
use crate::fetch;

/// Version of Apache Kafka, as in `pom.xml`; names the folder in the cache.
const VERSION: &str = "4.4.0";
const POM: &str = include_str!("pom.xml");
const CHECKSUMS: &str = include_str!("jars.sha256");
const COPY_GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies";

/// Folder with the jars; fetches them first when they are missing.
pub(super) fn ensure_fetched(cache: &Path) -> Result<PathBuf, DevstackError> {
    let folder = cache.join(VERSION);
    fetch::ensure(&folder, || folder.is_dir(), fetch_into)?;
    Ok(folder)
}

fn fetch_into(jars: &Path) -> Result<(), DevstackError> {
    let pom = jars.join("pom.xml");
    fs::write(&pom, POM).map_err(|error| DevstackError::file(&pom, error))?;
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--strict-checksums", COPY_GOAL]).current_dir(jars);
    maven.arg(format!("-DoutputDirectory={}", jars.display()));
    fetch::download(package(), &mut maven, DevstackError::NoMaven)?;
    fs::remove_file(&pom).map_err(|error| DevstackError::file(&pom, error))?;
    verify(jars)
}

fn package() -> String {
    format!("Apache Kafka {VERSION}")
}

/// Compares the files with the checksums of this version; missing and additional files are errors.
fn verify(jars: &Path) -> Result<(), DevstackError> {
    let names = fs::read_dir(jars).map_err(|error| DevstackError::file(jars, error))?;
    let count = names.count();
    for (expected, name) in CHECKSUMS.lines().filter_map(|line| line.split_once("  ")) {
        let path = jars.join(name);
        let bytes = fs::read(&path).map_err(|error| DevstackError::file(&path, error))?;
        let actual: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if actual != expected {
            return Err(DevstackError::Fetch { package: package(), reason: format!("{name} has another checksum than expected") });
        }
    }
    if count != CHECKSUMS.lines().count() {
        return Err(DevstackError::Fetch {
            package: package(),
            reason: format!("{count} files were fetched, {} were expected", CHECKSUMS.lines().count()),
        });
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

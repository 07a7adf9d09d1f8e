//! Downloads the ClickHouse engine library once: an npm package of pinned version and pinned hash.
//! An archive with another hash is never unpacked. The functions block.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};

use crate::error::DevstackError;
use crate::fetch;

/// The version of every engine package in [`PACKAGES`].
pub(super) const VERSION: &str = "26.7.3-stable.1";

/// One engine package: its machine, its name and its expected content.
#[derive(Debug, Clone, Copy)]
struct Package {
    os: &'static str,
    processor: &'static str,
    name: &'static str,
    /// The library's file name in the package.
    library: &'static str,
    /// SHA-512 of the archive in the form of npm's `dist.integrity`.
    integrity: &'static str,
    /// Sizes in bytes, for the progress bar and to detect a damaged cache.
    packed_bytes: u64,
    library_bytes: u64,
}

/// The supported machines. To add one, run the tests on it and add the hash of its package
/// (`npm view NAME@VERSION dist.integrity`).
const PACKAGES: [Package; 1] = [Package {
    os: "linux",
    processor: "x86_64",
    name: "@chdb/lib-linux-x64-gnu",
    library: "libchdb.so",
    integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
    packed_bytes: 177_817_999,
    library_bytes: 566_330_096,
}];

/// Callback for the progress of the one-time download of the engine and of a slow start. Not called for a quick start with an engine
/// in the cache.
pub type FetchProgress = Arc<dyn Fn(FetchStep) + Send + Sync>;

/// A step of the download, in bytes, or of the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchStep {
    /// npm downloads the archive; it does not report progress.
    Downloading {
        /// Size of the archive.
        total: u64,
    },
    /// The hash of the archive is computed.
    Verifying {
        /// Bytes hashed so far.
        done: u64,
        /// Size of the archive.
        total: u64,
    },
    /// The library is unpacked.
    Unpacking {
        /// Bytes of the archive read so far.
        done: u64,
        /// Size of the archive.
        total: u64,
    },
    /// The engine is in the cache.
    Ready,
    /// ClickHouse is still starting; reported every ten seconds.
    Starting {
        /// Seconds since it was started.
        seconds: u64,
    },
}

/// The path of the engine library for this machine, downloaded into `cache_dir` if it is missing.
pub(super) fn ensure(cache_dir: &Path, progress: Option<&FetchProgress>) -> Result<PathBuf, DevstackError> {
    let (os, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    let package = PACKAGES
        .iter()
        .find(|package| (package.os, package.processor) == (os, processor) && cfg!(not(target_env = "musl")))
        .ok_or_else(|| DevstackError::UnknownPlatform { platform: format!("{os} on {processor}") })?;
    let silent: FetchProgress = Arc::new(|_| {});
    Cache { folder: cache_dir.join("engine"), package, progress: progress.unwrap_or(&silent) }.library()
}

/// The engine in the cache: `engine/<version>-<os>-<processor>/<library>`.
struct Cache<'a> {
    folder: PathBuf,
    package: &'a Package,
    progress: &'a FetchProgress,
}

impl Cache<'_> {
    fn library(&self) -> Result<PathBuf, DevstackError> {
        let target = self.folder.join(format!("{VERSION}-{}-{}", self.package.os, self.package.processor));
        let library = target.join(self.package.library);
        // A truncated library is fetched again.
        let is_complete = || fs::metadata(&library).is_ok_and(|metadata| metadata.len() == self.package.library_bytes);
        if fetch::ensure(&target, is_complete, |temporary| self.fetch_into(temporary))? {
            (self.progress)(FetchStep::Ready);
        }
        Ok(library)
    }

    /// Downloads, verifies and unpacks.
    fn fetch_into(&self, temporary: &Path) -> Result<(), DevstackError> {
        let archive = match self.folder.join(self.archive_name()) {
            provided if provided.exists() => provided,
            _ => self.download(temporary)?,
        };
        self.verify(&archive)?;
        self.unpack(&archive, &temporary.join(self.package.library)).map_err(|source| self.failed(source))?;
        if archive.starts_with(temporary) {
            fs::remove_file(&archive).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// The name that `npm pack` gives the archive. If the cache folder has a file of this name, nothing is downloaded.
    fn archive_name(&self) -> String {
        format!("{}-{VERSION}.tgz", self.package.name.trim_start_matches('@').replace('/', "-"))
    }

    fn download(&self, into: &Path) -> Result<PathBuf, DevstackError> {
        (self.progress)(FetchStep::Downloading { total: self.package.packed_bytes });
        let package = format!("{}@{VERSION}", self.package.name);
        let mut npm = Command::new("npm");
        npm.args(["pack", &package, "--loglevel=error", "--pack-destination"]).arg(into);
        fetch::download(package, &mut npm, DevstackError::NpmMissing { file: self.archive_name(), folder: self.folder.clone() })?;
        Ok(into.join(self.archive_name()))
    }

    fn verify(&self, archive: &Path) -> Result<(), DevstackError> {
        let mut hash = Sha512::new();
        let mut file = File::open(archive).map_err(|source| self.failed(source))?;
        let mut buffer = vec![0_u8; 1 << 20];
        let mut done = 0_u64;
        loop {
            let read = file.read(&mut buffer).map_err(|source| self.failed(source))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            done += read as u64;
            (self.progress)(FetchStep::Verifying { done, total: self.package.packed_bytes });
        }
        let found = format!("sha512-{}", BASE64.encode(hash.finalize()));
        if found == self.package.integrity {
            return Ok(());
        }
        Err(DevstackError::WrongHash { file: archive.to_path_buf(), found, pinned: self.package.integrity.to_owned() })
    }

    /// Extracts the archive's library to the path `library`.
    fn unpack(&self, archive: &Path, library: &Path) -> io::Result<()> {
        let reader = ProgressReader { inner: File::open(archive)?, done: 0, total: self.package.packed_bytes, progress: self.progress };
        let wanted = Path::new("package").join(self.package.library);
        let mut entries = tar::Archive::new(GzDecoder::new(reader));
        for entry in entries.entries()? {
            let mut entry = entry?;
            if entry.path()? == wanted {
                let mut file = File::create(library)?;
                io::copy(&mut entry, &mut file)?;
                return file.sync_all();
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("the archive holds no {}", wanted.display())))
    }

    fn failed(&self, source: io::Error) -> DevstackError {
        DevstackError::file(&self.folder, source)
    }
}

/// Reports the number of bytes that were read through it.
struct ProgressReader<'a> {
    inner: File,
    done: u64,
    total: u64,
    progress: &'a FetchProgress,
}

impl Read for ProgressReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done += read as u64;
        (self.progress)(FetchStep::Unpacking { done: self.done, total: self.total });
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    const LIBRARY: &[u8] = b"not really an engine";

    /// A package for this machine whose archive is already in `folder`.
    fn provided(folder: &Path, content: &[u8]) -> Package {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        builder.append_data(&mut header, "package/libchdb.so", content).unwrap();
        let archive = builder.into_inner().unwrap().finish().unwrap();
        let integrity = format!("sha512-{}", BASE64.encode(Sha512::digest(&archive)));
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("test-engine-{VERSION}.tgz")), &archive).unwrap();
        Package {
            name: "@test/engine",
            integrity: Box::leak(integrity.into_boxed_str()),
            packed_bytes: archive.len() as u64,
            library_bytes: LIBRARY.len() as u64,
            ..PACKAGES[0]
        }
    }

    fn library(folder: &Path, package: &Package) -> Result<PathBuf, DevstackError> {
        let progress: FetchProgress = Arc::new(|_| {});
        Cache { folder: folder.to_path_buf(), package, progress: &progress }.library()
    }

    #[test]
    fn concurrent_starts_get_one_complete_library() {
        let dir = tempfile::tempdir().unwrap();
        let package = provided(dir.path(), LIBRARY);
        std::thread::scope(|scope| {
            let starters: Vec<_> = (0..8).map(|_| scope.spawn(|| library(dir.path(), &package).unwrap())).collect();
            for starter in starters {
                assert_eq!(fs::read(starter.join().unwrap()).unwrap(), LIBRARY);
            }
        });
        assert!(!dir.path().join("unfinished").exists());
    }

    #[test]
    fn a_truncated_library_is_unpacked_again() {
        let dir = tempfile::tempdir().unwrap();
        let package = provided(dir.path(), LIBRARY);
        let path = library(dir.path(), &package).unwrap();
        fs::write(&path, "cut").unwrap();
        assert_eq!(fs::read(library(dir.path(), &package).unwrap()).unwrap(), LIBRARY);
    }

    #[test]
    fn an_archive_with_another_hash_is_not_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let package = Package { integrity: PACKAGES[0].integrity, ..provided(dir.path(), LIBRARY) };
        let error = library(dir.path(), &package).unwrap_err();
        assert!(matches!(error, DevstackError::WrongHash { .. }), "{error}");
        assert!(!dir.path().join(format!("{VERSION}-linux-x86_64")).exists());
    }

    #[test]
    fn progress_is_reported_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let package = provided(dir.path(), LIBRARY);
        let steps = Arc::new(std::sync::Mutex::new(Vec::new()));
        let recorder = Arc::clone(&steps);
        let progress: FetchProgress = Arc::new(move |step| recorder.lock().unwrap().push(step));
        Cache { folder: dir.path().to_path_buf(), package: &package, progress: &progress }.library().unwrap();
        let total = package.packed_bytes;
        let steps = steps.lock().unwrap();
        assert_eq!(steps.first(), Some(&FetchStep::Verifying { done: total, total }));
        assert_eq!(steps.last(), Some(&FetchStep::Ready));
        assert!(steps.contains(&FetchStep::Unpacking { done: total, total }), "{steps:?}");
    }
}

//! The lease of a partition: a file lock, so that the system releases it however the process ends.
//!
//! The file contains the owner's process id for error messages only.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::modes;
use super::store::check_name;
use crate::error::LogError;
use crate::partition::Partition;

/// How long to wait for the previous owner to end (its successor is often started at once).
const LEASE_TIMEOUT: Duration = Duration::from_secs(3);

/// The lock of a partition for one group; released when dropped.
#[derive(Debug)]
pub(super) struct Lease {
    lock: File,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Closing the file is not enough while a child that another thread has just forked shares its handle.
        let _ = self.lock.unlock();
    }
}

impl Lease {
    /// Acquires the lease; on a timeout the error names the owner.
    pub(super) fn acquire(dir: &Path, group: &str, partition: &Partition) -> Result<Self, LogError> {
        check_name("group", group)?;
        let folder = dir.join("leases").join(group);
        modes::private_folder(&dir.join("leases"), |_| true)?;
        modes::private_folder(&folder, |_| true)?;
        let path = folder.join(format!("{}-{}.lock", partition.topic, partition.number));
        let mut file = modes::private_file().open(&path).map_err(|error| LogError::file(&path, error))?;
        modes::check_file(&path)?;
        let deadline = Instant::now() + LEASE_TIMEOUT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => return Err(leased_error(&mut file, group, partition)),
                Err(TryLockError::Error(error)) => return Err(LogError::file(&path, error)),
            }
        }
        write_owner(&mut file).map_err(|error| LogError::file(&path, error))?;
        Ok(Self { lock: file })
    }
}

fn write_owner(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "process {}", std::process::id())
}

fn leased_error(file: &mut File, group: &str, partition: &Partition) -> LogError {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    if holder.is_empty() {
        holder.push_str("another process");
    }
    LogError::Leased { partition: partition.clone(), group: group.to_owned(), holder }
}

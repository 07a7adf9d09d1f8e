//! An exclusive lock on a file. The kernel releases it however its owner ends.

use std::fs::{File, TryLockError};

/// A locked file, unlocked when this is dropped.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Locks `file`, or fails at once if it is locked already.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if another process or another open handle has the lock.
    pub fn acquire(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // A child that another thread has just forked shares the handle until it executes its program, so that
        // closing the file here would not unlock it yet. Unlocking does, for every process that shares it.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_the_lock_unlocks_the_file_although_a_forked_child_still_shares_its_handle() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lock = FileLock::acquire(file.reopen().unwrap()).unwrap();
        assert!(matches!(FileLock::acquire(file.reopen().unwrap()), Err(TryLockError::WouldBlock)));
        // A duplicate shares the open file with the original, as the handle of a forked child does.
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        FileLock::acquire(file.reopen().unwrap()).unwrap();
        drop(inherited);
    }
}

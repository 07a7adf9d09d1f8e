//! Blocks the engine library at the end of its start until the current directory is removed, before its port opens.
//!
//! The engine is clickhouse-local: its scalar function `file` reads any path for any user, and no right or setting prevents that.
//! But functions, table engines and dictionaries with a path from a query resolve the current directory first. So the engine starts
//! in a directory that is removed before the port opens: from then on each of them fails, for every user. The engine itself
//! uses absolute paths. No timing is involved: the engine's first statement reads a named pipe, which signals that the start
//! is complete, and it blocks there until the directory is removed.
//!
//! `INSERT ... FROM INFILE` does not resolve the current directory. It needs the right to insert, and `confinement.rs` restricts it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::library;
use super::system;

/// The directory to remove and the pipe that signals when.
#[derive(Debug)]
pub(super) struct StartupBarrier {
    directory: PathBuf,
    pipe: PathBuf,
}

impl StartupBarrier {
    /// Creates both in the warehouse's folder for this run, and changes to the directory.
    pub(super) fn create(layout: &Layout) -> io::Result<Self> {
        let barrier = Self { directory: layout.run().join("current"), pipe: layout.run().join("started") };
        if barrier.pipe.exists() {
            fs::remove_file(&barrier.pipe)?;
        }
        system::make_pipe(&barrier.pipe)?;
        fs::create_dir_all(&barrier.directory)?;
        std::env::set_current_dir(&barrier.directory)?;
        Ok(barrier)
    }

    /// The statement at which the engine blocks until the directory is removed.
    pub(super) fn statement(&self) -> String {
        format!("SELECT file({}) FORMAT Null", quoted(&self.pipe))
    }

    /// Removes the directory from a separate thread when the engine has reached [`Self::statement`], and unblocks the engine. If that
    /// fails, the process exits.
    pub(super) fn open_when_directory_is_removed(self) {
        std::thread::spawn(move || {
            if let Err(error) = self.remove_directory() {
                // If the message cannot be written, the exit code still reports the failure.
                let _ = io::Write::write_all(
                    &mut io::stderr(),
                    format!("qamtu: the current directory cannot be removed: {error}\n").as_bytes(),
                );
                library::exit_now(1);
            }
        });
    }

    fn remove_directory(&self) -> io::Result<()> {
        // Opening a pipe for writing blocks until its reader opens it.
        let pipe = OpenOptions::new().write(true).open(&self.pipe)?;
        fs::remove_dir(&self.directory)?;
        fs::remove_file(&self.pipe)?;
        drop(pipe);
        Ok(())
    }
}

/// A path as an SQL string literal.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use std::path::Path;

    #[test]
    fn a_path_is_escaped_in_sql() {
        assert_eq!(quoted(Path::new(r"/it's\here")), r"'/it\'s\\here'");
    }
}

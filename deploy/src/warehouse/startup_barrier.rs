//! Holds the engine library at the end of its start until the current directory is removed, before its port opens.
//!
//! The engine is clickhouse-local: its scalar function `file` reads any path for any user, and no right and no setting takes that away.
//! But functions, table engines and dictionaries that get a path from a query resolve the current directory first. So the engine starts
//! in a directory that is removed before the port opens: from then on each of them ends in an error, for every user. The engine itself
//! works with absolute paths. The moment is certain and needs no clock: the engine's first statement reads a named pipe, which tells
//! that its start is over, and it waits there until the directory is gone.
//!
//! `INSERT ... FROM INFILE` does not resolve the current directory. It needs the right to insert, and `confinement.rs` restricts it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::library;
use super::system;

/// The directory to be removed and the pipe that tells when.
#[derive(Debug)]
pub(super) struct StartupBarrier {
    directory: PathBuf,
    pipe: PathBuf,
}

impl StartupBarrier {
    /// Makes both below the warehouse's folder for this run, and makes the directory the current one.
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

    /// The statement at which the engine waits until the directory is removed.
    pub(super) fn statement(&self) -> String {
        format!("SELECT file({}) FORMAT Null", quoted(&self.pipe))
    }

    /// Removes the directory from a thread of its own when the engine has come to [`Self::statement`], and lets the engine go on. Where
    /// that fails the process ends.
    pub(super) fn open_when_directory_is_removed(self) {
        std::thread::spawn(move || {
            if let Err(error) = self.remove_directory() {
                // The output file says why; without it the exit code does.
                let _ = io::Write::write_all(
                    &mut io::stderr(),
                    format!("qamtu: the current directory cannot be removed: {error}\n").as_bytes(),
                );
                library::exit_now(1);
            }
        });
    }

    fn remove_directory(&self) -> io::Result<()> {
        // Opening a pipe for writing waits for its reader.
        let pipe = OpenOptions::new().write(true).open(&self.pipe)?;
        fs::remove_dir(&self.directory)?;
        fs::remove_file(&self.pipe)?;
        drop(pipe);
        Ok(())
    }
}

/// A path as a text of SQL.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use std::path::Path;

    #[test]
    fn a_path_cannot_leave_its_quotes() {
        assert_eq!(quoted(Path::new(r"/it's\here")), r"'/it\'s\\here'");
    }
}

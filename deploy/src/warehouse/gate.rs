//! Closes the files of the warehouse folder to the clients of the engine library, before its port is open.
//!
//! The engine is clickhouse-local: its scalar function `file` reads any path for any user, and no right and no setting takes that away.
//! But functions, table engines and dictionaries that get a path from a query resolve the current folder first. So the engine starts in
//! a folder that is removed before the port opens: from then on each of them ends in an error, for every user. The engine itself works
//! with absolute paths. (`INSERT ... FROM INFILE` is not closed by this; it needs the right to insert and obeys `confinement.rs`.) The moment is certain and needs no clock: the engine's first statement reads a named
//! pipe, which tells that its start is over, and it waits there until the folder is gone.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::layout::Layout;
use super::library;
use super::system;

/// The folder to be removed and the pipe that tells when.
#[derive(Debug)]
pub(super) struct Gate {
    folder: PathBuf,
    pipe: PathBuf,
}

impl Gate {
    /// Makes both below the warehouse's folder for this run, and makes the folder the current one.
    pub(super) fn make(layout: &Layout) -> io::Result<Self> {
        let gate = Self { folder: layout.run().join("current"), pipe: layout.run().join("started") };
        if gate.pipe.exists() {
            fs::remove_file(&gate.pipe)?;
        }
        system::make_pipe(&gate.pipe)?;
        fs::create_dir_all(&gate.folder)?;
        std::env::set_current_dir(&gate.folder)?;
        Ok(gate)
    }

    /// The statement at which the engine waits until the gate is closed.
    pub(super) fn statement(&self) -> String {
        format!("SELECT file({}) FORMAT Null", quoted(&self.pipe))
    }

    /// Closes the gate from a thread of its own when the engine has come to [`Self::statement`]. Where that fails the process ends.
    pub(super) fn close_when_started(self) {
        std::thread::spawn(move || {
            if let Err(error) = self.close() {
                // The output file says why; without it the exit code does.
                let _ = io::Write::write_all(&mut io::stderr(), format!("qamtu: the gate cannot be closed: {error}\n").as_bytes());
                library::exit_now(1);
            }
        });
    }

    fn close(&self) -> io::Result<()> {
        // Opening a pipe for writing waits for its reader.
        let pipe = OpenOptions::new().write(true).open(&self.pipe)?;
        fs::remove_dir(&self.folder)?;
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

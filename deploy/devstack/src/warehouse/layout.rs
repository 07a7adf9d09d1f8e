//! The paths in a warehouse folder, for the launcher and for the process that serves the folder.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Folder of the tables.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Folder of ClickHouse's log files.
    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Output of the serving process, including errors at the start.
    pub(super) fn output(&self) -> PathBuf {
        self.logs().join("engine.out")
    }

    /// The configuration files, written at every start.
    pub(super) fn config_dir(&self) -> PathBuf {
        self.root.join("config")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.config_dir().join("config.xml")
    }

    pub(super) fn users(&self) -> PathBuf {
        self.config_dir().join("users.xml")
    }

    /// Files that are valid for one run of the serving process only.
    pub(super) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Restrictions that the system did not support in this run, one line each.
    pub(super) fn gaps(&self) -> PathBuf {
        self.run().join("gaps")
    }

    /// One password file for each role; the serving process cannot read them.
    pub(super) fn passwords(&self) -> PathBuf {
        self.root.join("passwords")
    }
}

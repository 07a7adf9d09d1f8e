//! Confines the process that serves a warehouse, before it reads any input of a client.
//!
//! Where the system supports it: the process changes from root to a user of its own; it can open only the warehouse folder (without
//! the passwords), the program itself and a few files about the machine (Landlock); it cannot inspect, signal or start other processes;
//! it cannot connect and opens no port but its own (Landlock of Linux 6.7). Unsupported restrictions are returned as text for the
//! launcher to print. `startup_barrier.rs` prevents queries from reading files inside the folder.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, NetPort, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::layout::Layout;
use super::system;

/// User id of the serving process if the launcher is root; neither distributions nor systemd assign this id.
const SERVING_USER: u32 = 60_900;
/// Files about memory and processors, which ClickHouse reads for cache sizes and metrics.
const MACHINE_INFO: [&str; 10] = [
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/sys/vm",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/dev/urandom",
];
/// System libraries that the engine library loads.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"];
/// Paths that starting a `clickhouse` program needs.
const PROGRAMS: [&str; 6] = ["/bin", "/lib", "/lib64", "/usr", "/etc/ld.so.cache", "/etc/localtime"];

/// The rights that the serving process keeps.
#[derive(Debug)]
pub(super) struct Confinement<'a> {
    pub(super) layout: &'a Layout,
    pub(super) program: ConfinedProgram<'a>,
    /// The port that it may open.
    pub(super) port: u16,
    /// Whether it may open connections: only if ClickHouse itself reads Kafka.
    pub(super) may_connect: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum ConfinedProgram<'a> {
    /// The engine library as an open file, since the serving user may have no access to its folder.
    Library(&'a File),
    Executable(&'a Path),
}

impl Confinement<'_> {
    /// Confines this process and all its later children, irrevocably. Returns the unsupported restrictions.
    pub(super) fn apply(&self) -> io::Result<Vec<String>> {
        system::create_private_files();
        let mut gaps = Vec::new();
        if system::is_root() {
            gaps.extend(self.give_up_root()?);
        }
        gaps.extend(self.restrict().map_err(io::Error::other)?);
        Ok(gaps)
    }

    /// Gives the folder to [`SERVING_USER`] and changes to that user.
    fn give_up_root(&self) -> io::Result<Option<String>> {
        let root = self.layout.root();
        if let ConfinedProgram::Executable(program) = self.program
            && closed_ancestor(program)?.is_some()
        {
            return Ok(Some(format!("it runs as root, since no other user can reach {}", program.display())));
        }
        if let Some(closed) = closed_ancestor(root)? {
            if let Err(error) = system::own_mounts() {
                let closed = closed.display();
                return Ok(Some(format!("it runs as root, since no other user can pass {closed} and mounts are not allowed ({error})")));
            }
            mount_below(root, &closed)?;
        }
        for folder in [self.layout.data(), self.layout.logs(), self.layout.config_dir(), self.layout.run()] {
            hand_over(&folder)?;
        }
        chown(root, Some(SERVING_USER), Some(SERVING_USER))?;
        system::become_user(SERVING_USER)?;
        Ok(None)
    }

    /// Applies Landlock as far as this kernel supports it.
    fn restrict(&self) -> Result<Vec<String>, landlock::RulesetError> {
        let abi = ABI::V6;
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let written = [self.layout.data(), self.layout.logs(), self.layout.run(), PathBuf::from("/dev/null")];
        let mut network = AccessNet::from_all(abi);
        if self.may_connect {
            network.remove(AccessNet::ConnectTcp);
        }
        let rules = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(network)?
            .scope(Scope::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(MACHINE_INFO, read))?
            .add_rules(path_beneath_rules([self.layout.config_dir()], read))?
            .add_rules(path_beneath_rules(written, AccessFs::from_all(abi) & !AccessFs::Execute))?
            .add_rule(NetPort::new(self.port, AccessNet::BindTcp))?;
        let rules = match self.program {
            ConfinedProgram::Library(library) => {
                rules.add_rules(path_beneath_rules(LIBRARIES, read))?.add_rule(PathBeneath::new(library, AccessFs::ReadFile))?
            }
            ConfinedProgram::Executable(program) => {
                let started = read | AccessFs::Execute;
                rules.add_rules(path_beneath_rules(PROGRAMS, started))?.add_rules(path_beneath_rules([program], started))?
            }
        };
        let status = rules.restrict_self()?;
        Ok(match status.ruleset {
            RulesetStatus::FullyEnforced => Vec::new(),
            RulesetStatus::PartiallyEnforced => {
                vec!["this kernel's Landlock is older than Linux 6.12 and confines files, but not all connections and signals".to_owned()]
            }
            RulesetStatus::NotEnforced => vec![
                "this kernel has no Landlock: who may insert can read the files of its user by INSERT ... FROM INFILE, and only \
                 ClickHouse's own rights keep others from them"
                    .to_owned(),
            ],
        })
    }
}

/// The topmost folder above `path` that other users cannot traverse.
fn closed_ancestor(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut ancestors: Vec<&Path> = path.ancestors().skip(1).collect();
    ancestors.reverse();
    for ancestor in ancestors {
        if fs::metadata(ancestor)?.permissions().mode() & 0o001 == 0 {
            return Ok(Some(ancestor.to_path_buf()));
        }
    }
    Ok(None)
}

/// Makes `root` reachable below the `closed` folder, in this process's own mount namespace: an empty file system covers the closed
/// folder with all its content, and only `root` is mounted inside.
fn mount_below(root: &Path, closed: &Path) -> io::Result<()> {
    let opened = File::open(root)?;
    system::mount_empty(closed)?;
    for folder in root.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
        if !folder.exists() {
            fs::create_dir(folder)?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
    }
    fs::create_dir(root)?;
    system::bind(Path::new(&format!("/proc/self/fd/{}", opened.as_raw_fd())), root)
}

/// Gives a folder with all its content to [`SERVING_USER`], the folder itself last, so that an interrupted change is repeated.
fn hand_over(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.uid() == SERVING_USER && metadata.is_dir() && path.file_name() != Some("config".as_ref()) {
        return Ok(());
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            hand_over(&entry?.path())?;
        }
    }
    std::os::unix::fs::lchown(path, Some(SERVING_USER), Some(SERVING_USER))
}

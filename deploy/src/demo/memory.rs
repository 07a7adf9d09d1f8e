//! Peak memory of Qamtu's processes together, and of ClickHouse, sampled ten times a second.
//!
//! The peak is the highest sum at one moment, not the sum of the peaks of each process. A process that lives for less than a sampling
//! interval may be missed.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// The group of processes that memory is summed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Qamtu,
    Warehouse,
}

/// Samples the memory of processes until it is dropped.
#[derive(Debug, Clone)]
pub struct MemoryMonitor {
    watched: Arc<Mutex<Vec<(Pid, Owner)>>>,
    peaks: Arc<[AtomicU64; 2]>,
    _running: Arc<Sender<()>>,
}

impl MemoryMonitor {
    /// Starts sampling, with this process as the first.
    pub fn start() -> Self {
        let (running, stopped) = channel();
        let memory = Self { watched: Arc::default(), peaks: Arc::default(), _running: Arc::new(running) };
        memory.add(std::process::id(), Owner::Qamtu);
        let (watched, peaks) = (memory.watched.clone(), memory.peaks.clone());
        std::thread::spawn(move || {
            let Ok(mut system) = System::new() else { return };
            while stopped.recv_timeout(SAMPLE_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                sample(&mut system, &watched, &peaks);
            }
        });
        memory
    }

    /// Adds a process; for the warehouse also its current children.
    pub fn add(&self, pid: u32, owner: Owner) {
        let mut added = vec![(Pid::from_u32(pid), owner)];
        if owner == Owner::Warehouse
            && let Ok(mut system) = System::new()
        {
            system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing());
            let children = system
                .processes()
                .values()
                .filter(|process| process.parent() == Some(Pid::from_u32(pid)) && process.thread_kind().is_none());
            added.extend(children.map(|child| (child.pid(), owner)));
        }
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).extend(added);
    }

    /// The highest sum so far, in MB (10^6 bytes).
    pub fn peak_mb(&self, owner: Owner) -> u64 {
        self.peaks[owner as usize].load(Ordering::Relaxed) / 1_000_000
    }
}

fn sample(system: &mut System, watched: &Mutex<Vec<(Pid, Owner)>>, peaks: &[AtomicU64; 2]) {
    let watched = watched.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let pids: Vec<Pid> = watched.iter().map(|(pid, _)| *pid).collect();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, ProcessRefreshKind::nothing().with_memory().without_tasks());
    for owner in [Owner::Qamtu, Owner::Warehouse] {
        let of = watched.iter().filter(|(_, watched_owner)| *watched_owner == owner);
        let sum = of.filter_map(|(pid, _)| system.process(*pid)).map(sysinfo::Process::memory).sum();
        peaks[owner as usize].fetch_max(sum, Ordering::Relaxed);
    }
}

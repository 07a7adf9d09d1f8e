//! Distinguishes a slow start from a stalled one by the processor time that the process uses.
//! A process that makes progress is never given up, however slow a busy machine makes it.

use std::time::Duration;

/// A process that used less than [`MIN_CPU_TIME`] in this time has stalled; an idle engine uses 0.005 s a second.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(300);
const MIN_CPU_TIME: Duration = Duration::from_secs(2);
/// How often the processor time is sampled.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);

/// The progress of a start, as times since it began.
#[derive(Debug, Default)]
pub(super) struct StallDetector {
    sampled: Duration,
    /// When the process last made enough progress, and its processor time at that moment.
    last_progress: (Duration, Duration),
}

impl StallDetector {
    /// Whether the process has stalled; `waited` is the time since its start, `used` its processor time.
    pub(super) fn has_stalled(&mut self, waited: Duration, used: impl FnOnce() -> Duration) -> bool {
        if waited < self.sampled + SAMPLE_INTERVAL {
            return false;
        }
        self.sampled = waited;
        let used = used();
        if used >= self.last_progress.1 + MIN_CPU_TIME {
            self.last_progress = (waited, used);
        }
        waited >= self.last_progress.0 + STALL_TIMEOUT
    }
}

/// The processor time of a process and its children; zero if it has ended.
pub(super) fn cpu_time(pid: u32) -> Duration {
    let started = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let started = started.split_whitespace().filter_map(|pid| pid.parse().ok());
    let ticks: u64 = started.chain([pid]).map(ticks).sum();
    // Linux reports a hundred ticks a second on every machine.
    Duration::from_millis(ticks * 10)
}

fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may contain spaces; user and system time are the twelfth and thirteenth field after it.
    let words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    words.skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::{Duration, StallDetector, cpu_time};

    /// After how many seconds, at most 3,600, a process is given up that uses so many milliseconds in each of them.
    fn waited_for(milliseconds: u64) -> u64 {
        let mut detector = StallDetector::default();
        let stopped = |second: &u64| detector.has_stalled(Duration::from_secs(*second), || Duration::from_millis(second * milliseconds));
        (1..=3_600).find(stopped).unwrap_or(3_600)
    }

    #[test]
    fn a_slow_start_that_makes_progress_is_not_aborted() {
        assert_eq!(waited_for(10), 3_600);
        assert_eq!(waited_for(1_000), 3_600);
    }

    #[test]
    fn a_stalled_start_is_aborted() {
        assert_eq!(waited_for(0), 300);
        assert_eq!(waited_for(5), 300);
    }

    #[test]
    fn the_processor_time_of_this_process_grows_while_it_works() {
        let (pid, before) = (std::process::id(), cpu_time(std::process::id()));
        while cpu_time(pid) <= before {
            std::hint::black_box((0..1_000_000_u64).sum::<u64>());
        }
        assert_eq!(cpu_time(u32::MAX), Duration::ZERO);
    }
}

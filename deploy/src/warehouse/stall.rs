//! Tells a slow start from one that has stopped, by the processor time that the process takes. Clocks and figures come from outside.
//! Guarantees that a process is waited for as long as it works, however little a busy machine lets it.

use std::time::Duration;

/// A process that has worked less than [`LEAST`] in this time has stopped: an engine that waits for nothing takes 0.005 s a second.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(300);
const MIN_CPU_TIME: Duration = Duration::from_secs(2);
/// How often the processor time is looked at.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);

/// What is known of a start.
#[derive(Debug, Default)]
pub(super) struct StallDetector {
    sampled: Duration,
    /// When the process had last worked enough, and how long it had worked by then.
    last_progress: (Duration, Duration),
}

impl StallDetector {
    /// Whether the process has stopped; `waited` is the time since its start, `worked` its processor time.
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

/// The processor time of a process and of those it has started. A process that is gone has none.
pub(super) fn cpu_time(pid: u32) -> Duration {
    let started = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let started = started.split_whitespace().filter_map(|pid| pid.parse().ok());
    let ticks: u64 = started.chain([pid]).map(ticks).sum();
    // Linux shows a hundred ticks a second on every machine.
    Duration::from_millis(ticks * 10)
}

fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, which is in brackets, may hold spaces; user and system time are the twelfth and thirteenth word behind it.
    let words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    words.skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::{Duration, StallDetector, cpu_time};

    /// For how many seconds of an hour a process is waited for that works so many milliseconds in each of them.
    fn waited_for(milliseconds: u64) -> u64 {
        let mut detector = StallDetector::default();
        let stopped = |second: &u64| detector.has_stalled(Duration::from_secs(*second), || Duration::from_millis(second * milliseconds));
        (1..=3_600).find(stopped).unwrap_or(3_600)
    }

    #[test]
    fn a_start_that_works_is_waited_for_however_slow_it_is() {
        assert_eq!(waited_for(10), 3_600);
        assert_eq!(waited_for(1_000), 3_600);
    }

    #[test]
    fn a_start_that_has_stopped_is_given_up() {
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

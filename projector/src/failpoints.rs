//! Named points at which a test ends the process at once, as a power cut would. Nothing in a build without the feature `failpoints`.
//!
//! `QAMTU_FAILPOINT=before-log-copy:3` ends the process when it reaches that point for the third time.

/// The process is at this point.
#[cfg(not(feature = "failpoints"))]
pub fn hit(_point: &str) {}

/// The process is at this point.
#[cfg(feature = "failpoints")]
pub fn hit(point: &str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    static SELECTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static HITS: AtomicU32 = AtomicU32::new(0);

    let selected = SELECTED.get_or_init(|| {
        let text = std::env::var("QAMTU_FAILPOINT").ok()?;
        let (point, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((point.to_owned(), times.parse().ok()?))
    });
    if let Some((name, times)) = selected
        && name == point
        && HITS.fetch_add(1, Ordering::Relaxed) + 1 == *times
    {
        std::process::abort();
    }
}

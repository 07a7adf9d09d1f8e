//! Named points at which a test ends the process at once, as a power cut would. Nothing in a build without the feature `faults`.
//!
//! `QAMTU_FAULT=before-receipt:3` ends the process when it reaches that point for the third time.

/// The process is at this point.
#[cfg(not(feature = "faults"))]
pub fn reach(_point: &str) {}

/// The process is at this point.
#[cfg(feature = "faults")]
pub fn reach(point: &str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    static WANTED: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static REACHED: AtomicU32 = AtomicU32::new(0);

    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("QAMTU_FAULT").ok()?;
        let (point, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((point.to_owned(), times.parse().ok()?))
    });
    if let Some((name, times)) = wanted
        && name == point
        && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == *times
    {
        std::process::abort();
    }
}

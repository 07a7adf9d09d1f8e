//! Failpoints: named points at which a test aborts the process, as kill -9 would. No-ops without the feature `failpoints`.
//!
//! `QAMTU_FAILPOINT=before-log-copy:3` aborts the process at the third hit of that failpoint.

/// Aborts the process if this is the selected hit of the selected failpoint.
#[cfg(not(feature = "failpoints"))]
pub fn hit(_point: &str) {}

/// Aborts the process if this is the selected hit of the selected failpoint.
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

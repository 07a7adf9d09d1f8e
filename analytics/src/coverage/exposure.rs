//! M7: how often people were seen.

/// Adds a person who was seen so many times.
pub(crate) fn add(exposure: &mut [u64; 5], times: u32) {
    if let Some(slot) = times.checked_sub(1) {
        exposure[slot.min(4) as usize] += 1;
    }
}

//! Release control: whether a role may see a snapshot after the one it saw last.
//!
//! Guarantees: what a role sees is stored before it is shown, so the next snapshot is compared with it also after a restart.
//! [`ReleaseState`] has the rule. What a reader may see of one snapshot is left to [`crate::published`].

use crate::{
    access::{Reader, Role},
    cell::Threshold,
    coverage::Snapshot,
    error::AnalyticsError,
    published::{Published, ReleaseState},
    snapshot_store::SnapshotStore,
};

/// The state to record if a snapshot may be shown to a role now; none if it may not. A role without figures has an empty state.
pub fn check_release(snapshots: &SnapshotStore, role: Role, snapshot: &Snapshot) -> Result<Option<ReleaseState>, AnalyticsError> {
    let reader = Reader::of_region(role);
    let (Some(published), Some(threshold)) = (Published::new(snapshot, &reader), Threshold::of(&reader)) else {
        return Ok(Some(ReleaseState::default()));
    };
    let state = ReleaseState::of(&snapshot.coverage, &published);
    Ok(match snapshots.last_release(&snapshot.coverage.identity.campaign, role)? {
        None => Some(state.first()),
        Some(last) => state.after(&last.state, threshold),
    })
}

/// Records that a stored snapshot is shown to a role; false if it may not be. A snapshot that the role has seen may be shown again.
pub fn release(snapshots: &mut SnapshotStore, role: Role, snapshot: &Snapshot) -> Result<bool, AnalyticsError> {
    if snapshots.was_released(snapshot.id, role)? {
        return Ok(true);
    }
    let Some(state) = check_release(snapshots, role, snapshot)? else { return Ok(false) };
    snapshots.record_release(snapshot, role, &state)?;
    Ok(true)
}

/// The snapshot that a role sees when the service starts: the latest if it may be shown, else the one shown last.
pub fn release_latest(snapshots: &mut SnapshotStore, role: Role, latest: Option<Snapshot>) -> Result<Option<Snapshot>, AnalyticsError> {
    let Some(latest) = latest else { return Ok(None) };
    if release(snapshots, role, &latest)? {
        return Ok(Some(latest));
    }
    match snapshots.last_release(&latest.coverage.identity.campaign, role)? {
        Some(last) => snapshots.get(last.snapshot),
        None => Ok(None),
    }
}

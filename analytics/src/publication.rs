//! Publication: whether readers of a role may see a snapshot after the one that they saw last.
//!
//! Guarantees: what they see is noted before they see it, so the next snapshot is compared with it also after a restart. What may follow
//! what is decided by [`ReleaseState`].

use crate::{
    access::{Reader, Role},
    cell::Threshold,
    coverage::Snapshot,
    error::AnalyticsError,
    published::{Published, ReleaseState},
    snapshot_store::SnapshotStore,
};

/// Whether a snapshot may be shown to readers of a role now; if so, what to note. None if it may not. A role that sees no figures sees
/// nothing change.
pub fn check_release(snapshots: &SnapshotStore, role: Role, snapshot: &Snapshot) -> Result<Option<ReleaseState>, AnalyticsError> {
    let reader = Reader::of_region(role);
    let (Some(published), Some(threshold)) = (Published::new(snapshot, &reader), Threshold::of(&reader)) else {
        return Ok(Some(ReleaseState::default()));
    };
    let release = ReleaseState::of(&snapshot.coverage, &published);
    Ok(match snapshots.last_release(&snapshot.coverage.identity.campaign, role)? {
        None => Some(release.first()),
        Some((_, before)) => release.after(&before, threshold),
    })
}

/// Shows a stored snapshot to readers of a role from now on, if it may be. It also may if they have seen it already.
pub fn publish(snapshots: &mut SnapshotStore, role: Role, snapshot: &Snapshot) -> Result<bool, AnalyticsError> {
    if snapshots.was_released(snapshot.id, role)? {
        return Ok(true);
    }
    let Some(release) = check_release(snapshots, role, snapshot)? else { return Ok(false) };
    snapshots.record_release(snapshot, role, &release)?;
    Ok(true)
}

/// The snapshot that readers of a role see when a service starts: the latest if it may be shown, else what they saw last.
pub fn current(snapshots: &mut SnapshotStore, role: Role, latest: Option<Snapshot>) -> Result<Option<Snapshot>, AnalyticsError> {
    let Some(latest) = latest else { return Ok(None) };
    if publish(snapshots, role, &latest)? {
        return Ok(Some(latest));
    }
    match snapshots.last_release(&latest.coverage.identity.campaign, role)? {
        Some((id, _)) => snapshots.get(id),
        None => Ok(None),
    }
}

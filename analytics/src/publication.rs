//! Publication: whether readers of a role may see a snapshot after the one that they saw last.
//!
//! Guarantees: what they see is noted before they see it, so the next snapshot is compared with it also after a restart. What may follow
//! what is decided by [`Release`].

use crate::{
    access::{Reader, Role},
    cell::Threshold,
    error::AnalyticsError,
    published::{Published, Release},
    snapshot::{Snapshot, Snapshots},
};

/// Whether a snapshot may be shown to readers of a role now; if so, what to note. None if it may not. A role that sees no figures sees
/// nothing change.
pub fn offer(snapshots: &Snapshots, role: Role, snapshot: &Snapshot) -> Result<Option<Release>, AnalyticsError> {
    let reader = Reader::of_region(role);
    let (Some(published), Some(threshold)) = (Published::new(snapshot, &reader), Threshold::of(&reader)) else {
        return Ok(Some(Release::default()));
    };
    let release = Release::of(&snapshot.coverage, &published);
    Ok(match snapshots.released(&snapshot.coverage.identity.campaign, role)? {
        None => Some(release.first()),
        Some((_, before)) => release.after(&before, threshold),
    })
}

/// Shows a stored snapshot to readers of a role from now on, if it may be. It also may if they have seen it already.
pub fn publish(snapshots: &mut Snapshots, role: Role, snapshot: &Snapshot) -> Result<bool, AnalyticsError> {
    if snapshots.was_released(snapshot.id, role)? {
        return Ok(true);
    }
    let Some(release) = offer(snapshots, role, snapshot)? else { return Ok(false) };
    snapshots.release(snapshot, role, &release)?;
    Ok(true)
}

/// The snapshot that readers of a role see when a service starts: the latest if it may be shown, else what they saw last.
pub fn current(snapshots: &mut Snapshots, role: Role, latest: Option<Snapshot>) -> Result<Option<Snapshot>, AnalyticsError> {
    let Some(latest) = latest else { return Ok(None) };
    if publish(snapshots, role, &latest)? {
        return Ok(Some(latest));
    }
    match snapshots.released(&latest.coverage.identity.campaign, role)? {
        Some((id, _)) => snapshots.get(id),
        None => Ok(None),
    }
}

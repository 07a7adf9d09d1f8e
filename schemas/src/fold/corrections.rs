//! The graph of corrections: each event names those that it replaces.
//!
//! Which heads there are does not depend on the order of the events. What an event is about, and whether it may replace another, is left to
//! the fold.

use std::collections::BTreeSet;

use crate::id::EventId;

/// An event in the graph of corrections.
pub(super) struct Node<'a, T> {
    pub(super) id: EventId,
    pub(super) supersedes: &'a [EventId],
    pub(super) content: T,
}

/// Nodes that no other node supersedes, by id. If there are none because of a cycle, the node with the highest id that supersedes
/// anything.
pub(super) fn heads<'n, 'a, T>(nodes: &'n [Node<'a, T>]) -> Vec<&'n Node<'a, T>> {
    let superseded: BTreeSet<EventId> =
        nodes.iter().flat_map(|node| node.supersedes.iter().copied().filter(|other| *other != node.id)).collect();
    let mut heads: Vec<_> = nodes.iter().filter(|node| !superseded.contains(&node.id)).collect();
    heads.sort_by_key(|node| node.id);
    if heads.is_empty() {
        heads.extend(nodes.iter().filter(|node| !node.supersedes.is_empty()).max_by_key(|node| node.id));
    }
    heads
}

/// The node that a correction goes back to, directly or through other corrections, and that replaces nothing itself; of several the one
/// with the highest id.
pub(super) fn origin<'n, 'a, T>(nodes: &'n [Node<'a, T>], correction: &Node<'a, T>) -> Option<&'n Node<'a, T>> {
    let mut replaced = BTreeSet::new();
    let mut open = correction.supersedes.to_vec();
    while let Some(id) = open.pop() {
        if replaced.insert(id) {
            open.extend(nodes.iter().filter(|node| node.id == id).flat_map(|node| node.supersedes));
        }
    }
    nodes.iter().filter(|node| node.supersedes.is_empty() && replaced.contains(&node.id)).max_by_key(|node| node.id)
}

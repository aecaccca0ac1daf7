//! The threads of a finding or a lock by what they do.

use std::collections::BTreeMap;

use crate::report::document::{ClusterId, Ixs, Snapshot};

/// Counts of the threads of each cluster, most first. They add up to all.
pub fn by_cluster(ids: Ixs<'_>, snapshot: &Snapshot<'_>) -> Vec<(Option<ClusterId>, u64)> {
    let mut counts: BTreeMap<Option<ClusterId>, u64> = BTreeMap::new();
    for ix in ids.0 {
        *counts.entry(snapshot.cluster_of(*ix)).or_insert(0) += 1;
    }
    let mut groups: Vec<_> = counts.into_iter().collect();
    groups.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    groups
}

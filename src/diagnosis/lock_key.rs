//! The key of a lock across snapshots.

use super::Analyzed;
use crate::cluster::Fingerprint;
use crate::waits::Lock;

impl Analyzed {
    /// `lj1:` and 16 hex digits for what the lock means: its kind and its name, or, for one without a name, where
    /// it lies and what its first waiters' cluster was doing. Addresses and ids stay out: they differ from run to
    /// run.
    pub fn lock_fingerprint(&self, lock: &Lock) -> String {
        if let Some(kept) = &lock.fingerprint {
            return kept.clone();
        }
        let key = Fingerprint::default().with(&format!("{:?}", lock.kind));
        if let Some(name) = &lock.name {
            return key.with(name).key();
        }
        let cluster = lock.waiters.first().and_then(|w| self.clusters.cluster_of.get(w.at()));
        let cluster = cluster.and_then(|c| self.clusters.clusters.get(c.at()));
        let signature = cluster.into_iter().flat_map(|c| &c.signature).map(|function| &**function);
        key.with(lock.place.as_deref().unwrap_or_default()).with_all(signature).key()
    }
}

//! A lock that a thread waits for or is known to hold.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::holder::Holder;
use super::ids::{Hex, Ixs, LockId};
use super::resolve::Resolver;
use crate::normalize::ResourceClass;
use crate::waits::{self, Identity, LockKind};

/// Who waits for a lock.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Waiters<'a> {
    /// How many threads.
    pub count: u64,
    /// Which.
    pub ids: Ixs<'a>,
}

/// A lock.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Lock<'a> {
    /// Its id in this snapshot; `fingerprint` is the key across snapshots.
    pub id: LockId,
    /// Its kind.
    pub kind: LockKind,
    /// Where it lies in the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Hex>,
    /// The producer's own id of it, where that is no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'a str>,
    /// What makes it one lock. `site`: only the place in the code says so, several locks may be merged.
    pub identity: Identity,
    /// Symbol, class or resource name: `g_log_mutex`, `java.lang.Object`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// What it guards, where a rule knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ResourceClass>,
    /// Where it lies, in words (`in logserver .bss`): for reports that a person reads.
    #[serde(skip)]
    pub place: Option<&'a str>,
    /// Who holds it.
    pub holder: Holder<'a>,
    /// All holders, where several hold it (readers).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder<'a>>,
    /// Who waits for it.
    pub waiters: Waiters<'a>,
    /// `lj1:` and 16 hexadecimal digits: what the lock means, the same across runs, machines and addresses.
    pub fingerprint: String,
}

/// The locks of a snapshot, each made when somebody reads it: there may be as many as threads, and a report for a
/// person shows a few.
#[derive(Clone, Copy, Debug)]
pub struct Locks<'a>(pub(super) Resolver<'a>);

impl<'a> Locks<'a> {
    /// How many.
    pub fn len(self) -> usize {
        self.0.analyzed.lock_count()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The lock with this id.
    pub fn get(self, id: LockId) -> Option<Lock<'a>> {
        Some(Lock::of(id, self.0.lock(id.0)?, self.0))
    }

    /// All of them, in the order of their ids.
    pub fn iter(self) -> impl Iterator<Item = Lock<'a>> {
        self.0.locks().map(move |(id, lock)| Lock::of(id, lock, self.0))
    }
}

impl Serialize for Locks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'a> Lock<'a> {
    fn of(id: LockId, lock: &'a waits::Lock, names: Resolver<'a>) -> Self {
        Self {
            id,
            kind: lock.kind,
            address: lock.address.map(Hex),
            token: lock.token.as_deref(),
            identity: lock.identity,
            name: lock.name.as_deref(),
            class: lock.class,
            place: lock.place.as_deref(),
            holder: Holder::of(&lock.holder, names),
            holders: Holder::all_of(lock, names),
            waiters: Waiters {
                count: names.count(&lock.waiters) + lock.unseen(),
                ids: names.ixs(&lock.waiters),
            },
            fingerprint: names.analyzed.lock_fingerprint(lock),
        }
    }
}

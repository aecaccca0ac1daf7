//! Locks that one thread holds, as the text says, and nobody wants: a JVM lists hundreds of thousands of them. They
//! explain nothing, so the analysis passes them by; a report that lists them asks for them.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::activity::Waits;
use super::class;
use super::lock::Lock;
use super::observation::LockKey;
use super::reported;
use super::sections::Sections;
use super::words::Words;
use crate::model::{NamedLock, NamedLockIx, ReportedLock, Snapshot, ThreadIx};
use crate::normalize::{Meanings, Readings};

/// The quiet locks of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Quiet {
    /// The holder of each lock that the text names, by [`NamedLockIx`]; of those that are not quiet none.
    holders: Vec<Option<ThreadIx>>,
    count: usize,
    told: OnceLock<Told>,
}

/// What there is to say of quiet locks.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The locks, by kind, address and name.
    pub locks: Vec<Lock>,
    /// What their holders do, in words.
    pub doing: FxHashMap<ThreadIx, String>,
}

impl Quiet {
    /// Those of the named locks that one thread holds and none waits for. `is_wanted`: whether a thread waits for
    /// it, which the text need not say.
    pub(super) fn among(snapshot: &Snapshot, is_wanted: impl Fn(&LockKey<'_>) -> bool) -> Self {
        if snapshot.holds.is_empty() {
            return Self::default();
        }
        let named = &snapshot.named_locks;
        let mut holders: Vec<Held> = vec![Held::ByNobody; named.len()];
        for (ix, thread) in (0u32..).map(ThreadIx).zip(&snapshot.threads) {
            for lock in reported::held_by(thread, snapshot) {
                if let Some(held) = holders.get_mut(lock.at()) {
                    *held = match *held {
                        Held::ByNobody => Held::By(ix),
                        Held::By(known) if known == ix => Held::By(ix),
                        _ => Held::BySeveral,
                    };
                }
            }
        }
        let printed: FxHashSet<LockKey<'_>> =
            snapshot.reported_locks.iter().filter_map(key_of_printed).collect();
        let is_quiet = |lock: &NamedLock| {
            let key = LockKey::of(&lock.id);
            lock.waiters.is_none() && !is_wanted(&key) && !printed.contains(&key)
        };
        // Owners may be printed by symbol: of locks that have a name and no more.
        let has_symbols = snapshot.reported_locks.iter().any(|lock| lock.symbol.is_some());
        let holders: Vec<Option<ThreadIx>> = holders
            .into_iter()
            .zip(named)
            .map(|(held, lock)| match held {
                Held::By(thread) if !has_symbols && is_quiet(lock) => Some(thread),
                _ => None,
            })
            .collect();
        let count = holders.iter().flatten().count();
        Self { holders, count, told: OnceLock::new() }
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, lock: NamedLockIx) -> bool {
        self.holders.get(lock.at()).is_some_and(Option::is_some)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What there is to say of them; made when it is first asked for.
    pub fn told(
        &self,
        snapshot: &Snapshot,
        meanings: &Meanings,
        readings: &Readings,
        waits: &Waits,
    ) -> &Told {
        self.told.get_or_init(|| {
            if self.is_empty() {
                return Told::default();
            }
            let holders = self.holders.iter().zip(&snapshot.named_locks);
            let mut locks: Vec<Lock> = holders
                .filter_map(|(holder, named)| {
                    let mut lock = reported::held_lock(named).lock();
                    lock.holders.push((*holder)?);
                    reported::settle(&mut lock);
                    Some(lock)
                })
                .collect();
            class::tell(&mut locks, snapshot, meanings, &Sections::new(snapshot, meanings, readings));
            locks.sort_by(|a, b| {
                let key = |lock: &'_ Lock| (lock.kind, lock.address);
                key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
            });
            let threads = self.holders.iter().flatten().copied();
            let is_new = |thread: &ThreadIx| waits.of(*thread).doing.is_none();
            let words = Words { snapshot, meanings, readings, waits };
            let doing = words.doing_of(threads.filter(is_new).collect()).collect();
            Told { locks, doing }
        })
    }

    /// The same, for good: nothing is left to tell.
    pub fn take(&mut self) -> Told {
        std::mem::take(self).told.into_inner().unwrap_or_default()
    }
}

/// Who holds a lock, as far as it matters here.
#[derive(Clone, Copy)]
enum Held {
    ByNobody,
    By(ThreadIx),
    BySeveral,
}

fn key_of_printed(lock: &ReportedLock) -> Option<LockKey<'_>> {
    lock.address.map(LockKey::Address).or_else(|| lock.token.as_ref().map(LockKey::Token))
}

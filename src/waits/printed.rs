//! Owners and counts of waiters that a text prints about its locks.

use rustc_hash::FxHashMap;

use super::lock::{Holder, Lock};
use super::threads::ThreadMap;
use crate::model::{Certainty, Evidence, LockId, ReportedLock, ReportedOwner, Snapshot, Str, ThreadNumber};

/// Owners that a text printed (`p *mutex`: `__owner = 11212`).
pub(super) fn owners(locks: &mut [Lock], snapshot: &Snapshot, threads: &ThreadMap) {
    let printed = Printed::of(&snapshot.reported_locks);
    for lock in locks {
        let Some(printed) = printed.find(lock).and_then(|n| snapshot.reported_locks.get(n)) else { continue };
        if let Some(count) = printed.waiters {
            lock.counted = Some(count);
            lock.evidence
                .push(Evidence::reported(format!("the text counts {count} threads that wait for it")));
        }
        lock.holder = match &printed.owner {
            &ReportedOwner::Tid(owner) => {
                let holder = match threads.by_tid(owner) {
                    _ if owner == 0 => Holder::Free,
                    Some(thread) => Holder::Thread { thread, certainty: Certainty::Reported },
                    None => Holder::EndedThread {
                        owner: Some(ThreadNumber::Decimal(owner)),
                        certainty: Certainty::Reported,
                    },
                };
                lock.evidence.push(Evidence::reported(match holder {
                    Holder::Free => "the text says that nobody owns it".to_owned(),
                    _ => format!("the text says that thread {owner} owns it"),
                }));
                holder
            }
            &ReportedOwner::Ended(owner) => {
                let who = owner.map(|id| format!(", {id},")).unwrap_or_default();
                lock.evidence
                    .push(Evidence::reported(format!("the text says that its owner{who} has ended")));
                Holder::EndedThread { owner, certainty: Certainty::Reported }
            }
            &ReportedOwner::NotListed(owner) => {
                lock.evidence.push(Evidence::reported(format!("the text names thread {owner} as its owner")));
                lock.evidence.push(Evidence::inferred(
                    "no thread of the list has this id, and the list of threads begins with 0 and has no hole",
                ));
                Holder::EndedThread { owner: Some(owner), certainty: Certainty::Inferred }
            }
            &ReportedOwner::Thread(thread) => Holder::Thread { thread, certainty: Certainty::Reported },
            &ReportedOwner::OtherProcess { pid, thread } => {
                Holder::OtherProcess { owner: thread, pid: Some(pid) }
            }
            // One that says itself that it has the lock may be called otherwise in its own header.
            ReportedOwner::NotShown(_) if lock.holder.thread().is_some() || !lock.holders.is_empty() => {
                continue;
            }
            ReportedOwner::NotShown(owner) => Holder::NotShown { owner: owner.clone() },
        };
    }
}

/// The first of the locks that a text printed with an address, a token, a symbol.
struct Printed<'a> {
    of_address: FxHashMap<u64, usize>,
    of_token: FxHashMap<&'a Str, usize>,
    of_symbol: FxHashMap<&'a Str, usize>,
}

impl<'a> Printed<'a> {
    fn of(printed: &'a [ReportedLock]) -> Self {
        let (mut of_address, mut of_token, mut of_symbol) =
            (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
        for (n, lock) in printed.iter().enumerate().rev() {
            of_address.extend(lock.address.map(|address| (address, n)));
            of_token.extend(lock.token.as_ref().map(|token| (token, n)));
            of_symbol.extend(lock.symbol.as_ref().map(|symbol| (symbol, n)));
        }
        Self { of_address, of_token, of_symbol }
    }

    /// The first that is this lock.
    fn find(&self, lock: &Lock) -> Option<usize> {
        let by_address = lock.address.and_then(|address| self.of_address.get(&address));
        let by_token = lock.token.as_ref().and_then(|token| self.of_token.get(token));
        let by_symbol = lock.name.as_ref().and_then(|name| self.of_symbol.get(name));
        [by_address, by_token, by_symbol].into_iter().flatten().min().copied()
    }
}

/// How many threads wait for each lock, where the text counts them.
pub(super) fn counts(locks: &mut [Lock], snapshot: &Snapshot) {
    let counted = snapshot.named_locks.iter().filter(|named| named.waiters.is_some());
    let counts: FxHashMap<&LockId, Option<u64>> = counted.map(|named| (&named.id, named.waiters)).collect();
    if counts.is_empty() {
        return;
    }
    for lock in locks {
        let id = lock.address.map(LockId::Address).or_else(|| lock.token.clone().map(LockId::Token));
        if let Some(waiters) = id.and_then(|id| counts.get(&id)) {
            lock.counted = *waiters;
        }
    }
}

//! Threads as a support bundle of Jenkins has them: `nodes/master/thread-dump.txt`.
//!
//! ```text
//! "http-exec-40" id=61 (0x3d) state=BLOCKED cpu=83%
//!     - waiting to lock <0x7699a589> (a applog.Logger)
//!      owned by http-exec-0 id=13
//!     at applog.Logger.write(Logger.java:31)
//!       - locked java.lang.Object@2a139a55
//!
//!     Locked synchronizers: count = 1
//!       - java.util.concurrent.locks.ReentrantLock$NonfairSync@7699a589
//! "http-exec-5" id=26 (0x1a) state=WAITING cpu=83%
//!     - waiting on <0x7699a589> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
//!     - locked <0x7699a589> (a java.util.concurrent.locks.ReentrantLock$NonfairSync)
//! "main" id=1 (0x1) state=RUNNABLE cpu=83% (running in native)
//! ```
//!
//! What looks like the address of a lock is the hash of an object, which other lines write as `CLASS@HASH`. The lock for
//! which a thread waits is named once more as locked, and is not. Of the monitors that a thread holds the first is left out,
//! so that who holds one is known only where somebody waits for it.
//!
//! Source: jenkinsci/support-core-plugin, impl/ThreadDumps.java `threadDumpModern`.

use rustc_hash::FxHashMap;

use super::java;
use crate::formats::text::{Body, Head, OwnerRef};
use crate::model::{
    LockId, NamedLock, NamedLockIx, ReportedLockKind, Snapshot, Str, Thread, ThreadId, WaitMode,
};

/// What stands in each header and in no other dump of Java.
pub(super) const STATE: &str = ") state=";

/// Above the frames of threads that are in a deadlock, one after the other: their stacks stand above as well.
pub(super) const DEADLOCK: &str = " Deadlock Found";

/// Fields of a header that say nothing of the thread: the share of its time that was not the system's, and for how long.
static FIELDS: &[&str] = &["cpu=", "time=", "(suspended)", "(running in native)"];

/// Reads a header of which the name's first quote is gone.
pub(super) fn head(text: &str) -> Option<Head> {
    let (name, id, rest) = memchr::memrchr_iter(b'"', text.as_bytes()).find_map(|at| {
        let (id, rest) = text.get(at + 1..)?.strip_prefix(" id=")?.split_once(" (0x")?;
        let (hex, rest) = rest.split_once(STATE)?;
        let id: u64 = id.parse().ok().filter(|id| u64::from_str_radix(hex, 16) == Ok(*id))?;
        Some((text.get(..at)?, id, rest))
    })?;
    let (state, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.name = Some(name.into());
    let said = java::state(state).or_else(|| java::is_state_word(state).then_some(java::UNTOLD))?;
    thread.reported = Some(said);
    let known = FIELDS.iter().any(|field| rest.starts_with(field)) || rest.is_empty();
    let new =
        [(state, java::state(state).is_some()), (rest, known)].into_iter().find(|(_, is_known)| !is_known);
    Some(Head { unknown: new.map(|(text, _)| text.to_owned()), ..Head::of(thread) })
}

/// `owned by http-exec-0 id=13`: who has the lock of the line above.
pub(super) fn owner(text: &str) -> Option<OwnerRef> {
    let (_, id) = text.strip_prefix("owned by ")?.rsplit_once(" id=")?;
    Some(OwnerRef::Id(ThreadId::Number(id.split(' ').next()?.parse().ok()?)))
}

/// What stands above all frames is the lock for which the thread waits, whatever it is called.
pub(super) fn without_its_own_wait(body: &mut Body) {
    let Some(wait) = &body.wait else { return };
    let is_it =
        |hold: &crate::formats::text::BodyHold| hold.depth.is_none() && hold.lock.name == wait.lock.name;
    body.holds.retain(|hold| !is_it(hold));
}

/// Whether this is a snapshot of such a text: JVMs know more of their threads than a number.
pub(super) fn is_of(snapshot: &Snapshot) -> bool {
    snapshot.threads.iter().all(|thread| thread.tid.is_none() && thread.handle.is_none())
}

/// Gives each lock the name that all lines can agree on: `CLASS@HASH`.
pub(super) fn name_locks(snapshot: &mut Snapshot) {
    // The hash, and what others write for it.
    let hashed = |lock: &NamedLock| match lock.id {
        LockId::Address(hash) if u32::try_from(hash).is_ok() => {
            Some((hash, format!("{}@{hash:x}", lock.name.as_deref()?)))
        }
        _ => None,
    };
    let mut known: FxHashMap<String, NamedLockIx> = FxHashMap::default();
    for (ix, lock) in (0u32..).map(NamedLockIx).zip(&snapshot.named_locks) {
        if let LockId::Token(token) = &lock.id {
            known.insert(token.to_string(), ix);
        }
    }
    let mut same: FxHashMap<NamedLockIx, NamedLockIx> = FxHashMap::default();
    let mut tokens: FxHashMap<u64, Str> = FxHashMap::default();
    for (ix, lock) in (0u32..).map(NamedLockIx).zip(&mut snapshot.named_locks) {
        let Some((hash, token)) = hashed(lock) else { continue };
        let text: Str = token.as_str().into();
        lock.id = LockId::Token(text.clone());
        tokens.insert(hash, text);
        if lock.name.as_deref().is_some_and(java::is_synchronizer) {
            lock.kind = ReportedLockKind::JavaSynchronizer;
        }
        match known.get(&token) {
            Some(&other) => {
                same.insert(ix, other);
            }
            None => {
                known.insert(token, ix);
            }
        }
    }
    let the_one = |ix: NamedLockIx| same.get(&ix).copied().unwrap_or(ix);
    for wait in snapshot.threads.iter_mut().filter_map(|thread| thread.reported_wait.as_mut()) {
        wait.lock = the_one(wait.lock);
        let lock = snapshot.named_locks.get(wait.lock.at());
        if wait.mode == WaitMode::Notify
            && lock.is_some_and(|lock| lock.kind == ReportedLockKind::JavaSynchronizer)
        {
            wait.mode = WaitMode::Park;
        }
    }
    for hold in &mut snapshot.holds {
        hold.lock = the_one(hold.lock);
    }
    for lock in &mut snapshot.reported_locks {
        if let Some(token) = lock.address.and_then(|address| tokens.get(&address)) {
            (lock.address, lock.token) = (None, Some(token.clone()));
        }
    }
}

//! Whether a dump lists who owns exclusive synchronizers: a section below each thread, which only some are asked for.
//!
//! ```text
//!    Locked ownable synchronizers:                  jstack -l, jcmd Thread.print -l, jhsdb jstack, VisualVM
//!     - None
//!     Number of locked synchronizers = 1             ThreadInfo, of threads that have one
//!     - java.util.concurrent.locks.ReentrantLock$NonfairSync@1b2c
//!     Locked synchronizers: count = 1                Jenkins, likewise
//! ```
//!
//! Source: OpenJDK 6-25 services/threadService.cpp `ConcurrentLocksDump::print_locks_on`, whose lists are those of
//! threads of the system: a virtual thread that owns a synchronizer is in none of them.

use crate::formats::text::Section;
use crate::model::{Snapshot, ThreadKind};

/// The word that all of these have, and what stands before it.
const WORD: &[u8] = b" synchronizers";
const BEFORE: &[&[u8]] = &[b"   Locked ownable", b"\tNumber of locked", b" Locked"];

/// Tells the dumps that have such sections; they come in the order of the text.
pub(super) fn tell(section: &Section<'_>, snapshots: &mut [Snapshot]) {
    let begins: Vec<u64> = snapshots.iter().map(|snapshot| snapshot.source.offset).collect();
    let mut told = 0;
    for at in memchr::memmem::find_iter(&section.text, WORD) {
        if told == snapshots.len() {
            break;
        }
        let before = section.text.get(..at).unwrap_or_default();
        if !BEFORE.iter().any(|words| before.ends_with(words)) {
            continue;
        }
        let after = begins.partition_point(|begin| *begin <= section.offset(at));
        let of = after.checked_sub(1).and_then(|ix| snapshots.get_mut(ix));
        if let Some(snapshot) = of.filter(|snapshot| !snapshot.lists_owners) {
            snapshot.lists_owners = true;
            told += 1;
        }
    }
    for snapshot in snapshots.iter_mut().filter(|snapshot| has_virtual(snapshot)) {
        snapshot.lists_owners = false;
    }
}

/// Whether a virtual thread may own what nobody is said to own.
fn has_virtual(snapshot: &Snapshot) -> bool {
    snapshot.threads.iter().any(|thread| thread.kind == ThreadKind::Virtual)
}

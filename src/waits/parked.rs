//! The locks of parked threads of `parking_lot`: each sleeps on a word of its own, and the address of
//! what it waits for (the `key` of its `ThreadData`) lies beside that word. The layout is Rust's
//! own and differs by build, but is the same for all threads of a process.

use rustc_hash::FxHashMap;

use super::kinds::LockKind;
use super::native::Native;
use super::observation::{Claim, LockClaim, LockKey, Observation};
use crate::model::AddressSpace;

/// Where the key was found in builds that were looked at, bytes from the futex word; tried first.
const USUAL_OFFSET: i64 = -32;

/// How far around the word it is looked for.
const FARTHEST: i64 = 64;

/// A pointer this near to the word leads into the thread's own data.
const OWN_DATA: u64 = 4_096;

/// Gives parked threads the address of what they wait for, where it is found.
pub(super) fn find_keys(native: &Native<'_>, seen: &mut [Observation<'_>]) {
    let words: Vec<(usize, u64)> = seen
        .iter()
        .enumerate()
        .filter_map(|(n, s)| match &s.claim {
            Some(Claim::Lock(LockClaim {
                kind: LockKind::ParkingLot, key: LockKey::Address(word), ..
            })) => Some((n, *word)),
            _ => None,
        })
        .collect();
    if words.is_empty() {
        return;
    }
    let key = |word: u64, offset: i64| pointer(native.memory, word, offset);
    // At the right place every thread has a pointer; of several such places the one that the most
    // threads share a value of.
    let fits = |offset: &i64| words.iter().all(|&(_, word)| key(word, *offset).is_some());
    let shared = |offset: &i64| {
        let mut counts: FxHashMap<u64, usize> = FxHashMap::default();
        for value in words.iter().filter_map(|&(_, word)| key(word, *offset)) {
            *counts.entry(value).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    };
    let found = Some(USUAL_OFFSET).filter(fits).or_else(|| {
        let offsets = (-FARTHEST..=FARTHEST).step_by(8).filter(fits);
        offsets.max_by_key(|offset| (shared(offset), std::cmp::Reverse(offset.abs())))
    });
    let Some(offset) = found else { return };
    for (n, word) in words {
        if let (Some(Claim::Lock(claim)), Some(lock)) = (&mut seen[n].claim, key(word, offset)) {
            claim.key = LockKey::Address(lock);
            claim.is_shared_object = true;
        }
    }
}

/// The pointer at this place, if it leads to memory that the process may write and that is not the
/// thread's own.
fn pointer(memory: &dyn AddressSpace, word: u64, offset: i64) -> Option<u64> {
    let value = memory.word((word & !7).checked_add_signed(offset)?)?;
    let is_plausible = value >= OWN_DATA && value.abs_diff(word) > OWN_DATA && memory.is_writable(value);
    is_plausible.then_some(value)
}

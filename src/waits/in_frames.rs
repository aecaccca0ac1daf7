//! Which addresses of locks lie in the live frames of which threads.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::native::Native;
use super::observation::{Claim, LockClaim, LockKey, Observation};
use crate::model::{Snapshot, Thread, ThreadIx};
use crate::unwind::{FrameState, WalkCache};

/// Live stack looked at in one thread, bytes.
const MOST_STACK: u64 = 256 << 10;

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 256;

/// Which of the addresses lie in which threads' live frames.
pub(super) type InFrames = FxHashMap<u64, FxHashSet<ThreadIx>>;

/// One pass over the live stack words of all threads that do not wait, against the set of all
/// addresses at once.
pub(super) fn addresses_in_live_frames(
    native: &Native<'_>,
    snapshot: &Snapshot,
    seen: &[Observation<'_>],
    addresses: &FxHashSet<u64>,
) -> InFrames {
    let Some(walker) = native.walker else { return InFrames::default() };
    let threads: Vec<ThreadIx> =
        (0..snapshot.threads.len() as u32).map(ThreadIx).filter(|t| !is_waiting_itself(seen, *t)).collect();
    let found: Vec<(u64, ThreadIx)> = threads
        .par_chunks(THREADS_A_CHUNK)
        .map_init(WalkCache::default, |cache, chunk| {
            let mut found = Vec::new();
            for &thread in chunk {
                let Some(registers) = native.registers(thread) else { continue };
                let mut last_sp = None;
                let mut look = |value: u64| {
                    if addresses.contains(&value) {
                        found.push((value, thread));
                    }
                };
                walker.walk(registers, 512, cache, &mut |frame: &FrameState| {
                    // What a call need not preserve is stale in the innermost frame of a blocked
                    // thread, and unknown in the others.
                    for &register in walker.arch().callee_saved {
                        if let Some(value) = frame.context.get(register) {
                            look(value);
                        }
                    }
                    last_sp = frame.context.sp(walker.arch());
                });
                let end = last_sp.unwrap_or(registers.sp).min(registers.sp.saturating_add(MOST_STACK));
                let length = end.saturating_sub(registers.sp) as usize & !7;
                if let Some(words) = native.memory.bytes(registers.sp, length) {
                    for word in words.as_chunks::<8>().0 {
                        look(u64::from_le_bytes(*word));
                    }
                }
            }
            found
        })
        .flatten_iter()
        .collect();
    let mut by_address = InFrames::default();
    for (address, thread) in found {
        by_address.entry(address).or_default().insert(thread);
    }
    by_address
}

fn is_waiting_itself(seen: &[Observation<'_>], thread: ThreadIx) -> bool {
    seen[thread.at()].state.is_blocked()
        && matches!(&seen[thread.at()].claim, Some(Claim::Lock(c)) if matches!(c.key, LockKey::Site(_)))
}

/// The same for a text: arguments that it prints.
pub(super) fn addresses_in_arguments(
    snapshot: &Snapshot,
    seen: &[Observation<'_>],
    addresses: &FxHashSet<u64>,
) -> InFrames {
    let mut by_address = InFrames::default();
    if addresses.is_empty() {
        return by_address;
    }
    let of_thread = |(ix, thread): (usize, &Thread)| {
        let values = snapshot.values.of(thread.values).iter();
        // Whoever waits for a lock has its address.
        let own = match &seen[ix].claim {
            Some(Claim::Lock(LockClaim { key: LockKey::Address(address), .. })) => Some(*address),
            _ => None,
        };
        let values = values.filter(|value| Some(**value) != own && addresses.contains(value));
        values.map(|value| (*value, ThreadIx(ix as u32))).collect::<SmallVec<[(u64, ThreadIx); 1]>>()
    };
    let threads = snapshot.threads.par_iter().enumerate().with_min_len(THREADS_A_CHUNK);
    let found: Vec<(u64, ThreadIx)> = threads.flat_map_iter(of_thread).collect();
    for (address, thread) in found {
        by_address.entry(address).or_default().insert(thread);
    }
    by_address
}

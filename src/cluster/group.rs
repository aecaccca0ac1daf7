//! Threads to clusters: each distinct stack is looked at once, threads are integers.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Cluster, ClusterIx, Clusters, Fingerprint, SIGNATURE_FRAMES};
use crate::model::{FrameIx, Snapshot, StackIx, Str, ThreadIx};
use crate::normalize::{self, Meanings, Readings};
use crate::waits::{LockIx, State, Target, Waits};

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 4_096;

/// What makes two threads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    state: State,
    signature: u32,
    lock: Option<LockIx>,
}

/// Groups the threads of a snapshot. The same clusters for any number of workers.
pub fn group(snapshot: &Snapshot, meanings: &Meanings, readings: &Readings, waits: &Waits) -> Clusters {
    let (signatures, signature_of) = signatures(snapshot, meanings, readings);
    let keys: Vec<Key> = snapshot
        .threads
        .par_iter()
        .with_min_len(THREADS_A_CHUNK)
        .zip(&waits.activities)
        .map(|(thread, activity)| Key {
            state: activity.state,
            signature: signature_of[thread.stack.at()],
            lock: match activity.wait.as_ref().map(|w| &w.target) {
                Some(Target::Lock(lock)) if splits(activity.state, waits, *lock) => Some(*lock),
                _ => None,
            },
        })
        .collect();

    let mut members: Vec<(Key, Vec<ThreadIx>)> = Vec::new();
    let mut place: FxHashMap<Key, usize> = FxHashMap::default();
    for (n, key) in keys.into_iter().enumerate() {
        let at = *place.entry(key).or_insert_with(|| {
            members.push((key, Vec::new()));
            members.len() - 1
        });
        members[at].1.push(ThreadIx(n as u32));
    }

    let mut clusters: Vec<Cluster> = members
        .into_par_iter()
        .map(|(key, threads)| cluster(snapshot, waits, key, &signatures[key.signature as usize], threads))
        .collect();
    clusters.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
            .then_with(|| a.threads.cmp(&b.threads))
    });
    let mut cluster_of = vec![ClusterIx(0); snapshot.threads.len()];
    for (n, cluster) in clusters.iter().enumerate() {
        for thread in &cluster.threads {
            cluster_of[thread.at()] = ClusterIx(n as u32);
        }
    }
    Clusters { clusters, cluster_of }
}

/// Whether waiters of this lock are told apart from waiters of another one in the same code. Not
/// for condition variables and semaphores: a pool may have one for each of its workers.
fn splits(state: State, waits: &Waits, lock: LockIx) -> bool {
    state.is_blocked() && waits.locks[lock.at()].is_shared_object
}

/// Stacks that one worker looks at in one go.
const STACKS_A_CHUNK: usize = 1_024;

/// The different signatures, and the one of each stack.
fn signatures(snapshot: &Snapshot, meanings: &Meanings, readings: &Readings) -> (Vec<Vec<Str>>, Vec<u32>) {
    // Names as numbers: stacks share them.
    let mut names: Vec<&Str> = Vec::new();
    let mut number_of: FxHashMap<&Str, u32> = FxHashMap::default();
    let number = |frame: u32| {
        let name = &meanings.get(FrameIx(frame)).name;
        *number_of.entry(name).or_insert_with(|| {
            names.push(name);
            (names.len() - 1) as u32
        })
    };
    let of_frame: Vec<u32> = (0..snapshot.stacks.all_frames().len() as u32).map(number).collect();
    let stacks = (0..snapshot.stacks.stack_count() as u32).into_par_iter().with_min_len(STACKS_A_CHUNK);
    let signatures: Vec<Signature> = stacks
        .map(|n| {
            let stack = StackIx(n);
            let frames = snapshot.stacks.frames_of(stack);
            let meaningful = readings.get(stack).meaningful.iter();
            let mut signature = Signature::new();
            for &name in meaningful.filter_map(|&at| of_frame.get(frames.get(at)?.at())) {
                // A recursion is one step of the signature, however deep it was at the moment.
                if signature.last() != Some(&name) {
                    signature.push(name);
                }
                if signature.len() == SIGNATURE_FRAMES {
                    break;
                }
            }
            signature
        })
        .collect();
    let mut all: Vec<Vec<Str>> = Vec::new();
    let mut known: FxHashMap<Signature, u32> = FxHashMap::default();
    let named = |signature: Signature| {
        *known.entry(signature).or_insert_with_key(|signature| {
            let of_signature = signature.iter().filter_map(|n| names.get(*n as usize));
            all.push(of_signature.map(|name| (*name).clone()).collect());
            (all.len() - 1) as u32
        })
    };
    let of_stack = signatures.into_iter().map(named).collect();
    (all, of_stack)
}

/// Numbers of names.
type Signature = SmallVec<[u32; SIGNATURE_FRAMES]>;

fn cluster(
    snapshot: &Snapshot,
    waits: &Waits,
    key: Key,
    signature: &[Str],
    threads: Vec<ThreadIx>,
) -> Cluster {
    let mut stacks: FxHashMap<StackIx, (u64, ThreadIx)> = FxHashMap::default();
    let mut names: FxHashMap<&str, u64> = FxHashMap::default();
    let mut cpu_us: Option<(u64, u64)> = None;
    for &ix in &threads {
        let thread = &snapshot.threads[ix.at()];
        stacks.entry(thread.stack).or_insert((0, ix)).0 += thread.weight;
        if let Some(name) = &thread.name {
            *names.entry(name).or_default() += thread.weight;
        }
        if let Some(us) = thread.cpu_us {
            let (total, most) = cpu_us.unwrap_or_default();
            cpu_us = Some((total.saturating_add(us), most.max(us)));
        }
    }
    let stack = stacks
        .iter()
        .max_by_key(|(_, (count, first))| (*count, std::cmp::Reverse(*first)))
        .map_or(StackIx::EMPTY, |(stack, _)| *stack);
    let mut patterns: FxHashMap<String, u64> = FxHashMap::default();
    for (name, count) in names {
        *patterns.entry(normalize::thread_name_pattern(name)).or_default() += count;
    }
    let mut thread_names: Vec<(Str, u64)> = patterns.into_iter().map(|(n, c)| (n.into(), c)).collect();
    thread_names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));

    let lock = common_lock(waits, &threads);
    let lock_name = key.lock.and_then(|l| waits.locks[l.at()].name.clone());
    let fingerprint = Fingerprint::default()
        .with("cluster")
        .with(key.state.id())
        .with(lock_name.as_deref().unwrap_or(""))
        .with_all(signature.iter().map(|s| &**s))
        .key();
    Cluster {
        state: key.state,
        signature: signature.to_vec(),
        stack,
        lock,
        variants: stacks.len() as u32,
        thread_names,
        cpu_us,
        fingerprint,
        count: snapshot.count(&threads),
        threads,
    }
}

/// The lock that all of these threads wait for.
fn common_lock(waits: &Waits, threads: &[ThreadIx]) -> Option<LockIx> {
    let lock_of = |ix: &ThreadIx| match waits.activities[ix.at()].wait.as_ref()?.target {
        Target::Lock(lock) => Some(lock),
        _ => None,
    };
    let first = lock_of(threads.first()?)?;
    threads.iter().all(|t| lock_of(t) == Some(first)).then_some(first)
}

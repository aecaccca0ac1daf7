//! Threads to clusters: each distinct stack is looked at once, threads are integers.

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;

use super::{Cluster, ClusterIx, Clusters, Fingerprint, SIGNATURE_FRAMES};
use crate::model::{FrameIx, Pool, Snapshot, StackIx, Str, ThreadIx};
use crate::normalize::{self, Meanings, Readings};
use crate::waits::{LockIx, State, Target, Waits};

/// Clusters that one worker makes in one go.
const MEMBERS_A_CHUNK: usize = 64;

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
    let Signatures { names, all: signatures, of_stack: signature_of } =
        Signatures::of(snapshot, meanings, readings);
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

    // Nearly every signature is a cluster.
    let mut members: Vec<(Key, Vec<ThreadIx>)> = Vec::with_capacity(signatures.len());
    let mut place: FxHashMap<Key, usize> =
        FxHashMap::with_capacity_and_hasher(signatures.len(), FxBuildHasher);
    for (n, key) in keys.into_iter().enumerate() {
        let at = *place.entry(key).or_insert_with(|| {
            members.push((key, Vec::new()));
            members.len() - 1
        });
        members[at].1.push(ThreadIx(n as u32));
    }

    // In the order of their first threads, which are looked up in memory then.
    let mut made: Vec<(Fingerprint, Option<Cluster>)> = members
        .into_par_iter()
        .with_min_len(MEMBERS_A_CHUNK)
        .map(|(key, threads)| {
            let signature = signatures.get(key.signature).into_iter().flatten();
            let signature = signature.filter_map(|n| names.get(*n as usize).copied()).cloned().collect();
            let (fingerprint, cluster) = cluster(snapshot, waits, key, signature, threads);
            (fingerprint, Some(cluster))
        })
        .collect();
    // No two have a thread in common.
    let mut order: Vec<_> = (0..)
        .zip(&made)
        .filter_map(|(n, (fingerprint, cluster))| {
            let cluster = cluster.as_ref()?;
            Some((Reverse(cluster.count), *fingerprint, cluster.threads.first().copied(), n))
        })
        .collect();
    order.par_sort_unstable();
    let clusters: Vec<Cluster> =
        order.into_iter().filter_map(|(.., n)| made.get_mut::<usize>(n)?.1.take()).collect();
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

/// The different signatures. Names are numbers: stacks share them.
struct Signatures<'m> {
    names: Vec<&'m Str>,
    all: Pool<u32>,
    /// The one of each stack.
    of_stack: Vec<u32>,
}

impl<'m> Signatures<'m> {
    fn of(snapshot: &Snapshot, meanings: &'m Meanings, readings: &Readings) -> Self {
        let stacks = (0..snapshot.stacks.stack_count() as u32).into_par_iter().with_min_len(STACKS_A_CHUNK);
        let frames: Vec<Signature> =
            stacks.map(|n| signature_frames(StackIx(n), snapshot, meanings, readings)).collect();
        // Few frames are in a signature, and many stacks have the same ones: only these names are compared.
        let mut by_frames = Pool::default();
        let of_stack: Vec<u32> = frames.iter().map(|frames| by_frames.add(frames)).collect();
        let mut names: Vec<&Str> = Vec::new();
        let mut number_of: FxHashMap<&Str, u32> = FxHashMap::default();
        let mut number = |frame: u32| {
            let name = &meanings.get(FrameIx(frame)).name;
            *number_of.entry(name).or_insert_with(|| {
                names.push(name);
                (names.len() - 1) as u32
            })
        };
        let mut all = Pool::default();
        let merged: Vec<u32> = (0..by_frames.len() as u32)
            .map(|n| {
                let frames = by_frames.get(n).into_iter().flatten();
                let signature: Signature = frames.map(|&frame| number(frame)).collect();
                all.add(&signature)
            })
            .collect();
        let of_stack = of_stack.into_iter().filter_map(|n| merged.get(n as usize).copied()).collect();
        Self { names, all, of_stack }
    }
}

/// The frames that make the signature of a stack.
fn signature_frames(
    stack: StackIx,
    snapshot: &Snapshot,
    meanings: &Meanings,
    readings: &Readings,
) -> Signature {
    let frames = snapshot.stacks.frames_of(stack);
    let meaningful = readings.get(stack).meaningful.iter();
    let mut signature = Signature::new();
    let mut last: Option<FrameIx> = None;
    let name = |frame: FrameIx| &meanings.get(frame).name;
    for &frame in meaningful.filter_map(|&at| frames.get(at as usize)) {
        // A recursion is one step of the signature, however deep it was at the moment.
        if last.is_none_or(|last| last != frame && name(last) != name(frame)) {
            signature.push(frame.0);
            last = Some(frame);
        }
        if signature.len() == SIGNATURE_FRAMES {
            break;
        }
    }
    signature
}

/// Numbers of frames, or of names.
type Signature = SmallVec<[u32; SIGNATURE_FRAMES]>;

/// What tells a cluster from others in every dump.
fn fingerprint(waits: &Waits, key: Key, signature: &[Str]) -> Fingerprint {
    let lock_name = key.lock.and_then(|l| waits.locks[l.at()].name.as_deref());
    Fingerprint::default()
        .with("cluster")
        .with(key.state.id())
        .with(lock_name.unwrap_or(""))
        .with_all(signature.iter().map(|s| &**s))
}

fn cluster(
    snapshot: &Snapshot,
    waits: &Waits,
    key: Key,
    signature: Vec<Str>,
    threads: Vec<ThreadIx>,
) -> (Fingerprint, Cluster) {
    let mut names: FxHashMap<&str, u64> = FxHashMap::default();
    let mut cpu_us: Option<(u64, u64)> = None;
    let mut waited_us: Option<(u64, u64)> = None;
    for &ix in &threads {
        let thread = &snapshot.threads[ix.at()];
        if let Some(name) = &thread.name {
            *names.entry(name).or_default() += thread.weight;
        }
        if let Some(us) = thread.cpu_us {
            let (total, most) = cpu_us.unwrap_or_default();
            cpu_us = Some((total.saturating_add(us), most.max(us)));
        }
        if let Some(us) = thread.waited_us {
            let (least, most) = waited_us.unwrap_or((us, us));
            waited_us = Some((least.min(us), most.max(us)));
        }
    }
    let (stack, variants) = most_common_stack(snapshot, &threads);
    let mut patterns: FxHashMap<String, u64> = FxHashMap::default();
    for (name, count) in names {
        *patterns.entry(normalize::thread_name_pattern(name)).or_default() += count;
    }
    let mut thread_names: Vec<(Str, u64)> = patterns.into_iter().map(|(n, c)| (n.into(), c)).collect();
    thread_names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));

    let lock = common_lock(waits, &threads);
    let fingerprint = fingerprint(waits, key, &signature);
    let cluster = Cluster {
        state: key.state,
        signature,
        stack,
        lock,
        variants,
        thread_names,
        cpu_us,
        waited_us,
        fingerprint: fingerprint.key(),
        count: snapshot.count(&threads),
        threads,
    };
    (fingerprint, cluster)
}

/// The stack that most of these threads have, and how many different ones there are.
fn most_common_stack(snapshot: &Snapshot, threads: &[ThreadIx]) -> (StackIx, u32) {
    // A profile has a cluster for each of its stacks.
    if let [only] = threads {
        return (snapshot.threads[only.at()].stack, 1);
    }
    // Stacks are numbered as they come: mostly they are in order.
    let mut all: Vec<(StackIx, ThreadIx)> =
        threads.iter().map(|&ix| (snapshot.threads[ix.at()].stack, ix)).collect();
    all.sort_unstable();
    let stacks = all.chunk_by(|(one, _), (next, _)| one == next);
    let count = |of_stack: &[(StackIx, ThreadIx)]| -> u64 {
        of_stack.iter().fold(0, |sum, (_, ix)| sum.saturating_add(snapshot.threads[ix.at()].weight))
    };
    let variants = stacks.clone().count() as u32;
    let most = stacks.filter_map(|of_stack| Some((count(of_stack), *of_stack.first()?)));
    let most = most.max_by_key(|(count, (_, first))| (*count, Reverse(*first)));
    (most.map_or(StackIx::EMPTY, |(_, (stack, _))| stack), variants)
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

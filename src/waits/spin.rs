//! Finds threads that wait in user mode: they run a small loop over one word of memory.
//!
//! The registers say that a thread was in user mode, the code around its pc that it is in a loop
//! whose exit depends on a word, and the live registers where that word lies. Threads that were
//! caught elsewhere in the same function (its prologue, the back-off) belong to the same lock, which
//! is then inferred.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::kinds::{LockKind, State};
use super::native::Native;
use super::observation::{Claim, LockClaim, LockKey, Observation};
use crate::arch::{SpinLoop, SyscallKind};
use crate::model::{Certainty, FrameIx, FrameKind, Snapshot, ThreadIx};
use crate::normalize::{Meanings, Readings, Role};
use crate::unwind::{Context, WalkCache};

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 128;

/// Code that is looked at before and behind a program counter, bytes.
const CODE_AROUND: u64 = 128;

/// How many callers of a yielding function are asked for the loop.
const MOST_CALLERS: usize = 3;

/// One thread in a loop over a word.
struct Spinner {
    thread: ThreadIx,
    found: SpinLoop,
    /// A function that yields or pauses by its name is on top.
    is_named: bool,
}

/// Turns running threads that spin on a word into waiters of it.
pub(super) fn find(
    native: &Native<'_>,
    snapshot: &Snapshot,
    meanings: &Meanings,
    readings: &Readings,
    seen: &mut [Observation<'_>],
) {
    let running: Vec<ThreadIx> = (0u32..)
        .map(ThreadIx)
        .zip(seen.iter())
        .filter(|(_, s)| s.state == State::Running && may_spin(s, native))
        .map(|(ix, _)| ix)
        .collect();
    let view = View { native, snapshot, meanings, readings };
    let found: Vec<Spinner> = running
        .par_chunks(THREADS_A_CHUNK)
        .map_init(WalkCache::default, |cache, chunk| {
            chunk.iter().filter_map(|&t| view.spinner(t, cache)).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect();

    let mut spinners_of: FxHashMap<u64, u32> = FxHashMap::default();
    for spinner in &found {
        *spinners_of.entry(spinner.found.word).or_default() += 1;
    }
    // One thread in a loop over a word is a busy loop, unless it does what only locks do.
    let is_lock = |s: &&Spinner| {
        spinners_of[&s.found.word] >= 2 || s.is_named || (s.found.is_atomic && s.found.has_pause)
    };
    let mut words_of_function: FxHashMap<FrameName<'_>, FxHashSet<u64>> = FxHashMap::default();
    for spinner in found.iter().filter(is_lock) {
        let kind = view.kind(spinner.thread);
        claim(&mut seen[spinner.thread.at()], spinner.found.word, kind, Certainty::Read);
        if let Some(function) = view.function(spinner.thread) {
            words_of_function.entry(function).or_default().insert(spinner.found.word);
        }
    }
    for &thread in &running {
        if seen[thread.at()].state != State::Running {
            continue;
        }
        let words = view.function(thread).and_then(|function| words_of_function.get(&function));
        if let Some(&word) = words.filter(|w| w.len() == 1).and_then(|w| w.iter().next()) {
            claim(&mut seen[thread.at()], word, view.kind(thread), Certainty::Inferred);
        }
    }
}

/// In user mode, or on the way out of a call that only gives the processor away.
fn may_spin(seen: &Observation<'_>, native: &Native<'_>) -> bool {
    let Some(call) = &seen.system_call else { return true };
    let kind = native.system_call(call.number).map(|row| row.kind);
    matches!(kind, Some(SyscallKind::Yield | SyscallKind::Sleep))
}

fn claim(seen: &mut Observation<'_>, word: u64, kind: LockKind, certainty: Certainty) {
    seen.state = State::Spinning;
    seen.claim = Some(Claim::Lock(LockClaim {
        key: LockKey::Address(word),
        kind,
        symbol: None,
        certainty,
        is_shared_object: true,
    }));
}

/// The innermost two functions: where a thread spins, and for whom.
type FrameName<'a> = (&'a str, Option<&'a str>);

struct View<'a, 'n> {
    native: &'a Native<'n>,
    snapshot: &'a Snapshot,
    meanings: &'a Meanings,
    readings: &'a Readings,
}

impl View<'_, '_> {
    fn frames(&self, thread: ThreadIx) -> &[FrameIx] {
        self.snapshot.stacks.frames_of(self.snapshot.threads[thread.at()].stack)
    }

    fn role(&self, thread: ThreadIx) -> Role {
        self.frames(thread).first().map_or(Role::User, |&f| self.meanings.get(f).role)
    }

    /// The functions from the innermost one to the one that is not inlined, and its caller.
    fn function(&self, thread: ThreadIx) -> Option<FrameName<'_>> {
        let frames = self.frames(thread);
        let physical = frames.iter().position(|&f| self.snapshot.stacks.get(f).kind != FrameKind::Inlined)?;
        let name = |at: usize| frames.get(at).map(|&f| &*self.meanings.get(f).name);
        Some((name(physical)?, name(physical + 1)))
    }

    fn kind(&self, thread: ThreadIx) -> LockKind {
        let is_pthread = self
            .frames(thread)
            .first()
            .is_some_and(|&f| self.meanings.get(f).name.starts_with("pthread_spin"));
        if is_pthread { LockKind::PthreadSpinlock } else { LockKind::Spinlock }
    }

    /// The loop in which a thread is: around its pc, else (where its innermost function only yields)
    /// around the call in one of its callers.
    fn spinner(&self, thread: ThreadIx, cache: &mut WalkCache) -> Option<Spinner> {
        let registers = self.native.registers(thread)?;
        let context = Context::of_thread(registers);
        let is_named = self.role(thread) == Role::Spin;
        if let Some(found) = self.spin_loop(&context).filter(|f| !f.has_call) {
            return Some(Spinner { thread, found, is_named });
        }
        let reading = self.readings.get(self.snapshot.threads[thread.at()].stack);
        if !is_named && reading.role != Role::Spin && reading.role != Role::Sleep {
            return None;
        }
        let walker = self.native.walker?;
        let mut callers = Vec::with_capacity(MOST_CALLERS);
        walker.walk(registers, MOST_CALLERS + 1, cache, &mut |frame| callers.push(frame.context));
        let found = callers.iter().skip(1).find_map(|caller| self.spin_loop(caller))?;
        Some(Spinner { thread, found, is_named: true })
    }

    /// The loop around a program counter.
    fn spin_loop(&self, context: &Context) -> Option<SpinLoop> {
        let start = context.pc.checked_sub(CODE_AROUND)?;
        let memory = self.native.memory;
        // Near the ends of a module there is less code than that.
        let (start, code) = (0..=CODE_AROUND).step_by(16).find_map(|less| {
            let start = start + less;
            Some((start, memory.bytes(start, 2 * (CODE_AROUND - less) as usize)?))
        })?;
        (self.native.arch.code.spin_operand)(code, start, context.pc, &|r| context.get(r), memory)
    }
}

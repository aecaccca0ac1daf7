//! Who holds a lock that names no owner: candidates collect points, and the reasons are kept as
//! evidence. A wrong name costs more than none.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::by_stack::by_stack;
use super::in_frames::{InFrames, addresses_in_arguments, addresses_in_live_frames};
use super::kinds::{Identity, LockKind, State};
use super::lock::{Candidate, Holder, Lock};
use super::locks;
use super::native::Native;
use super::observation::Observation;
use super::script;
use super::sections::Sections;
use crate::model::{
    Certainty, Evidence, FrameIx, FrameKind, Listing, Snapshot, StackEnd, StackIx, Str, Thread, ThreadIx,
};
use crate::normalize::{Meanings, Readings, ResourceClass, Role};

/// Points, from `locks.md` section 16. They are starting values: each says what kind of proof weighs
/// how much against the others, not a probability.
mod points {
    /// Its stack goes through the function that takes the lock, past the call.
    pub const CRITICAL_SECTION: i32 = 40;
    /// Above that function it is in another one of the same family: `log_sink_write` under
    /// `log_message`.
    pub const FAMILY: i32 = 25;
    /// A signal handler waits in the thread whose section it interrupted.
    pub const INTERRUPTED: i32 = 25;
    /// The lock's address lies in a live frame: registers, stack words, printed arguments.
    pub const ADDRESS_IN_FRAME: i32 = 30;
    /// It is blocked (in I/O, asleep, on another lock) inside that section.
    pub const BLOCKED_INSIDE: i32 = 10;
    /// Nobody else comes near.
    pub const ONLY_ONE: i32 = 10;
    /// It waits for work.
    pub const IDLE: i32 = -40;
    /// Named, as `likely`.
    pub const LIKELY: i32 = 60;
    /// Named, as `possible`.
    pub const POSSIBLE: i32 = 40;
    /// Two that are nearer to each other than this are both only candidates.
    pub const MARGIN: i32 = 15;
    /// Below this a thread does not count as somebody who comes near.
    pub const NEAR: i32 = 25;
}

/// The points from which an inferred holder makes a finding `likely`.
pub const LIKELY_POINTS: i32 = points::LIKELY;

/// Candidates shown where nobody could be named.
const MOST_SHOWN: usize = 4;

/// What is known of all threads.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub snapshot: &'a Snapshot,
    pub meanings: &'a Meanings,
    pub readings: &'a Readings,
    pub sections: &'a Sections<'a>,
    pub seen: &'a [Observation<'a>],
    /// The lock that each thread waits for.
    pub lock_of: &'a [Option<usize>],
}

/// Looks for the holders of all locks that somebody can hold and that name nobody.
pub(super) fn holders(locks: &mut [Lock], scene: Scene<'_>, native: Option<&Native<'_>>) {
    let Scene { snapshot, meanings, seen, .. } = scene;
    let unknown: Vec<usize> = (0..locks.len())
        .filter(|&n| {
            let row = locks::row(locks[n].kind);
            // Of a lock that the text does not name it prints no holder either.
            let is_printed = row.prints_holder && locks[n].identity != Identity::Site;
            let is_looked_for = row.has_holder && !is_printed;
            // Of a lock of which nothing is known nobody can be inside.
            let is_known = locks[n].identity != Identity::Site || !locks[n].callers.is_empty();
            is_looked_for
                && is_known
                && locks[n].holders.is_empty()
                && matches!(locks[n].holder, Holder::Unknown { .. })
        })
        .collect();
    if unknown.is_empty() {
        return;
    }
    if snapshot.listing == Listing::Samples {
        for n in unknown {
            locks[n].holder = Holder::unknown("the samples of a profile are of different moments");
        }
        return;
    }
    let addresses: FxHashSet<u64> = unknown.iter().filter_map(|&n| locks[n].address).collect();
    let in_frames = || match native {
        Some(native) => addresses_in_live_frames(native, snapshot, seen, &addresses),
        None => addresses_in_arguments(snapshot, seen, &addresses),
    };
    let (in_frames, stacks) = rayon::join(in_frames, || ByName::of(snapshot, meanings));
    let cut_off = stacks.cut_off;
    // Locks that are taken at the same places have the same threads inside: thousands of locks may be.
    let mut inside: FxHashMap<Places, Inside> = FxHashMap::default();
    for n in unknown {
        let stacks_of_waiters: Vec<StackIx> =
            by_stack(&locks[n].waiters, snapshot).into_iter().map(|(stack, _)| stack).collect();
        let sections = sections(&stacks_of_waiters, snapshot, scene.sections);
        let in_frames = &in_frames;
        let view = View { scene, lock: &locks[n], lock_ix: n, stacks_of_waiters, sections, in_frames };
        let places =
            (view.lock.callers.iter().map(|(name, _)| name.clone()).collect(), view.sections.clone());
        let inside = inside.entry(places).or_insert_with(|| view.inside(&stacks));
        let candidates = view.candidates(inside);
        let is_cut_waiter = |t: &&ThreadIx| is_cut(&snapshot.threads[t.at()]);
        let cut_off = match cut_off {
            0 => 0,
            all => all - view.lock.waiters.iter().filter(is_cut_waiter).count(),
        };
        decide(&mut locks[n], candidates, cut_off, snapshot);
    }
}

/// The functions that take a lock, and where its waiters stand in them.
type Places = (Vec<Str>, Vec<FrameIx>);

/// Who is inside the sections of a lock.
struct Inside {
    /// The stacks with their points and what these are for.
    stacks: FxHashMap<StackIx, (i32, Vec<String>)>,
    /// The threads, the most points first.
    threads: Vec<(i32, ThreadIx)>,
}

/// Stacks by the names in them, and threads by their stacks.
struct ByName {
    stacks: FxHashMap<Str, Vec<StackIx>>,
    threads: Vec<Vec<ThreadIx>>,
    /// How many threads have a stack that is not whole.
    cut_off: usize,
}

impl ByName {
    fn of(snapshot: &Snapshot, meanings: &Meanings) -> Self {
        let mut threads = vec![Vec::new(); snapshot.stacks.stack_count()];
        let mut cut_off = 0;
        for (ix, thread) in (0u32..).map(ThreadIx).zip(&snapshot.threads) {
            threads[thread.stack.at()].push(ix);
            cut_off += usize::from(is_cut(thread));
        }
        let mut stacks: FxHashMap<Str, Vec<StackIx>> = FxHashMap::default();
        for stack in (0..threads.len() as u32).map(StackIx).filter(|stack| !threads[stack.at()].is_empty()) {
            // Whoever is in a section has called something there.
            for frame in snapshot.stacks.frames_of(stack).iter().skip(1) {
                let named = stacks.entry(meanings.get(*frame).name.clone()).or_default();
                if named.last() != Some(&stack) {
                    named.push(stack);
                }
            }
        }
        Self { stacks, threads, cut_off }
    }
}

/// Whether a thread's stack is not whole.
fn is_cut(thread: &Thread) -> bool {
    matches!(
        thread.stack_end,
        StackEnd::MemoryMissing | StackEnd::NoRule | StackEnd::NotUnwound | StackEnd::Reported
    )
}

/// Different places that take one lock; of more only the names count.
const MOST_SECTIONS: usize = 64;

/// Where the waiters of a lock stand in the functions that take it. Empty: too many places.
fn sections(stacks: &[StackIx], snapshot: &Snapshot, waiting_at: &Sections<'_>) -> Vec<FrameIx> {
    let mut frames: Vec<FrameIx> = stacks
        .iter()
        .filter_map(|&stack| {
            let at = waiting_at.of(stack)?;
            snapshot.stacks.frames_of(stack).get(at).copied()
        })
        .collect();
    frames.sort_unstable();
    frames.dedup();
    if frames.len() > MOST_SECTIONS { Vec::new() } else { frames }
}

struct View<'a> {
    scene: Scene<'a>,
    lock: &'a Lock,
    /// Its place among all locks.
    lock_ix: usize,
    /// The stacks of its waiters.
    stacks_of_waiters: Vec<StackIx>,
    /// Where its waiters stand.
    sections: Vec<FrameIx>,
    in_frames: &'a InFrames,
}

impl View<'_> {
    /// Who is inside a section of the lock, whoever waits for it.
    fn inside(&self, by_name: &ByName) -> Inside {
        let named = self.lock.callers.iter().filter_map(|(name, _)| by_name.stacks.get(name)).flatten();
        let mut stacks: Vec<StackIx> = named.copied().collect();
        stacks.sort_unstable();
        stacks.dedup();
        let with_points = stacks.into_iter().map(|stack| (stack, self.of_stack(stack)));
        let stacks: FxHashMap<StackIx, (i32, Vec<String>)> =
            with_points.filter(|(_, (points, _))| *points != 0).collect();
        let mut threads: Vec<(i32, ThreadIx)> = Vec::new();
        for (stack, (points, _)) in &stacks {
            let all = by_name.threads[stack.at()].iter();
            threads.extend(all.map(|&thread| (self.with_state(thread, *points, *points).0, thread)));
        }
        threads.par_sort_unstable_by_key(|&(points, thread)| (std::cmp::Reverse(points), thread));
        Inside { stacks, threads }
    }

    /// The threads with the most points, the most first: as many as a decision looks at.
    fn candidates(&self, inside: &Inside) -> Vec<Candidate> {
        let stacks = self.stacks_of_waiters.iter().filter_map(|stack| Some((*stack, self.itself(*stack)?)));
        let of_stack: FxHashMap<StackIx, (i32, Vec<String>)> = stacks.collect();
        let mut candidates = Vec::new();
        for &thread in self.lock.waiters.iter().filter(|_| !of_stack.is_empty()) {
            if let Some((points, reasons)) = of_stack.get(&self.stack_of(thread)) {
                candidates.push(Candidate { thread, points: *points, reasons: reasons.clone() });
            }
        }
        let is_waiter = |thread: &ThreadIx| self.scene.lock_of[thread.at()] == Some(self.lock_ix);
        let nobody = FxHashSet::default();
        let with_address = self.lock.address.and_then(|a| self.in_frames.get(&a)).unwrap_or(&nobody);
        let others = inside.threads.iter().map(|(_, thread)| *thread);
        let others = others.filter(|thread| !is_waiter(thread) && !with_address.contains(thread));
        let looked_at = with_address.iter().copied().filter(|thread| !is_waiter(thread));
        for thread in looked_at.chain(others.take(MOST_SHOWN + 1)) {
            candidates.push(self.candidate(thread, inside, with_address.contains(&thread)));
        }
        candidates.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.thread.cmp(&b.thread)));
        if let Some((first, others)) = candidates.split_first_mut()
            && others.iter().all(|o| o.points < points::NEAR)
        {
            first.points += points::ONLY_ONE;
            first.reasons.push("no other thread comes near".into());
        }
        candidates
    }

    fn stack_of(&self, thread: ThreadIx) -> StackIx {
        self.scene.snapshot.threads[thread.at()].stack
    }

    /// A thread that does not wait.
    fn candidate(&self, thread: ThreadIx, inside: &Inside, has_address: bool) -> Candidate {
        let (by_stack, mut reasons) = inside.stacks.get(&self.stack_of(thread)).cloned().unwrap_or_default();
        let mut points = by_stack;
        if has_address {
            points += points::ADDRESS_IN_FRAME;
            reasons.push("the lock's address lies in one of its live frames".into());
        }
        let (points, why) = self.with_state(thread, by_stack, points);
        reasons.extend(why.map(Into::into));
        Candidate { thread, points, reasons }
    }

    /// The points of a thread together with those for what it does, and what these are for. `by_stack`: those of its
    /// stack alone.
    fn with_state(&self, thread: ThreadIx, by_stack: i32, points: i32) -> (i32, Option<&'static str>) {
        let state = self.scene.seen[thread.at()].state;
        let is_blocked = matches!(state, State::IoWait | State::Sleeping | State::LockWait | State::Idle);
        if by_stack >= points::CRITICAL_SECTION && is_blocked {
            (points + points::BLOCKED_INSIDE, Some("it is blocked there"))
        } else if state == State::Idle || self.scene.readings.get(self.stack_of(thread)).is_idle_pool {
            (points + points::IDLE, None)
        } else {
            (points, None)
        }
    }

    /// The function that takes the lock, where a frame is in it and past the call.
    fn section_of(&self, frame: FrameIx) -> Option<&Str> {
        let name = &self.scene.meanings.get(frame).name;
        let (caller, _) = self.lock.callers.iter().find(|(caller, _)| caller == name)?;
        let mut own = self.sections.iter().filter(|s| self.scene.meanings.get(**s).name == *name).peekable();
        let is_known = own.peek().is_some();
        let place = self.scene.snapshot.stacks.get(frame);
        let is_past = own.any(|&s| script::is_past(place, self.scene.snapshot.stacks.get(s)));
        (is_past || !is_known).then_some(caller)
    }

    /// A waiter that holds the lock itself: below its wait it is already inside the section, called
    /// from there, or interrupted there by the signal whose handler waits.
    fn itself(&self, stack: StackIx) -> Option<(i32, Vec<String>)> {
        if locks::row(self.lock.kind).is_reentrant {
            return None;
        }
        let frames = self.scene.snapshot.stacks.frames_of(stack);
        let caller = self.scene.readings.get(stack).caller?;
        if let Some(found) = self.in_interrupted_library(frames) {
            return Some(found);
        }
        let is_section = |frame: &FrameIx| self.section_of(*frame).is_some();
        // The section that it wants to enter may be a wrapper's caller: the first of them is its own.
        let own = (caller..frames.len()).find(|&at| is_section(&frames[at]))?;
        let name = &self.scene.meanings.get(frames[own]).name;
        let is_same =
            |at: &usize| self.scene.meanings.get(frames[*at]).name == *name && is_section(&frames[*at]);
        let again = (own + 1..frames.len()).find(is_same)?;
        let mut points = points::CRITICAL_SECTION;
        let mut reasons = vec![format!("it is inside {name} already, further down its stack")];
        let is_signal = |f: &FrameIx| self.scene.snapshot.stacks.get(*f).kind == FrameKind::SignalHandler;
        if frames[own..again].iter().any(is_signal) {
            points += points::INTERRUPTED;
            reasons.push("a signal interrupted it there, and the handler waits".into());
        }
        Some((points, reasons))
    }

    /// A signal interrupted the allocator, and its handler allocates: the lock is the library's, and no function of the
    /// program takes it.
    fn in_interrupted_library(&self, frames: &[FrameIx]) -> Option<(i32, Vec<String>)> {
        if self.lock.kind != LockKind::MallocArena {
            return None;
        }
        let is_signal = |f: &FrameIx| self.scene.snapshot.stacks.get(*f).kind == FrameKind::SignalHandler;
        let signal = frames.iter().position(is_signal)?;
        let of_allocator =
            |f: &&FrameIx| self.scene.meanings.get(**f).class == Some(ResourceClass::Allocator);
        let interrupted = frames.get(signal + 1).filter(of_allocator)?;
        let name = &self.scene.meanings.get(*interrupted).name;
        let reasons = vec![
            format!("it is inside {name} already, further down its stack"),
            "a signal interrupted it there, and the handler waits".into(),
        ];
        Some((points::CRITICAL_SECTION + points::INTERRUPTED, reasons))
    }

    /// What the names in a stack say.
    fn of_stack(&self, stack: StackIx) -> (i32, Vec<String>) {
        let frames = self.scene.snapshot.stacks.frames_of(stack);
        let name = |frame: FrameIx| &self.scene.meanings.get(frame).name;
        // The innermost frame of one of the functions that take this lock, with something above it.
        let mut inner = frames.iter().enumerate().skip(1);
        let section = inner.find_map(|(at, &frame)| Some((at, self.section_of(frame)?)));
        let Some((at, caller)) = section else { return (0, Vec::new()) };
        let mut total = points::CRITICAL_SECTION;
        let mut reasons = vec![format!("it is inside {caller}, which takes the lock, past that call")];
        let above = frames[..at].iter().rev().find(|&&f| self.scene.meanings.get(f).role == Role::User);
        if let Some(&frame) = above
            && is_family(name(frame), caller)
        {
            total += points::FAMILY;
            reasons.push(format!("there it is in {}", name(frame)));
        }
        (total, reasons)
    }
}

/// Whether two functions belong together: the same class or namespace, or the same first word.
fn is_family(one: &Str, other: &Str) -> bool {
    fn scope(name: &str) -> Option<&str> {
        // C++ and Rust; Java, Go, .NET: `applog.(*Logger).Write`, `applog.Logger.write`.
        name.rsplit_once("::").or_else(|| name.rsplit_once('.')).map(|(scope, _)| scope)
    }
    fn word(name: &str) -> Option<&str> {
        name.trim_start_matches('_').split_once('_').map(|(word, _)| word).filter(|w| w.len() >= 3)
    }
    one != other
        && match (scope(one), scope(other)) {
            (Some(a), Some(b)) => a == b || a.starts_with(b) || b.starts_with(a),
            (None, None) => word(one).is_some() && word(one) == word(other),
            _ => false,
        }
}

/// Names the holder, or says why nobody is named.
fn decide(lock: &mut Lock, candidates: Vec<Candidate>, cut_off: usize, snapshot: &Snapshot) {
    let Some(first) = candidates.first() else {
        let Holder::Unknown { why, .. } = &mut lock.holder else { return };
        if cut_off > 0 {
            why.to_mut().push_str(&format!(
                "; the stacks of {cut_off} threads that do not wait for it are cut off, and the holder may be one of them"
            ));
            return;
        }
        why.to_mut().push_str(
            "; no thread of this dump is inside the functions that wait for it: the holder took it in another \
             function, is not in the dump, or is no thread",
        );
        return;
    };
    // A record that stands for several threads names none of them.
    let is_one = snapshot.weight(first.thread) == 1;
    let is_clear =
        is_one && candidates.get(1).is_none_or(|second| first.points - second.points >= points::MARGIN);
    if first.points >= points::POSSIBLE && is_clear && lock.kind != LockKind::Futex {
        let reasons = first.reasons.join("; ");
        lock.evidence.push(Evidence::inferred(format!("who holds it, by the stacks: {reasons}")));
        lock.holder_points = Some(first.points);
        lock.holder = Holder::Thread { thread: first.thread, certainty: Certainty::Inferred };
        return;
    }
    let Holder::Unknown { why, candidates: shown } = &mut lock.holder else { return };
    if first.points >= points::POSSIBLE {
        why.to_mut().push_str(if is_clear {
            "; what is known is not enough to name a thread"
        } else {
            "; several threads are equally likely"
        });
    }
    *shown = candidates.into_iter().filter(|c| c.points >= points::POSSIBLE).take(MOST_SHOWN).collect();
}

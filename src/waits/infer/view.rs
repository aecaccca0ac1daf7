//! Who may hold one lock: the threads inside the functions that take it, and those that have its address.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::by_name::ByName;
use super::object::Object;
use super::sections::Section;
use super::standing::{AtLock, Standing, standing};
use super::{MOST_SHOWN, Scene, points};
use crate::model::{FrameIx, FrameKind, StackIx, Str, ThreadIx};
use crate::normalize::{ResourceClass, Role, WaitKind, runs_callers_code};
use crate::waits::in_frames::InFrames;
use crate::waits::kinds::{LockKind, State};
use crate::waits::lock::{Candidate, Lock};
use crate::waits::locks;

/// Threads inside a section that are looked at for one lock.
const MOST_LOOKED_AT: usize = 512;

/// Who is inside the sections of a lock.
pub(super) struct Inside {
    stacks: FxHashMap<StackIx, InSection>,
    /// The threads that may be past the call, the most points first.
    threads: Vec<(i32, ThreadIx)>,
}

/// What a stack says that goes through a function which takes the lock.
struct InSection {
    points: i32,
    /// What these are for.
    reasons: Vec<String>,
    standing: Standing,
    /// The place of that function in the stack.
    at: usize,
}

/// One lock, seen among all threads.
pub(super) struct View<'a> {
    pub scene: Scene<'a>,
    pub lock: &'a Lock,
    /// Its place among all locks.
    pub lock_ix: usize,
    /// The stacks of its waiters.
    pub stacks_of_waiters: Vec<StackIx>,
    /// Where its waiters stand.
    pub sections: Vec<Section>,
    pub in_frames: &'a InFrames,
}

impl View<'_> {
    /// Who is inside a section of the lock, whoever waits for it.
    pub fn inside(&self, by_name: &ByName) -> Inside {
        let named = self.lock.callers.iter().filter_map(|(name, _)| by_name.stacks.get(name)).flatten();
        let mut stacks: Vec<StackIx> = named.copied().collect();
        stacks.sort_unstable();
        stacks.dedup();
        let stacks: FxHashMap<StackIx, InSection> =
            stacks.into_iter().filter_map(|stack| Some((stack, self.in_section(stack)?))).collect();
        let mut threads: Vec<(i32, ThreadIx)> = Vec::new();
        for (stack, found) in stacks.iter().filter(|(_, found)| found.standing > Standing::AtCall) {
            let all = by_name.threads[stack.at()].iter();
            threads
                .extend(all.map(|&thread| (self.with_state(thread, found.points, found.points).0, thread)));
        }
        threads.par_sort_unstable_by_key(|&(points, thread)| (std::cmp::Reverse(points), thread));
        Inside { stacks, threads }
    }

    /// The threads with the most points, the most first: as many as a decision looks at.
    pub fn candidates(&self, inside: &Inside) -> Vec<Candidate> {
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
        let object = Object::of(self.lock, self.scene);
        let is_in_another = |thread: &ThreadIx| {
            let at = inside.stacks.get(&self.stack_of(*thread)).map(|found| found.at);
            object
                .as_ref()
                .zip(at)
                .is_some_and(|(object, at)| object.differs(*thread, at, self.scene.snapshot))
        };
        let others = inside.threads.iter().take(MOST_LOOKED_AT).map(|(_, thread)| *thread);
        let others = others.filter(|thread| !is_waiter(thread) && !with_address.contains(thread));
        let looked_at = with_address.iter().copied().filter(|thread| !is_waiter(thread));
        let named = others.filter(|thread| !is_in_another(thread)).take(MOST_SHOWN + 1);
        for thread in looked_at.chain(named) {
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
        let (by_stack, mut reasons) = match inside.stacks.get(&self.stack_of(thread)) {
            Some(found) => (found.points, found.reasons.clone()),
            None => (0, Vec::new()),
        };
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

    /// The function that takes the lock, where a frame is in it.
    fn section_of(&self, frame: FrameIx) -> Option<&Str> {
        let name = &self.scene.meanings.get(frame).name;
        let (caller, _) = self.lock.callers.iter().find(|(caller, _)| caller == name)?;
        Some(caller)
    }

    /// Where the frame at this place stands in the function that takes the lock: as far as it may be, seen from any of the
    /// places at which the waiters stand there.
    fn standing(&self, frames: &[FrameIx], at: usize) -> Standing {
        let Scene { snapshot, meanings, .. } = self.scene;
        let Some(frame) = frames.get(at) else { return Standing::Outside };
        let name = &meanings.get(*frame).name;
        let is_lock = |frame: &FrameIx| {
            matches!(meanings.get(*frame).role, Role::Lock | Role::Spin) || meanings.saying(*frame).takes_lock
        };
        let calls_lock =
            frames.get(..at).and_then(<[FrameIx]>::split_last).is_some_and(|(called, inside)| {
                // `synchronize` and `sync.(*Once).Do` have taken the lock where they run what they were given.
                let is_program = |frame: &FrameIx| meanings.get(*frame).role == Role::User && !is_lock(frame);
                let called_as = meanings.get(*called);
                let runs_code = runs_callers_code(&called_as.name) || called_as.wait == Some(WaitKind::Once);
                let has_it = runs_code && inside.iter().any(is_program);
                is_lock(called) && !has_it
            });
        let own = self.sections.iter().filter(|section| meanings.get(section.frame).name == *name);
        let seen = own.map(|section| {
            let at = AtLock { frame: snapshot.stacks.get(section.frame), is_slow_path: section.is_slow_path };
            standing(snapshot.stacks.get(*frame), at, calls_lock)
        });
        seen.max().unwrap_or(if calls_lock { Standing::AtCall } else { Standing::Inside })
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
        let is_same = |at: &usize| {
            self.scene.meanings.get(frames[*at]).name == *name
                && is_section(&frames[*at])
                && self.standing(frames, *at) > Standing::AtCall
        };
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
    /// program takes it. Streams and the loader let their holder in again.
    fn in_interrupted_library(&self, frames: &[FrameIx]) -> Option<(i32, Vec<String>)> {
        if self.lock.kind != LockKind::MallocArena {
            return None;
        }
        let meaning = |f: &FrameIx| self.scene.meanings.get(*f);
        let is_signal = |f: &FrameIx| self.scene.snapshot.stacks.get(*f).kind == FrameKind::SignalHandler;
        let signal = frames.iter().position(is_signal)?;
        // It may have been in a system call: `read` under `malloc`, which counts the processors for its arenas.
        let mut inner = frames.get(signal + 1..)?.iter().take_while(|f| meaning(f).role != Role::User);
        let interrupted = inner.find(|f| meaning(f).class == Some(ResourceClass::Allocator))?;
        let reasons = vec![
            format!("it is inside {} already, further down its stack", meaning(interrupted).name),
            "a signal interrupted it there, and the handler waits".into(),
        ];
        Some((points::CRITICAL_SECTION + points::INTERRUPTED, reasons))
    }

    /// What the names in a stack say of whoever has it.
    fn in_section(&self, stack: StackIx) -> Option<InSection> {
        let frames = self.scene.snapshot.stacks.frames_of(stack);
        let name = |frame: FrameIx| &self.scene.meanings.get(frame).name;
        // The innermost frame of one of the functions that take this lock, with something above it.
        let (at, caller, standing) = frames.iter().enumerate().skip(1).find_map(|(at, &frame)| {
            let caller = self.section_of(frame)?;
            let standing = self.standing(frames, at);
            (standing > Standing::Outside).then_some((at, caller, standing))
        })?;
        let mut points = points::CRITICAL_SECTION;
        let past = match standing {
            Standing::Past => ", past that call",
            _ => "",
        };
        let mut reasons = vec![format!("it is inside {caller}, which takes the lock{past}")];
        let above = frames[..at].iter().rev().find(|&&f| self.scene.meanings.get(f).role == Role::User);
        if let Some(&frame) = above
            && is_family(name(frame), caller)
        {
            points += points::FAMILY;
            reasons.push(format!("there it is in {}", name(frame)));
        }
        Some(InSection { points, reasons, standing, at })
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

//! One thread's walk from its registers to its first function.

use rustc_hash::FxHashMap;

use super::cfi::{Scratch, Tables};
use super::context::Context;
use super::fallback;
use super::rule::{Rule, StepError};
use super::window::{Window, Windowed};
use crate::arch::Architecture;
use crate::model::{AddressSpace, Registers, StackEnd, Trust};
use crate::modules::ModuleSet;

/// More signal frames than this in one stack are not real.
const MOST_SIGNAL_FRAMES: u32 = 64;

/// Walks stacks. Shared by all workers; each has a [`WalkCache`] of its own.
pub struct Walker<'a> {
    arch: &'static Architecture,
    memory: &'a dyn AddressSpace,
    tables: Tables<'a>,
}

/// One frame during a walk.
#[derive(Clone, Copy, Debug)]
pub struct FrameState {
    /// Its registers.
    pub context: Context,
    /// How it was found.
    pub trust: Trust,
    /// Its pc is an instruction that was about to run (innermost frame, or interrupted by a
    /// signal), not a return address.
    pub is_exact: bool,
    /// It is the kernel's signal frame.
    pub is_signal: bool,
}

impl FrameState {
    /// The address whose code this frame ran: of the call, for a return address.
    pub fn lookup_address(&self) -> u64 {
        if self.is_exact { self.context.pc } else { self.context.pc.wrapping_sub(1) }
    }
}

/// What is known of one looked-up address.
struct Place {
    rule: Option<Rule>,
    is_executable: bool,
}

/// What a worker keeps from walk to walk: rules by looked-up address, and a part of the stack.
#[derive(Default)]
pub struct WalkCache {
    index: FxHashMap<u64, usize>,
    places: Vec<Place>,
    scratch: Scratch,
    window: Window,
}

impl<'a> Walker<'a> {
    /// A walker over one process.
    pub fn new(arch: &'static Architecture, modules: &'a ModuleSet, memory: &'a dyn AddressSpace) -> Self {
        Self { arch, memory, tables: Tables::new(modules) }
    }

    /// The architecture.
    pub fn arch(&self) -> &'static Architecture {
        self.arch
    }

    /// Walks one thread and shows each frame, the innermost first, to `visit`. At most
    /// `most_frames` frames, and as many expressions in their rules: a hostile file has long ones in
    /// each, a real one has some where a function aligns its stack.
    pub fn walk(
        &self,
        registers: &Registers,
        most_frames: usize,
        cache: &mut WalkCache,
        visit: &mut dyn FnMut(&FrameState),
    ) -> StackEnd {
        let mut frame = FrameState {
            context: Context::of_thread(registers),
            trust: Trust::Context,
            is_exact: true,
            is_signal: false,
        };
        let mut signal_frames = 0;
        let mut expressions = 0;
        let mut place = self.look_up(&frame, cache);
        for depth in 0..most_frames {
            if let Some(sp) = frame.context.sp(self.arch) {
                cache.window.cover(sp, self.memory);
            }
            expressions += cache.places[place].rule.as_ref().map_or(0, |r| r.expressions);
            if expressions > most_frames {
                visit(&frame);
                return StackEnd::DepthLimit;
            }
            let memory = Windowed { window: &cache.window, memory: self.memory };
            let rule = cache.places[place].rule.as_ref();
            let step = match rule.map(|r| (r, r.apply(&frame.context, self.arch, &memory))) {
                Some((rule, Ok((caller, _)))) => {
                    frame.is_signal = rule.is_signal;
                    Ok((caller, Trust::Cfi))
                }
                Some((_, Err(StepError::Outermost))) => Err(StackEnd::Complete),
                Some((_, Err(StepError::Memory))) => Err(StackEnd::MemoryMissing),
                Some((_, Err(StepError::Rule))) | None => self.without_rule(&mut frame, &memory),
            };
            visit(&frame);
            let (caller, trust) = match step {
                Ok(step) => step,
                Err(end) => return end,
            };
            let next = FrameState { context: caller, trust, is_exact: frame.is_signal, is_signal: false };
            // What a signal interrupted may have been a call to anywhere: the next step sees to that.
            if !frame.is_signal && caller.pc == 0 {
                return StackEnd::Complete;
            }
            place = self.look_up(&next, cache);
            if !frame.is_signal && !cache.places[place].is_executable {
                return StackEnd::NoRule;
            }
            signal_frames += u32::from(frame.is_signal);
            let (old, new) = (frame.context.sp(self.arch), caller.sp(self.arch));
            // The handler may have run on an alternate stack, which may lie above.
            let advances = frame.is_signal || (depth == 0 && new >= old) || new > old;
            if !advances || signal_frames > MOST_SIGNAL_FRAMES {
                return StackEnd::NoProgress;
            }
            frame = next;
        }
        StackEnd::DepthLimit
    }

    /// The place in the cache of what is known of the address that this frame ran.
    fn look_up(&self, frame: &FrameState, cache: &mut WalkCache) -> usize {
        let address = frame.lookup_address();
        let WalkCache { index, places, scratch, .. } = cache;
        *index.entry(address).or_insert_with(|| {
            places.push(Place {
                rule: self.tables.rule(address, scratch),
                is_executable: self.memory.is_executable(address),
            });
            places.len() - 1
        })
    }

    fn without_rule(
        &self,
        frame: &mut FrameState,
        memory: &dyn AddressSpace,
    ) -> Result<(Context, Trust), StackEnd> {
        let Some(step) = fallback::step(&frame.context, frame.is_exact, self.arch, memory) else {
            let sp = frame.context.sp(self.arch);
            let has_stack = sp.is_some_and(|sp| memory.word(sp & !7).is_some());
            return Err(if has_stack { StackEnd::NoRule } else { StackEnd::MemoryMissing });
        };
        frame.is_signal = step.is_signal;
        Ok((step.caller, step.trust))
    }
}

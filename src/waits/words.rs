//! Threads, locks and what threads do, in words. The one place that words them.

use rayon::prelude::*;

use super::activity::{CHILD, Target, Waits};
use super::kinds::{Identity, State};
use super::lock::LockIx;
use super::locks::row;
use crate::model::{FrameIx, Snapshot, ThreadIx};
use crate::normalize::{Meanings, Readings, Role};

/// Threads that one worker speaks of in one go.
const THREADS_A_CHUNK: usize = 64;

/// Words for what a snapshot holds.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// The process.
    pub snapshot: &'a Snapshot,
    /// What its frames mean.
    pub meanings: &'a Meanings,
    /// What its stacks mean.
    pub readings: &'a Readings,
    /// What its threads do.
    pub waits: &'a Waits,
}

impl Words<'_> {
    /// `thread 4340`; one of those that a dump only counts has no id.
    pub fn thread(&self, thread: ThreadIx) -> String {
        if !self.snapshot.lists_threads() {
            return format!("a {}", self.snapshot.listing.noun());
        }
        format!("thread {}", self.snapshot.threads[thread.at()].id)
    }

    /// `the mutex g_log_mutex`, `the mutex at 0x55f0ce1aa140`, `a mutex that log_message takes`.
    pub fn lock(&self, lock: LockIx) -> String {
        let lock = self.waits.lock(lock);
        let noun = row(lock.kind).noun;
        match (&lock.name, lock.address, lock.callers.first()) {
            (Some(name), ..) => format!("the {noun} {name}"),
            (None, Some(address), _) => format!("the {noun} at {address:#x}"),
            (None, None, Some((caller, _))) if lock.identity == Identity::Site => {
                format!("a {noun} that {caller} takes")
            }
            _ => format!("a {noun}"),
        }
    }

    /// What the lock is called when several kinds are spoken of: `pthread mutex g_log_mutex, 0x…
    /// in logserver .bss`.
    pub fn target(&self, target: &Target) -> String {
        match target {
            Target::Lock(lock) => self.lock(*lock),
            Target::Thread(thread) => format!("the end of {}", self.thread(*thread)),
            Target::Child => CHILD.into(),
        }
    }

    /// What a thread does, to be read after *is*: `blocked in write(fd 7) under log_sink_write`.
    pub fn doing(&self, thread: ThreadIx) -> String {
        let activity = self.waits.of(thread);
        let stack = self.snapshot.threads[thread.at()].stack;
        let reading = self.readings.get(stack);
        let frames = self.snapshot.stacks.frames_of(stack);
        let name = |at: Option<usize>| {
            at.and_then(|at| frames.get(at)).map(|&f| self.function(f)).filter(|name| name != "??")
        };
        let caller = name(reading.caller);
        let under = caller.as_ref().map(|c| format!(" under {c}")).unwrap_or_default();
        let call = match &activity.call {
            Some(call) => Some(match call.fd {
                Some(fd) => format!("{}(fd {fd})", call.name),
                None => call.name.to_owned(),
            }),
            None => name(reading.wait_frame),
        };
        match activity.state {
            _ if reading.is_abort => format!("ending the process{}", self.meaningful(thread)),
            State::Running => match name(reading.meaningful.first().map(|at| *at as usize)) {
                Some(function) => format!("running in {function}"),
                None => "running".into(),
            },
            State::JoinWait if activity.wait.is_none() => format!("waiting for a thread to end{under}"),
            State::Spinning | State::LockWait | State::JoinWait => match &activity.wait {
                Some(wait) => format!("waiting for {}{under}", self.target(&wait.target)),
                None => format!("waiting for a lock{under}"),
            },
            State::Sleeping => format!("asleep in {}{under}", call.unwrap_or_else(|| "a sleep".into())),
            State::IoWait | State::CondWait | State::Idle => {
                format!("blocked in {}{under}", call.unwrap_or_else(|| "the kernel".into()))
            }
            State::Runtime => format!("stopped by its runtime{under}"),
            State::Unknown => match (call, frames.is_empty()) {
                (Some(call), _) => format!("blocked in {call}{under}"),
                (None, true) => "not known: its stack is not in the dump".into(),
                (None, false) if caller.is_some() => format!("somewhere{under}"),
                (None, false) if !self.meaningful(thread).is_empty() => {
                    format!("somewhere{}", self.meaningful(thread))
                }
                (None, false) => "doing what its stack does not say".into(),
            },
        }
    }

    /// What each of these threads does, once each.
    pub(super) fn doing_of(
        &self,
        mut threads: Vec<ThreadIx>,
    ) -> impl Iterator<Item = (ThreadIx, String)> + use<> {
        threads.sort_unstable();
        threads.dedup();
        let told: Vec<String> =
            threads.par_iter().with_min_len(THREADS_A_CHUNK).map(|&t| self.doing(t)).collect();
        threads.into_iter().zip(told)
    }

    fn meaningful(&self, thread: ThreadIx) -> String {
        self.first_meaningful(thread).map(|f| format!(" in {}", self.function(f))).unwrap_or_default()
    }

    /// A frame's function.
    pub fn function(&self, frame: FrameIx) -> String {
        self.meanings.get(frame).name.to_string()
    }
}

impl Words<'_> {
    /// The innermost frame of a thread that means something, and has a name or a place.
    pub fn first_meaningful(&self, thread: ThreadIx) -> Option<FrameIx> {
        let stack = self.snapshot.threads[thread.at()].stack;
        let frames = self.snapshot.stacks.frames_of(stack);
        let reading = self.readings.get(stack);
        let is_known = |f: &&FrameIx| &*self.meanings.get(**f).name != "??";
        let user = reading.meaningful.iter().filter_map(|&at| frames.get(at as usize)).filter(is_known);
        let is_user = |f: &&FrameIx| self.meanings.get(**f).role == Role::User;
        user.clone().find(is_user).or_else(|| user.clone().next()).copied()
    }

    /// The frame from which a thread waits: the function of the program that locks, reads, sleeps.
    pub fn caller(&self, thread: ThreadIx) -> Option<FrameIx> {
        let stack = self.snapshot.threads[thread.at()].stack;
        let frames = self.snapshot.stacks.frames_of(stack);
        let caller = self.readings.get(stack).caller.and_then(|at| frames.get(at)).copied();
        caller.filter(|f| &*self.meanings.get(*f).name != "??")
    }
}

//! What each thread of a core does, from its registers, its system call and the memory around the
//! words it waits on; names only help where they are known.

use rayon::prelude::*;

use super::activity::Call;
use super::classify;
use super::kinds::State;
use super::locks::{FutexCall, FutexSite, LOCKS};
use super::observation::{Claim, LockClaim, LockKey, Observation};
use super::threads::ThreadMap;
use crate::arch::{Architecture, Io, SyscallKind, SyscallRow, system_call};
use crate::model::{
    AddressSpace, Certainty, KernelState, ProcessImage, Registers, Snapshot, StackIx, SystemCall, ThreadIx,
};
use crate::modules::ModuleSet;
use crate::normalize::{Meanings, Readings, ResourceClass, StackMeaning, WaitKind};
use crate::unwind::Walker;

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 512;

/// What only a core has.
pub struct Native<'a> {
    /// Registers and memory.
    pub image: &'a ProcessImage,
    /// The architecture.
    pub arch: &'static Architecture,
    /// The modules.
    pub modules: &'a ModuleSet,
    /// Memory of the dump and of the verified files.
    pub memory: &'a dyn AddressSpace,
    /// For the registers of callers. Not there for an architecture whose stacks are not followed.
    pub walker: Option<&'a Walker<'a>>,
}

impl Native<'_> {
    /// The system call with this number.
    pub(super) fn system_call(&self, number: u64) -> Option<&'static SyscallRow> {
        system_call(self.arch.arch, number)
    }

    /// The registers of a thread.
    pub(super) fn registers(&self, thread: ThreadIx) -> Option<&Registers> {
        self.image.registers.get(thread.at())
    }
}

/// What the names in the waiting part of a stack say beyond the kind of wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Family {
    pub is_rust: bool,
    pub is_parking_lot: bool,
    pub is_gil: bool,
}

impl Family {
    /// Of the frames from the innermost one to the one that locks.
    pub fn of(snapshot: &Snapshot, meanings: &Meanings, stack: StackIx, reading: &StackMeaning) -> Self {
        let frames = snapshot.stacks.frames_of(stack);
        let last = reading.caller.or(reading.wait_frame).unwrap_or(0);
        let waiting = frames.iter().take(last + 1).map(|&f| (snapshot.stacks.get(f), meanings.get(f)));
        let mut family = Self::default();
        for (frame, meaning) in waiting {
            let name = frame.function.as_deref().unwrap_or("");
            family.is_rust |= name.starts_with("std::sys") || name.starts_with("<std::sys");
            family.is_parking_lot |= name.contains("parking_lot");
            family.is_gil |= meaning.class == Some(ResourceClass::Gil);
        }
        family
    }
}

/// Looks at all threads, in parallel.
pub(super) fn observe(
    native: &Native<'_>,
    snapshot: &Snapshot,
    meanings: &Meanings,
    readings: &Readings,
    threads: &ThreadMap,
) -> Vec<Observation<'static>> {
    let families: Vec<Family> = (0..snapshot.stacks.stack_count() as u32)
        .map(|n| Family::of(snapshot, meanings, StackIx(n), readings.get(StackIx(n))))
        .collect();
    snapshot
        .threads
        .par_iter()
        .enumerate()
        .with_min_len(THREADS_A_CHUNK)
        .map(|(n, thread)| {
            let reading = readings.get(thread.stack);
            let has_frames = thread.stack != StackIx::EMPTY;
            let Some(registers) = native.registers(ThreadIx(n as u32)) else {
                return Observation::of(classify::state_of_stack(reading, has_frames));
            };
            match (native.arch.kernel_state)(registers, native.memory) {
                KernelState::Blocked(call) => {
                    blocked(native, registers, call, reading, families[thread.stack.at()], threads)
                }
                KernelState::Leaving(call) => {
                    Observation { system_call: Some(Box::new(call)), ..Observation::of(State::Running) }
                }
                KernelState::User => Observation::of(State::Running),
                KernelState::Unknown => Observation::of(classify::state_of_stack(reading, has_frames)),
            }
        })
        .collect()
}

fn blocked(
    native: &Native<'_>,
    registers: &Registers,
    call: SystemCall,
    reading: &StackMeaning,
    family: Family,
    threads: &ThreadMap,
) -> Observation<'static> {
    let row = native.system_call(call.number);
    let mut seen = Observation { system_call: Some(Box::new(call)), ..Observation::default() };
    if let Some(row) = row {
        let fd = row.fd.and_then(|n| call.args.get(usize::from(n))).map(|&fd| i64::from(fd as i32));
        seen.call = Some(Box::new(Call { name: row.name, fd }));
    }
    match row.map(|r| r.kind) {
        Some(SyscallKind::FutexWait) => futex(native, registers, call, reading, family, threads, &mut seen),
        Some(kind) => {
            let kind = wait_kind(kind);
            // `wait4` and `waitid` under a name of its own, a poll in a pool: names know better.
            seen.state = classify::refine(kind.map_or(State::IoWait, classify::state_of), reading);
            if kind == Some(WaitKind::Child) {
                seen.claim = Some(Claim::Child(Certainty::Read));
            }
        }
        None => seen.state = classify::refine(State::Unknown, reading),
    }
    seen
}

/// What a system call waits for.
fn wait_kind(kind: SyscallKind) -> Option<WaitKind> {
    Some(match kind {
        SyscallKind::FutexWait => WaitKind::Futex,
        SyscallKind::Io(Io::Read | Io::Receive) => WaitKind::Read,
        SyscallKind::Io(Io::Write | Io::Send) => WaitKind::Write,
        SyscallKind::Io(Io::Completion) => WaitKind::Poll,
        SyscallKind::Io(Io::Connect | Io::Path | Io::Control) => WaitKind::OtherIo,
        SyscallKind::Sync => WaitKind::Sync,
        SyscallKind::Accept => WaitKind::Accept,
        SyscallKind::Poll => WaitKind::Poll,
        SyscallKind::Sleep => WaitKind::Sleep,
        SyscallKind::Signal => WaitKind::Signal,
        SyscallKind::ChildWait => WaitKind::Child,
        SyscallKind::FileLock | SyscallKind::Ipc => WaitKind::OtherIo,
        SyscallKind::Yield | SyscallKind::Exit | SyscallKind::Other => return None,
    })
}

fn futex(
    native: &Native<'_>,
    registers: &Registers,
    call: SystemCall,
    reading: &StackMeaning,
    family: Family,
    threads: &ThreadMap,
    seen: &mut Observation<'_>,
) {
    let call = FutexCall::of(&call);
    if let Some(target) = joined(call, reading, threads) {
        seen.state = State::JoinWait;
        seen.claim = Some(Claim::Thread(target, Certainty::Read));
        return;
    }
    let site = FutexSite {
        call,
        named: reading.wait,
        is_rust: family.is_rust,
        is_parking_lot: family.is_parking_lot,
        is_gil: family.is_gil,
        thread_pointer: registers.thread_pointer,
        sp: registers.sp,
        memory: native.memory,
        threads,
    };
    for row in LOCKS {
        let Some(found) = (row.recognize)(&site) else { continue };
        // A future, a channel, a parked thread: the word belongs to no object that a person knows.
        let is_named_otherwise = matches!(reading.wait, Some(WaitKind::Future | WaitKind::Join));
        seen.state = classify::refine(found.state, reading);
        if !is_named_otherwise {
            seen.claim = Some(Claim::Lock(LockClaim {
                key: LockKey::Address(found.object),
                kind: row.kind,
                symbol: None,
                certainty: Certainty::Read,
                is_shared_object: row.is_shared_object,
            }));
        }
        return;
    }
}

/// The thread whose end this call waits for: the word lies in its control block, where glibc keeps
/// the id (`FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME`, shared, until 2.42), or a function of
/// that name made the call (musl and glibc from 2.43 on wait on another field).
fn joined(call: FutexCall, reading: &StackMeaning, threads: &ThreadMap) -> Option<ThreadIx> {
    let (thread, offset) = threads.by_block(call.word)?;
    let is_id = threads.tid_offset() == Some(offset) && !call.is_private;
    (is_id || reading.wait == Some(WaitKind::Join)).then_some(thread)
}

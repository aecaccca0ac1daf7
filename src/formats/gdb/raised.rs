//! A handler that raises the signal of its thread again, so that the process ends as it would have without it: no line of the
//! text says how it ended, and the arguments do.
//!
//! ```text
//! #0  __pthread_kill_implementation (threadid=<optimized out>, signo=signo@entry=11, no_tid=no_tid@entry=0) at pthread_kill.c:44
//! #1  0x00007fb75829f2d3 in __pthread_kill_internal (signo=11, threadid=<optimized out>) at pthread_kill.c:78
//! #2  0x00007fb75824fa08 in __GI_raise (sig=11) at ../sysdeps/posix/raise.c:26
//! #3  0x00007fb75824fab0 in <signal handler called> () at /usr/lib/libc.so.6
//! ```
//!
//! Source: glibc 2.17 to 2.41 nptl/pthread_kill.c, sysdeps/posix/raise.c, nptl/sysdeps/unix/sysv/linux/raise.c; the faults
//! are those of sysdeps/unix/sysv/linux/bits/signum-arch.h.

use crate::model::{FrameKind, Signal, Snapshot, Thread, ThreadIx};

use super::current::ABORTING;

/// Faults of a thread. `abort` is told by its stack.
static FAULTS: &[(u64, &str)] = &[(4, "SIGILL"), (7, "SIGBUS"), (8, "SIGFPE"), (11, "SIGSEGV")];

/// How glibc names the argument.
static ARGUMENTS: &[&str] = &["sig", "signo"];

/// A handler has few frames above the signal's.
const MOST_ABOVE: usize = 32;

/// Adds the signal where the text says of none.
pub(super) fn add_signal(snapshot: &mut Snapshot) {
    if snapshot.process.signal.is_none() {
        snapshot.process.signal = signal(snapshot);
    }
}

/// The signal that the only such thread raises.
fn signal(snapshot: &Snapshot) -> Option<Signal> {
    let mut raised = (0u32..).map(ThreadIx).zip(&snapshot.threads);
    let mut next = || raised.find_map(|(ix, thread)| Some((ix, of_thread(snapshot, thread)?)));
    let (thread, (number, name)) = next()?;
    if next().is_some() {
        return None;
    }
    let number = i32::try_from(number).ok();
    Some(Signal { name: name.into(), number, thread: Some(thread), ..Signal::default() })
}

/// What a thread raises whose innermost frames are those of `raise`, above the frame of a signal.
fn of_thread(snapshot: &Snapshot, thread: &Thread) -> Option<(u64, &'static str)> {
    let stacks = &snapshot.stacks;
    let mut values = snapshot.values.of(thread.values).iter();
    let (mut raises, mut fault) = (true, None);
    for ix in stacks.frames_of(thread.stack).iter().take(MOST_ABOVE) {
        let frame = stacks.get(*ix);
        if frame.kind == FrameKind::SignalHandler {
            return fault;
        }
        raises &= frame.function.as_deref().is_some_and(|f| ABORTING.contains(&f));
        if !raises {
            fault?;
            continue;
        }
        for slot in stacks.slots(*ix) {
            let value = values.next();
            if ARGUMENTS.contains(&&*slot.name) {
                fault = fault.or(FAULTS.iter().copied().find(|(number, _)| Some(number) == value));
            }
        }
    }
    None
}

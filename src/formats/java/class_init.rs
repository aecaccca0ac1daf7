//! Who initializes a class that others wait for.
//!
//! ```text
//! "a" #20 prio=5 … in Object.wait()  [0x…]
//!    java.lang.Thread.State: RUNNABLE
//!     at app.Registry.<clinit>(Registry.java:5)
//!     - waiting on the Class initialization monitor for app.Config
//! "b" #21 prio=5 … runnable  [0x…]
//!    java.lang.Thread.State: RUNNABLE
//!     at java.net.SocketInputStream.socketRead0(Native Method)
//!     at app.Config.<clinit>(Config.java:12)
//! ```
//!
//! Nothing but the JVM calls `<clinit>`, and only in the thread that initializes the class; all others wait until it has
//! returned. So the frame says whom they wait for, as the owner of a monitor is said by the line below its frame. Who
//! initializes a superclass first has no frame of the class itself: then nobody is named.
//!
//! Source: The Java Virtual Machine Specification 5.5 "Initialization"; OpenJDK 13-25 runtime/vframe.cpp
//! `print_lock_info_on`.

use rustc_hash::FxHashMap;

use crate::model::{
    FrameIx, LockId, NamedLockIx, ReportedLock, ReportedLockKind, ReportedOwner, Snapshot, StackIx, ThreadIx,
};

/// What the JVM calls the static initializer of a class.
const INITIALIZER: &str = ".<clinit>";

/// Names the threads that initialize the classes for which others wait.
pub fn name_initializers(snapshot: &mut Snapshot) {
    let initializers = initializers(snapshot);
    if initializers.is_empty() {
        return;
    }
    // Which of these classes each stack initializes: thousands of threads may have one.
    let stacks: Vec<Vec<NamedLockIx>> = (0..snapshot.stacks.stack_count() as u32)
        .map(|stack| {
            let frames = snapshot.stacks.frames_of(StackIx(stack)).iter();
            frames.filter_map(|frame| initializers.get(frame).copied()).collect()
        })
        .collect();
    let mut threads: FxHashMap<NamedLockIx, Vec<ThreadIx>> = FxHashMap::default();
    for (ix, thread) in (0u32..).map(ThreadIx).zip(&snapshot.threads) {
        for lock in stacks.get(thread.stack.at()).into_iter().flatten() {
            let threads = threads.entry(*lock).or_default();
            if threads.last() != Some(&ix) {
                threads.push(ix);
            }
        }
    }
    let offset = snapshot.source.offset;
    for (ix, named) in (0u32..).map(NamedLockIx).zip(&snapshot.named_locks) {
        // Two loaders may have a class of one name each: of two threads it is not known which is meant, and whoever
        // waits for a class does not initialize that one.
        let Some(&[thread]) = threads.get(&ix).map(Vec::as_slice) else { continue };
        let wait = snapshot.threads.get(thread.at()).and_then(|thread| thread.reported_wait);
        if let LockId::Token(token) = &named.id
            && wait.is_none_or(|wait| wait.lock != ix)
        {
            snapshot.reported_locks.push(ReportedLock {
                address: None,
                token: Some(token.clone()),
                symbol: None,
                owner: ReportedOwner::Thread(thread),
                waiters: None,
                offset,
            });
        }
    }
}

/// The frames of initializers of classes for which threads wait.
fn initializers(snapshot: &Snapshot) -> FxHashMap<FrameIx, NamedLockIx> {
    let classes = (0u32..).map(NamedLockIx).zip(&snapshot.named_locks);
    let classes: FxHashMap<&str, NamedLockIx> = classes
        .filter(|(_, named)| named.kind == ReportedLockKind::ClassInit)
        .filter_map(|(ix, named)| Some((named.name.as_deref()?, ix)))
        .collect();
    if classes.is_empty() {
        return FxHashMap::default();
    }
    let frames = (0u32..).map(FrameIx).zip(snapshot.stacks.all_frames());
    let of_class = |function: &str| classes.get(function.strip_suffix(INITIALIZER)?).copied();
    frames.filter_map(|(ix, frame)| Some((ix, of_class(frame.function.as_deref()?)?))).collect()
}

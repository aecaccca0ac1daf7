//! Which lock a goroutine waits for, where a frame prints its address.

use crate::formats::text::{BodyFrame, BodyLock, BodyWait, LockRef};
use crate::model::ReportedLockKind::{self, *};
use crate::model::WaitMode::{self, *};

/// Functions whose first word is the address of the object, or of a part of it at an offset.
///
/// `sync.Mutex` {state 0, sema 4}, `sync.RWMutex` {Mutex 0, writerSem 8, readerSem 12} (src/sync/mutex.go,
/// rwmutex.go). The outermost frame that prints a live word says it best.
static FUNCTIONS: &[(&str, i64, ReportedLockKind, WaitMode)] = &[
    ("sync.(*RWMutex).Lock", 0, GoRwMutex, Enter),
    ("sync.(*RWMutex).RLock", 0, GoRwMutex, Read),
    ("sync.(*Mutex).Lock", 0, GoMutex, Enter),
    ("internal/sync.(*Mutex).Lock", 0, GoMutex, Enter),
    ("sync.(*Mutex).lockSlow", 0, GoMutex, Enter),
    ("internal/sync.(*Mutex).lockSlow", 0, GoMutex, Enter),
    ("sync.runtime_SemacquireRWMutexR", -12, GoRwMutex, Read),
    ("sync.runtime_SemacquireRWMutex", -8, GoRwMutex, Enter),
    ("sync.runtime_SemacquireMutex", -4, GoMutex, Enter),
    ("internal/sync.runtime_SemacquireMutex", -4, GoMutex, Enter),
    ("sync.(*WaitGroup).Wait", 0, GoWaitGroup, Notify),
    ("sync.(*Cond).Wait", 0, GoSemaphore, Notify),
    ("runtime.chanrecv1", 0, GoChannel, Notify),
    ("runtime.chanrecv2", 0, GoChannel, Notify),
    ("runtime.chansend1", 0, GoChannel, Notify),
];

/// `runtime.semacquire1(0x55a124, …)` has the address of the semaphore; what it is part of its callers say.
const SEMAPHORE: &str = "runtime.semacquire1";

/// Callers of the semaphore, and where in their object it lies.
static CALLERS: &[(&str, i64, ReportedLockKind, WaitMode)] = &[
    ("sync.(*RWMutex).RLock", -12, GoRwMutex, Read),
    ("sync.(*RWMutex).Lock", -8, GoRwMutex, Enter),
    ("sync.(*Mutex).Lock", -4, GoMutex, Enter),
    ("sync.(*Mutex).lockSlow", -4, GoMutex, Enter),
    ("internal/sync.(*Mutex).Lock", -4, GoMutex, Enter),
    ("internal/sync.(*Mutex).lockSlow", -4, GoMutex, Enter),
];

/// Frames that belong to one lock call: three for a mutex from Go 1.24 on, and the runtime's above them.
const MOST_FRAMES: usize = 8;

/// The wait that the innermost frames tell.
pub(super) fn wait(frames: &[BodyFrame]) -> Option<BodyWait> {
    let name = |frame: &BodyFrame| frame.frame.function.clone().unwrap_or_default();
    let first_word = |frame: &BodyFrame| {
        frame.slots.first().filter(|(slot, _)| &*slot.name == "word0").map(|(_, slot)| *slot)
    };
    let inner = frames.get(..frames.len().min(MOST_FRAMES)).unwrap_or_default();
    let claim = |slot, offset, kind, mode| waits(LockRef::Slot(slot, offset), kind, mode);
    // A writer first takes the mutex inside the RWMutex: then that is what it waits for, and its address is the same.
    let direct = inner.iter().rev().find_map(|frame| {
        let name = name(frame);
        let &(_, offset, kind, mode) = FUNCTIONS.iter().find(|(function, ..)| *function == &*name)?;
        Some(claim(first_word(frame)?, offset, kind, mode))
    });
    direct.or_else(|| {
        let semaphore = inner.iter().position(|f| &*name(f) == SEMAPHORE)?;
        let slot = first_word(inner.get(semaphore)?)?;
        let caller = inner.get(semaphore..)?.iter().rev().find_map(|frame| {
            let name = name(frame);
            CALLERS.iter().find(|(function, ..)| *function == &*name)
        });
        let &(_, offset, kind, mode) = caller?;
        Some(claim(slot, offset, kind, mode))
    })
}

fn waits(id: LockRef, kind: ReportedLockKind, mode: WaitMode) -> BodyWait {
    BodyWait { lock: BodyLock { id, name: None, kind }, mode, owner: None }
}

/// The wait of frames that print no word of the lock but such as may be stale. Where the function that called them has an
/// object and the lock would lie in it, that is the lock. Readers of an `RWMutex` are always printed so:
///
/// ```text
/// sync.runtime_SemacquireRWMutexR(0xc00001000c?, 0x0?, 0x0?)
/// sync.(*RWMutex).RLock(...)
/// main.(*Log).Level(0xc000010000)
/// ```
pub(super) fn doubted(frames: &[BodyFrame], doubted: &[Option<usize>]) -> Option<BodyWait> {
    let function = |frame: &BodyFrame| {
        let name = frame.frame.function.as_deref()?;
        FUNCTIONS.iter().find(|(function, ..)| *function == name)
    };
    let inner = frames.get(..frames.len().min(MOST_FRAMES))?;
    let outermost = inner.iter().rposition(|frame| function(frame).is_some())?;
    let caller = frames.get(outermost + 1)?;
    let (_, object) = caller.slots.first().filter(|(slot, _)| &*slot.name == "word0")?;
    let mut named = inner.iter().zip(doubted).rev();
    let (&(_, offset, kind, mode), slot) = named.find_map(|(frame, slot)| function(frame).zip(*slot))?;
    Some(waits(LockRef::Doubted { slot, offset, object: *object }, kind, mode))
}

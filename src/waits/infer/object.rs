//! The object that a lock is part of: a method of another object of the class takes another lock.

use crate::model::{LARGEST_OBJECT, Snapshot, Str, ThreadIx};
use crate::waits::lock::Lock;

use super::Scene;

/// The object of which a lock is a part, as the function that takes it has it for an argument.
///
/// ```text
/// internal/sync.(*Mutex).lockSlow(0xc0000104c8)
/// main.(*Shard).Get(0xc0000104c0, {0x4b0f2a, 0x3})
/// ```
pub(super) struct Object {
    /// The argument.
    argument: Str,
    address: u64,
}

/// So many waiters have to agree.
const ASKED: usize = 4;

impl Object {
    /// The object of a lock; `None` where the text prints none.
    pub fn of(lock: &Lock, scene: Scene<'_>) -> Option<Self> {
        let address = lock.address?;
        let object = |thread: &ThreadIx| {
            let stack = scene.snapshot.threads.get(thread.at())?.stack;
            let at = scene.sections.of(stack)?;
            let mut arguments = arguments(*thread, at, scene.snapshot);
            arguments.find(|(_, value)| (1..=address).contains(value) && address - value < LARGEST_OBJECT)
        };
        let mut of_waiters = lock.waiters.iter().take(ASKED).map(object);
        let (argument, first) = of_waiters.next()??;
        let all_agree = of_waiters.all(|other| other == Some((argument, first)));
        all_agree.then(|| Self { argument: argument.clone(), address: first })
    }

    /// Whether a thread is in the same function, at this place of its stack, for another object.
    pub fn differs(&self, thread: ThreadIx, at: usize, snapshot: &Snapshot) -> bool {
        let own = arguments(thread, at, snapshot).find(|(name, _)| **name == self.argument);
        own.is_some_and(|(_, value)| value != 0 && value != self.address)
    }
}

/// The arguments of a frame with their values in this thread.
fn arguments(thread: ThreadIx, at: usize, snapshot: &Snapshot) -> impl Iterator<Item = (&Str, u64)> {
    let thread = &snapshot.threads[thread.at()];
    let frames = snapshot.stacks.frames_of(thread.stack);
    let before: usize = frames.iter().take(at).map(|&frame| snapshot.stacks.slots(frame).len()).sum();
    let slots = frames.get(at).map(|&frame| snapshot.stacks.slots(frame)).unwrap_or_default();
    let values = snapshot.values.of(thread.values).iter().skip(before);
    slots.iter().map(|slot| &slot.name).zip(values.copied())
}

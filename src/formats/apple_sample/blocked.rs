//! What the kernel says that a thread is blocked by.
//!
//! ```text
//! (blocked by turnstile waiting for NNIM [3715] thread 0xf1aeb)
//! (blocked by pthread mutex owned by Mail [517] thread 0x57be71)
//! (suspended, blocked by unfair lock owned by Mail [517] thread 0x57be71)
//! (blocked by turnstile waiting for tccd [310] thread 0x9c1 after 2 hops)
//! (blocked by turnstile waiting for this thread after 2 hops - part of a deadlock)
//! (blocked by wait4 on spindump [546])
//! ```

use crate::formats::text::{BodyLock, BodyWait, LockRef, OwnerRef};
use crate::model::{ReportedLockKind, Str, ThreadId, WaitMode};

/// What the lock of each member of a ring is called.
pub(super) const RING: &str = "part of a deadlock";

/// Words between what blocks and who has it.
static WORDS: &[&str] = &[" waiting for ", " owned by "];

/// Reads the words behind a frame; `None` where no thread is named: `wait4`, a port.
pub(super) fn wait(text: &str) -> Option<BodyWait> {
    let (_, said) = text.split_once("blocked by ")?;
    let (what, whom) = WORDS.iter().find_map(|words| said.split_once(words))?;
    let lock = |token: &str, name: &str| BodyLock {
        id: LockRef::Token(token.into()),
        name: Some(Str::from(name)),
        kind: ReportedLockKind::Turnstile,
    };
    if whom.contains("part of a deadlock") {
        return Some(BodyWait { lock: lock(RING, what), mode: WaitMode::Enter, owner: None });
    }
    // Names of processes hold blanks and brackets: what counts stands at the end.
    let (process, thread) = whom.rsplit_once("] thread ")?;
    let pid: u32 = process.rsplit_once('[')?.1.parse().ok()?;
    let digits = thread.strip_prefix("0x")?.bytes().take_while(u8::is_ascii_hexdigit).count();
    let id = thread.get(..digits + 2)?;
    let number = u64::from_str_radix(id.get(2..)?, 16).ok()?;
    // The kernel names no lock, only who has it: one token for all that this thread has of a kind.
    let token = format!("{what} of thread {id}");
    let owner = OwnerRef::OfProcess { pid, id: ThreadId::Text(id.into()), number };
    let name = match thread.split_once(" after ") {
        // The owner is the end of a chain.
        Some((_, hops)) => format!("{what}, after {}", hops.trim_end_matches(')')),
        None => what.to_owned(),
    };
    Some(BodyWait { lock: lock(&token, &name), mode: WaitMode::Enter, owner: Some(owner) })
}

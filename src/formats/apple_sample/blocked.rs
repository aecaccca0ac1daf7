//! What the kernel says that a thread is blocked by.
//!
//! ```text
//! (blocked by turnstile waiting for NNIM [3715] thread 0xf1aeb)
//! (blocked by turnstile waiting for lldb-rpc-server [12692] [unique pid 112195] thread 0x2c4a6c)
//! (blocked by pthread mutex owned by Mail [517] thread 0x57be71)
//! (suspended, blocked by turnstile waiting for Cursor [858])
//! (blocked by turnstile waiting for tccd [310] thread 0x9c1 after 2 hops)
//! (blocked by turnstile waiting for this thread)
//! (blocked by turnstile waiting for this thread - part of a deadlock)
//! (blocked by wait4 on spindump [546])
//! ```

use crate::formats::apple;
use crate::formats::text::{BodyLock, BodyWait, LockRef, OwnerRef};
use crate::model::{ReportedLockKind, Str, ThreadId, WaitMode};

/// What the lock of each member of a ring is called.
pub(super) const RING: &str = "part of a deadlock";

/// Words between what blocks and who has it.
static WORDS: &[&str] = &[" waiting for ", " owned by "];

/// Reads the words behind a frame; `None` where nobody is named who has it, and for the end of a process (`wait4`).
pub(super) fn wait(text: &str) -> Option<BodyWait> {
    let (_, said) = text.rsplit_once("blocked by ")?;
    let (what, whom) = WORDS.iter().find_map(|words| said.split_once(words))?;
    let whom = whom.trim_end().trim_end_matches(')');
    let wait = |token: String, name: String, owner| {
        let id = LockRef::Token(token.into());
        let lock = BodyLock { id, name: Some(Str::from(name)), kind: ReportedLockKind::Turnstile };
        Some(BodyWait { lock, mode: WaitMode::Enter, owner })
    };
    // The owner may be the end of a chain.
    let (whom, hops) = whom.split_once(" after ").unwrap_or((whom, ""));
    let name = if hops.is_empty() { what.to_owned() } else { format!("{what}, after {hops}") };
    // Names of processes hold blanks and brackets: what counts stands at the end.
    if let Some((process, thread)) = whom.rsplit_once("] thread 0x") {
        let pid: u32 =
            apple::without_unique(process).trim_end_matches(']').rsplit_once('[')?.1.parse().ok()?;
        let digits = thread.bytes().take_while(u8::is_ascii_hexdigit).count();
        let id = format!("0x{}", thread.get(..digits)?);
        let number = u64::from_str_radix(thread.get(..digits)?, 16).ok()?;
        // The kernel names no lock, only who has it: one token for all that this thread has of a kind.
        let token = format!("{what} of thread {id}");
        return wait(token, name, Some(OwnerRef::OfProcess { pid, id: ThreadId::Text(id.into()), number }));
    }
    if said.contains(RING) {
        return wait(RING.into(), name, None);
    }
    if whom.trim_end() == "this thread" {
        return wait(what.to_owned(), name, Some(OwnerRef::Itself));
    }
    // A process, of which no thread is named.
    let whom = apple::without_unique(whom.trim_end());
    wait(format!("{what} of {whom}"), format!("{name} of {whom}"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        let read = |text: &str| {
            let wait = wait(text).unwrap();
            let LockRef::Token(token) = wait.lock.id else { panic!("no token") };
            (token.to_string(), wait.owner)
        };
        let of =
            |pid, id: &str, number| Some(OwnerRef::OfProcess { pid, id: ThreadId::Text(id.into()), number });
        assert_eq!(
            read(
                "f + 0 (pthread + 1) [0xff] (blocked by turnstile waiting for A [b] c [3715] thread 0xf1aeb)"
            ),
            ("turnstile of thread 0xf1aeb".into(), of(3715, "0xf1aeb", 0xf1aeb))
        );
        assert_eq!(
            read(
                "f [0xff] (blocked by turnstile waiting for a-server [12692] [unique pid 112195] thread 0x2c4a6c)"
            ),
            ("turnstile of thread 0x2c4a6c".into(), of(12692, "0x2c4a6c", 0x2c4a6c))
        );
        assert_eq!(
            read("f (suspended, blocked by turnstile waiting for Cursor [858] [unique pid 99])"),
            ("turnstile of Cursor [858]".into(), None)
        );
        assert_eq!(
            read("f (suspended, blocked by turnstile waiting for tccd [310] thread 0x9c1 after 2 hops)").1,
            of(310, "0x9c1", 0x9c1)
        );
        assert_eq!(
            read("f (blocked by turnstile waiting for this thread)"),
            ("turnstile".into(), Some(OwnerRef::Itself))
        );
        assert_eq!(
            read("f (blocked by turnstile waiting for this thread - part of a deadlock)"),
            (RING.into(), None)
        );
        assert_eq!(
            read("f (blocked by turnstile waiting for tccd after 2 hops)"),
            ("turnstile of tccd".into(), None)
        );
        assert!(wait("f (blocked by wait4 on spindump [546])").is_none());
        assert!(wait("f (running)").is_none());
    }
}

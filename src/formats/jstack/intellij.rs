//! What the IDEs of JetBrains write of their own threads, above all when they freeze: `threadDump-*.txt`.
//!
//! ```text
//! "AWT-EventQueue-0" prio=0 tid=0x0 nid=0x0 blocked
//!      java.lang.Thread.State: BLOCKED
//!  on java.lang.Object@5f5c2 owned by "Timer-2" Id=278 (suspended) (in native)
//!     at com.intellij.ide.Highlighter.events(Highlighter.kt:96)
//!
//! ---------- Coroutine dump ----------
//! - "com.intellij.ide":StandaloneCoroutine{Active} [Dispatchers.Default]
//!     at com.intellij.ide.Highlighter.next(Highlighter.kt:12)
//! ```
//!
//! No thread has an id, so that owners are known by their names; of two with one name it is not known which is meant. The
//! third line is empty where the thread neither waits nor is in native code. Newer releases leave idle workers of
//! coroutines out and say so nowhere.
//!
//! Source: JetBrains/intellij-community ThreadDumper.java `dumpCallStack` and `sort`, CoroutineDumper.kt, as of 2025.

use super::java;
use crate::formats::text::OwnerRef;
use crate::model::ThreadId;

/// What a header says that knows no id; the event of such a header.
pub(super) const WITHOUT_IDS: &str = "tid=0x0 nid=0x0";

/// How the list of coroutines begins, whose frames are no thread's.
pub(super) const COROUTINES: &str = "---------- Coroutine dump";

/// Words behind a lock, or alone; in the order in which they are taken off the end.
static FLAGS: &[&str] = &["(in native)", "(suspended)"];

/// Which lock a line of a block, without its indentation, names, and who has it: `on C@5f5c2 owned by "x" Id=3`.
pub(super) fn lock(text: &str) -> Option<(&str, Option<OwnerRef>)> {
    let text = without_flags(text).strip_prefix("on ")?;
    let (token, owner) = text.split_once(' ').unwrap_or((text, ""));
    if !java::is_token(token) {
        return None;
    }
    if owner.is_empty() {
        return Some((token, None));
    }
    let (name, id) = owner.strip_prefix("owned by \"")?.rsplit_once("\" Id=")?;
    id.bytes().all(|b| b.is_ascii_digit()).then(|| (token, Some(java::owner_named(name))))
}

/// Whether a line of a block, without its indentation, has such words alone.
pub(super) fn is_noise(text: &str) -> bool {
    without_flags(text).is_empty()
}

fn without_flags(text: &str) -> &str {
    FLAGS.iter().fold(text, |text, flag| text.strip_suffix(flag).unwrap_or(text).trim_end())
}

/// What is known of the threads of a dump whose names are their only ids: several may have one name (`process reaper`).
/// A dump is sorted, so that the next one begins with the thread with which this one began.
#[derive(Default)]
pub(super) struct Names {
    are_ids: bool,
    first: Option<ThreadId>,
}

impl Names {
    /// The threads have no other ids.
    pub fn are_ids(&mut self) {
        self.are_ids = true;
    }

    /// A thread is added.
    pub fn add(&mut self, id: &ThreadId) {
        if self.first.is_none() {
            self.first = Some(id.clone());
        }
    }

    /// Whether a dump begins with a thread of which one has come before that is called so.
    pub fn begins(&self, id: &ThreadId) -> bool {
        !self.are_ids || self.first.as_ref() == Some(id)
    }
}

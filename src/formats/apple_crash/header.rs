//! Headers of threads, of one line or two.
//!
//! ```text
//! Thread 0 Crashed:: Dispatch queue: com.apple.main-thread          Thread 3:: JavaScriptCore bmalloc scavenger
//! Thread 0 name:  Dispatch queue: com.apple.main-thread             Thread 7 Crashed:
//! Thread 0 Crashed:                                                 Thread 4:
//! Thread 5 name:                                                    Thread 1 (id: 0x1a2b):
//! ```

use crate::formats::apple;
use crate::formats::text::{Head, first_line};
use crate::model::{Thread, ThreadId, lossy};

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    let (number, rest) = behind_number(line)?;
    let mut thread = Thread::new(ThreadId::Number(number));
    if let Some(name) = rest.strip_prefix(" name:") {
        thread.name = apple::thread_name(name);
        let mut head = Head::of(thread);
        // The second line says whether it crashed.
        let next = first_line(more);
        let text = lossy(next.get(..next.len().min(256)).unwrap_or_default());
        if let Some((same, rest)) = behind_number(text.trim_end())
            && same == number
            && let Some((words, _)) = rest.split_once(':')
            && let Some(is_crashed) = crashed(words)
        {
            head.thread.is_running = is_crashed;
            head.event = event(words);
            head.more = (next.len() + 1).min(more.len());
        }
        return Some(head);
    }
    let (before, name) = rest.split_once(':')?;
    thread.is_running = crashed(before)?;
    thread.name = name.strip_prefix(':').and_then(apple::thread_name).or_else(|| apple::thread_name(name));
    Some(Head { event: event(before), ..Head::of(thread) })
}

/// The event of a thread that crashed. One that is only shown before the others may be one that took long.
pub(super) const CRASHED: &str = "thread crashed";

fn event(words: &str) -> Option<String> {
    words.trim_end().ends_with("Crashed").then(|| CRASHED.to_owned())
}

/// The number, and what stands behind it.
fn behind_number(line: &str) -> Option<(u64, &str)> {
    let rest = line.strip_prefix("Thread ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    Some((rest.get(..digits)?.parse().ok()?, rest.get(digits..)?))
}

/// Whether the words between a number and a colon say that the thread crashed; `None`: they are no header's.
fn crashed(words: &str) -> Option<bool> {
    match words.trim() {
        "" => Some(false),
        "Crashed" | "Attributed" | "Highlighted" => Some(true),
        // `(id: 0x1a2b)`
        other if other.starts_with('(') => Some(other.ends_with("Crashed")),
        _ => None,
    }
}

//! Headers of threads, of one line or two.
//!
//! ```text
//! Thread 0 Crashed:: Dispatch queue: com.apple.main-thread          Thread 3:: JavaScriptCore bmalloc scavenger
//! Thread 0 name:  Dispatch queue: com.apple.main-thread             Thread 7 Crashed:
//! Thread 0 Crashed:                                                 Thread 4:
//! Thread 5 name:                                                    Thread 1 (id: 0x1a2b):
//! ```

use crate::formats::apple::{self, frame};
use crate::formats::text::{Head, first_line};
use crate::model::{Thread, ThreadId, lossy};

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    let (number, rest) = behind_number(line)?;
    let mut thread = Thread::new(ThreadId::Number(number));
    if let Some(name) = rest.strip_prefix(" name:") {
        thread.name = apple::thread_name(name);
        let mut head = Head::of(thread);
        if let Some(second) = second(number, more) {
            head.thread.is_running = second.is_crashed;
            head.event = second.event;
            head.more = second.end;
            head.unknown = second.between;
        }
        return Some(head);
    }
    let (before, name) = rest.split_once(':')?;
    thread.is_running = crashed(before)?;
    thread.name = name.strip_prefix(':').and_then(apple::thread_name).or_else(|| apple::thread_name(name));
    Some(Head { event: event(before), ..Head::of(thread) })
}

/// The second line of a header, which says whether the thread crashed.
struct Second {
    is_crashed: bool,
    event: Option<String>,
    /// Where the text behind it begins.
    end: usize,
    /// A line of somebody else between the two.
    between: Option<String>,
}

/// As many lines are looked at for the second one.
const MOST_LINES: usize = 4;

/// The second line of the header of this thread.
fn second(number: u64, more: &[u8]) -> Option<Second> {
    let mut at = 0;
    let mut between = None;
    for _ in 0..MOST_LINES {
        let next = first_line(more.get(at..)?);
        let text = lossy(next.get(..next.len().min(256)).unwrap_or_default());
        let text = text.trim_end();
        at = (at + next.len() + 1).min(more.len());
        match behind_number(text) {
            Some((same, rest)) => {
                let (words, _) = rest.split_once(':').filter(|_| same == number)?;
                return Some(Second { is_crashed: crashed(words)?, event: event(words), end: at, between });
            }
            // Its stack begins: there is no second line.
            None if text.is_empty() => {}
            None if frame::read(text.trim_start()).is_some() => return None,
            None => between = between.or_else(|| Some(text.to_owned())),
        }
    }
    None
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

//! What a process writes before it ends itself, above gdb's own lines.

use crate::model::{Failure, FailureKind};

/// Beginnings, or parts, of the lines, and what they mean.
///
/// ```text
/// terminate called after throwing an instance of 'std::out_of_range'
///   what():  vector::_M_range_check: __n (which is 7) >= this->size() (which is 3)
/// server: queue.c:91: queue_push: Assertion `q->head != NULL' failed.
/// free(): double free detected in tcache 2
/// *** stack smashing detected ***: terminated
/// ```
///
/// Source: libstdc++ 4.8-15 libsupc++/vterminate.cc, pure.cc; glibc 2.17-2.41 malloc/malloc.c, assert/assert.c,
/// debug/fortify_fail.c; musl 1.2 src/exit/assert.c; libc++abi abort_message.
static MESSAGES: &[(&str, Place, FailureKind)] = &[
    ("terminate called after throwing an instance of ", Place::Start, FailureKind::UncaughtException),
    ("terminate called without an active exception", Place::Start, FailureKind::Abort),
    ("terminate called recursively", Place::Start, FailureKind::Abort),
    ("libc++abi: terminating", Place::Start, FailureKind::UncaughtException),
    ("libc++abi.dylib: terminating", Place::Start, FailureKind::UncaughtException),
    ("pure virtual method called", Place::Start, FailureKind::Abort),
    (": Assertion `", Place::Inside, FailureKind::Abort),
    ("Assertion failed: ", Place::Start, FailureKind::Abort),
    ("*** stack smashing detected ***", Place::Start, FailureKind::Abort),
    ("*** buffer overflow detected ***", Place::Start, FailureKind::Abort),
    ("*** Error in `", Place::Start, FailureKind::Abort),
    ("double free or corruption", Place::Start, FailureKind::Abort),
    ("corrupted size vs. prev_size", Place::Start, FailureKind::Abort),
    ("corrupted double-linked list", Place::Start, FailureKind::Abort),
    ("malloc(): ", Place::Start, FailureKind::Abort),
    ("free(): ", Place::Start, FailureKind::Abort),
    ("realloc(): ", Place::Start, FailureKind::Abort),
    ("munmap_chunk(): ", Place::Start, FailureKind::Abort),
    ("malloc_consolidate(): ", Place::Start, FailureKind::Abort),
];

#[derive(Clone, Copy)]
enum Place {
    Start,
    Inside,
}

/// The second line of an exception.
const WHAT: &str = "what():";

/// What a line says of the end of the process.
pub(super) fn message(text: &str) -> Option<(FailureKind, String)> {
    if let Some(what) = text.strip_prefix(WHAT) {
        return Some((FailureKind::UncaughtException, what.trim().to_owned()));
    }
    let is_in = |text: &str, part: &str, place: Place| match place {
        Place::Start => text.starts_with(part),
        Place::Inside => text.contains(part) && text.contains("' failed"),
    };
    let (start, _, kind) = MESSAGES.iter().find(|(part, place, _)| is_in(text, part, *place))?;
    // `terminate called after throwing an instance of 'std::out_of_range'`: the class is what it says.
    let said = match kind {
        FailureKind::UncaughtException => text.strip_prefix(start).unwrap_or(text),
        _ => text,
    };
    Some((*kind, said.trim().trim_matches('\'').to_owned()))
}

/// One failure of the lines above a dump; the last exception counts, a program may have had others before.
pub(super) fn joined(failure: Option<Failure>, kind: FailureKind, text: &str) -> Failure {
    match failure {
        Some(first) if first.kind == kind && kind == FailureKind::UncaughtException => {
            Failure { message: format!("{}: {text}", first.message).into(), ..first }
        }
        _ => Failure { kind, message: text.into(), thread: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_assertions_and_the_heap() {
        let of = |lines: &[&str]| {
            let said = lines.iter().filter_map(|line| message(line));
            said.fold(None, |failure, (kind, text)| Some(joined(failure, kind, &text)))
                .map(|failure| failure.message.to_string())
        };
        let thrown =
            ["terminate called after throwing an instance of 'std::out_of_range'", "what():  no seven"];
        assert_eq!(of(&thrown).as_deref(), Some("std::out_of_range: no seven"));
        let failed = "server: queue.c:91: queue_push: Assertion `q->head != NULL' failed.";
        assert_eq!(of(&[failed]).as_deref(), Some(failed));
        assert_eq!(of(&["free(): double free detected in tcache 2"]).as_deref().map(str::len), Some(40));
        assert_eq!(of(&["we call free() here", "an Assertion `held'"]), None);
    }
}

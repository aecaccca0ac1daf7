//! Headers of goroutines, and of the stack on which the runtime ran.

use super::states;
use crate::formats::text::Head;
use crate::formats::text::words::{number, split_once};
use crate::model::{ReportedState, Thread, ThreadId, ThreadKind};

/// Reads a header.
///
/// ```text
/// goroutine 20 [sync.Mutex.Lock, 34 minutes]:                             Go 1.20
/// goroutine 1 gp=0xc0000061c0 m=nil [chan receive, 5 minutes]:            Go 1.23, GOTRACEBACK=system
/// goroutine 17 gp=0xc000104000 m=3 mp=0xc000080008 [syscall, locked to thread]:
/// goroutine 7 [select (no cases)]:
/// goroutine 34 [running] {"request": "17"}:                               Go 1.27
/// ```
pub(super) fn read(line: &str) -> Option<Head> {
    let (id, inside) = parts(line)?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.kind = ThreadKind::Goroutine;
    let mut head = Head::of(thread);
    let (state, mut rest) = split_once(inside, ", ").unwrap_or((inside, ""));
    states::apply(state, &mut head);
    while !rest.is_empty() {
        let (part, behind) = split_once(rest, ", ").unwrap_or((rest, ""));
        rest = behind;
        let minutes = part.strip_suffix(" minutes").and_then(|n| n.parse::<u64>().ok());
        match minutes {
            Some(minutes) => head.thread.waited_us = Some(minutes.saturating_mul(60_000_000)),
            None if part == "locked to thread" || part.starts_with("synctest ") => {}
            None => head.unknown = Some(part.to_owned()),
        }
    }
    if id == 0 {
        head.thread.kind = ThreadKind::Os;
    }
    Some(head)
}

/// The stack on which the runtime itself ran.
pub(super) fn runtime() -> Head {
    let mut head = Head::of(Thread::new(ThreadId::Number(0)));
    head.thread.kind = ThreadKind::Os;
    head.thread.reported = Some(ReportedState::Running);
    head
}

/// The number in a header, and what stands in its brackets.
pub(super) fn parts(line: &str) -> Option<(u64, &str)> {
    let rest = line.strip_prefix("goroutine ")?;
    let (id, rest) = number(rest)?;
    let open = rest.find('[')?;
    let known = rest.get(..open)?.split_ascii_whitespace().all(|field| field.contains('='));
    let (inside, after) = rest.get(open + 1..)?.split_once(']')?;
    (known && rest.starts_with(' ') && after.trim_end().ends_with(':')).then_some((id, inside))
}

//! Headers of threads.
//!
//! ```text
//! * thread #1, name = 'shop', queue = 'com.apple.main-thread', stop reason = signal SIGABRT
//!   thread #2, stop reason = signal 0
//!   thread #7
//! * thread #1: tid = 9932, 0x00007f09 libc.so.6`f(fd=4) at w.c:26:10, name = 'shop', stop reason = signal 0     list
//! * thread #1: tid = 0x105763, 0x9f8b7312 libsystem_kernel.dylib`__psynch_cvwait + 10, name = 'x'              old
//! 4 thread(s) #5 #6 #7 #8                                                                                  unique
//! * thread #2 #3
//! ```
//!
//! Names are printed raw: they may hold quotes and line breaks.

use crate::formats::text::words::{hex, number};
use crate::formats::text::{Head, first_line};
use crate::model::{Thread, ThreadId, lossy};

/// Fields behind the number, in the order in which `thread-format` prints them.
static FIELDS: &[&str] = &[
    "tid = ",
    "name = '",
    "queue = '",
    "activity = '",
    "stop reason = ",
    "exit_code = ",
    "Completed Expression",
];

/// How many more lines a name may have.
const MOST_LINES: usize = 8;

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    let text = line.trim_start();
    if let Some((_, rest)) = number(text)
        && let Some(list) = rest.strip_prefix(" thread(s) ")
    {
        return group(list);
    }
    let text = text.strip_prefix("* ").unwrap_or(text).strip_prefix("thread ")?;
    let (index, rest) = number(text.strip_prefix('#')?)?;
    if rest.starts_with(" #") {
        return group(text);
    }
    if !(rest.is_empty() || rest.starts_with([',', ':'])) {
        return None;
    }
    if let Some(head) = fields(index, rest) {
        return Some(head);
    }
    // The name goes on in the next line.
    let mut joined = rest.to_owned();
    let mut at = 0;
    for _ in 0..MOST_LINES {
        let next = first_line(more.get(at..)?);
        if next.is_empty() && more.get(at..)?.is_empty() {
            break;
        }
        joined.push('\n');
        joined.push_str(lossy(next.get(..next.len().min(1024)).unwrap_or(next)).trim_end_matches('\r'));
        at = (at + next.len() + 1).min(more.len());
        if let Some(head) = fields(index, &joined) {
            return Some(Head { more: at, ..head });
        }
    }
    // The text is cut, or the name has a form that nobody thought of.
    Some(Head { unknown: Some(rest.trim().to_owned()), ..Head::of(thread_of(index)) })
}

fn thread_of(index: u64) -> Thread {
    Thread::new(ThreadId::Number(index))
}

/// `#5 #6 #7 #8`: threads with one stack.
fn group(list: &str) -> Option<Head> {
    let ids = list.split_ascii_whitespace().map_while(|id| id.strip_prefix('#')?.parse().ok());
    let mut threads = ids.map(thread_of);
    let mut head = Head::of(threads.next()?);
    head.also = threads.collect();
    Some(head)
}

/// Reads what stands behind the number; `None` where a name is not closed.
fn fields(index: u64, rest: &str) -> Option<Head> {
    let mut head = Head::of(thread_of(index));
    let mut rest = rest.strip_prefix([':', ',']).unwrap_or(rest).trim_start_matches(' ');
    while !rest.is_empty() {
        let field = FIELDS.iter().find(|field| rest.starts_with(**field));
        let Some(field) = field else {
            // A frame, up to the next field.
            let end = next_field(rest).unwrap_or(rest.len());
            let text = rest.get(..end)?.trim_end_matches([',', ' ']);
            if text.starts_with("0x") {
                head.first = Some(format!("    frame #0: {text}"));
            } else if text != "<+" {
                head.unknown = Some(text.to_owned());
            }
            rest = rest.get(end..)?.trim_start_matches([',', ' ']);
            continue;
        };
        let value = rest.get(field.len()..)?;
        let (value, next) = if field.ends_with('\'') { quoted(value)? } else { plain(value) };
        match *field {
            "tid = " => {
                let tid = if value.starts_with("0x") { hex(value) } else { value.parse().ok() };
                head.thread.tid = tid.and_then(|tid| u32::try_from(tid).ok());
                // A thread of macOS has an id that is larger than that of any process.
                head.thread.handle = None;
            }
            "name = '" => head.thread.name = Some(value.into()),
            "stop reason = " => head.event = Some(format!("stop reason = {value}")),
            _ => {}
        }
        rest = next;
    }
    Some(head)
}

/// A value up to the next field: reasons and frames may hold commas.
fn plain(text: &str) -> (&str, &str) {
    let end = next_field(text).unwrap_or(text.len());
    // `tid = 9932, 0x00007f09 libc.so.6`f`: a number ends at its comma.
    let end = match text.find(", 0x") {
        Some(comma)
            if comma < end
                && text.get(..comma).is_some_and(|t| t.bytes().all(|b| b.is_ascii_alphanumeric())) =>
        {
            comma
        }
        _ => end,
    };
    let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (value.trim_end_matches([',', ' ']), rest.trim_start_matches([',', ' ']))
}

/// A value in quotes up to those that another field or the end of the line follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let ends = text.match_indices('\'').find(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        rest.is_empty() || rest.strip_prefix(", ").is_some_and(|r| FIELDS.iter().any(|f| r.starts_with(f)))
    });
    let (end, _) = ends?;
    Some((text.get(..end)?, text.get(end + 1..)?.trim_start_matches([',', ' '])))
}

fn next_field(text: &str) -> Option<usize> {
    FIELDS.iter().filter_map(|field| text.find(&format!(", {field}"))).min()
}

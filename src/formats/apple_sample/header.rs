//! Headers of threads.
//!
//! ```text
//!     825 Thread_15758523   DispatchQueue_1: com.apple.main-thread  (serial)                 sample
//!     825 Thread_15758535: log writer
//!     52 Thread_<multiple>   DispatchQueue_279: NSCGSDisableUpdates  (serial)                threads that served one queue in turn
//!   Thread 0xeac    DispatchQueue "com.apple.main-thread"(1)    101 samples (1-101)    priority 31 (base 31)    cpu time <0.001s (…)
//!   Thread 0xec6    Thread name "caulk.messenger.shared:17"    101 samples (1-101)    priority 31 (base 31)
//!   Thread 0xf1970    DispatchQueue "com.apple.main-thread"(1)                             iOS, bug_type 228
//!   Thread 0xaccef1   DispatchQueue 1          priority 46                                 OS X 10.9, which counts no samples here
//!   Thread 0xdcb,0xeae,0xead    DispatchQueue "com.apple.root.user-initiated-qos"(16)    80 samples (2-86)    priority 31-46 (base 31)
//! ```

use crate::formats::text::Head;
use crate::formats::text::words::{rsplit_once, split_once};
use crate::model::{Str, Thread, ThreadId};

/// Reads a header.
pub(super) fn read(line: &str) -> Option<Head> {
    let text = line.trim_start();
    if line.len() == text.len() || line.len() - text.len() > 8 {
        return None;
    }
    match text.strip_prefix("Thread 0x") {
        Some(_) => of_spindump(text.strip_prefix("Thread ")?),
        None => of_sample(text),
    }
}

fn of_sample(text: &str) -> Option<Head> {
    let (count, rest) = split_once(text, " Thread_")?;
    if count.is_empty() || !count.trim_end().bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let several = rest.strip_prefix("<multiple>");
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let id: Option<u64> = rest.get(..digits)?.parse().ok();
    let rest = several.or_else(|| rest.get(digits..))?;
    if !(rest.is_empty() || rest.starts_with([':', ' '])) {
        return None;
    }
    let (name, queue) = split_once(rest, "DispatchQueue_").unwrap_or((rest, ""));
    let name = name.trim_start_matches(':').trim();
    let queue = split_once(queue, ": ").map_or("", |(_, queue)| queue);
    let queue = split_once(queue, "  (").map_or(queue, |(queue, _)| queue).trim();
    let mut thread = match (id, several) {
        (Some(id), None) => thread(ThreadId::Number(id), id),
        // The number of the queue tells them apart.
        (None, Some(rest)) => {
            Thread::new(ThreadId::Text(format!("multiple {}", number_of_queue(rest)?).into()))
        }
        _ => return None,
    };
    thread.name = [name, queue].into_iter().find(|n| !n.is_empty()).map(Str::from);
    Some(Head::of(thread))
}

/// `   DispatchQueue_279: NSCGSDisableUpdates  (serial)`.
fn number_of_queue(text: &str) -> Option<&str> {
    let (_, rest) = split_once(text, "DispatchQueue_")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.get(..digits).filter(|number| !number.is_empty())
}

fn of_spindump(text: &str) -> Option<Head> {
    let (ids, rest) = text.split_once(' ')?;
    let mut threads = ids.split(',').filter_map(|id| {
        let number = u64::from_str_radix(id.strip_prefix("0x")?, 16).ok()?;
        Some(thread(ThreadId::Text(id.into()), number))
    });
    let first = threads.next()?;
    let also: Vec<Thread> = threads.collect();
    // Hang reports of iOS count no samples of the main thread.
    let is_named = || NAMES.iter().any(|words| rest.trim_start().starts_with(words));
    if !counts_samples(rest) && !is_named() && !is_ranked(rest) {
        return None;
    }
    let name = quoted(rest, "Thread name \"").or_else(|| quoted(rest, "DispatchQueue \""));
    let cpu = rsplit_once(rest, "cpu time ").map(|(_, cpu)| cpu.trim_start_matches('<'));
    let seconds: Option<f64> = cpu.and_then(|cpu| cpu.split('s').next()).and_then(|s| s.parse().ok());
    let mut head = Head::of(first);
    head.also = also;
    let is_one = head.also.is_empty();
    for thread in std::iter::once(&mut head.thread).chain(&mut head.also) {
        thread.name.clone_from(&name);
        // Of several threads together.
        thread.cpu_us =
            seconds.filter(|s| is_one && s.is_finite() && *s >= 0.0).map(|s| (s * 1e6).round() as u64);
    }
    Some(head)
}

/// `             priority 46        `: a thread of OS X 10.9 that serves no queue.
fn is_ranked(text: &str) -> bool {
    let words = text.trim_start().strip_prefix("priority ");
    words.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether the header says in how many samples the thread was.
pub(super) fn counts_samples(text: &str) -> bool {
    [" samples (", " sample ("].iter().any(|words| split_once(text, words).is_some())
}

/// What may follow the ids.
static NAMES: &[&str] = &["DispatchQueue ", "Thread name \""];

fn thread(id: ThreadId, number: u64) -> Thread {
    let mut thread = Thread::new(id);
    thread.tid = u32::try_from(number).ok();
    thread
}

/// The text in quotes behind these words. A name may hold quotes: two blanks follow the last one, or `(1)`.
fn quoted(text: &str, words: &str) -> Option<Str> {
    let (_, rest) = split_once(text, words)?;
    let name = |end: &str| split_once(rest, end).map(|(name, _)| name);
    let name =
        ["\"   ", "\"("].into_iter().filter_map(name).min_by_key(|name| name.len()).or_else(|| name("\""))?;
    (!name.is_empty()).then(|| name.into())
}

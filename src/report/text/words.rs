//! How things are said.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::head;
use crate::model::FormatId;
use crate::report::document::{Frame, Location, Lock, Snapshot, ThreadRef, Waited};

/// `4,499`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `4,499 threads`, `1 thread`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `4,499 threads`, `at least 12 threads`, `no thread shown`.
pub fn in_all(n: u64, is_complete: bool, noun: &str) -> String {
    match (n, is_complete) {
        (_, true) => counted(n, noun),
        (0, false) => format!("no {noun} shown"),
        (_, false) => format!("at least {}", counted(n, noun)),
    }
}

/// `90 %`. Only all is 100 % and only none is 0 %.
pub fn percent(share: f64) -> String {
    match (share * 100.0).round() as u64 {
        0 if share > 0.0 => "<1 %".into(),
        100 if share < 1.0 => ">99 %".into(),
        n => format!("{n} %"),
    }
}

/// Seconds as a person says them: `0.25 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        _ if seconds <= 0.0 => "0 s".into(),
        _ if seconds < 0.001 => "<0.001 s".into(),
        _ if seconds < 1.0 => format!("{seconds:.3} s"),
        0..10 => format!("{seconds:.1} s"),
        n @ 10..120 => format!("{n} s"),
        n @ 120..7200 => format!("{} min {} s", n / 60, n % 60),
        n => format!("{} h {} min", count(n / 3600), n % 3600 / 60),
    }
}

/// The least and the most of a time that threads share: `12 s`, `12 s to 3 min 20 s`.
pub fn waited(waited: Waited) -> String {
    let [least, most] = [waited.min, waited.max].map(duration);
    if least == most { least } else { format!("{least} to {most}") }
}

/// The id of a value as the JSON report writes it: `lock-wait`.
pub fn id_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(id)) => id,
        _ => String::new(),
    }
}

/// `4,499 lock-wait, 500 idle`: what the threads of the snapshots do, the most first.
pub fn states<'s, 'a: 's>(snapshots: impl IntoIterator<Item = &'s Snapshot<'a>>) -> Option<String> {
    let mut counts = BTreeMap::new();
    for (state, count) in snapshots.into_iter().flat_map(|s| &s.threads.states) {
        *counts.entry(*state).or_insert(0) += count;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(state, n)| (Reverse(*n), *state));
    let said: Vec<_> = counts.iter().map(|(state, n)| format!("{} {}", count(*n), id_of(state))).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// A long name without its middle: `std::__1::basic_st…<char>>::append`.
pub fn shortened(name: &str, most: usize) -> String {
    if name.width() <= most {
        return name.to_owned();
    }
    let for_tail = most.saturating_sub(1).div_ceil(2);
    let start = head(name, most.saturating_sub(1) - for_tail);
    let mut used = 0;
    let tail = name.char_indices().rev().take_while(|(_, c)| {
        used += c.width().unwrap_or(0);
        used <= for_tail
    });
    format!("{start}…{}", &name[tail.last().map_or(name.len(), |(at, _)| at)..])
}

/// The most columns of a function's name in a chain of calls.
const FUNCTION: usize = 40;

/// `log_message ← handle ← worker`, each name shortened.
pub fn signature(signature: &str) -> String {
    signature.split(" ← ").map(|function| shortened(function, FUNCTION)).collect::<Vec<_>>().join(" ← ")
}

/// `thread 4340 "flusher"`.
pub fn thread(thread: &ThreadRef<'_>) -> String {
    match thread.name {
        Some(name) => format!("thread {} \"{name}\"", thread.id),
        None => format!("thread {}", thread.id),
    }
}

/// `pthread mutex`.
pub fn lock_kind(lock: &Lock<'_>) -> String {
    id_of(&lock.kind).replace('-', " ")
}

/// The shortest that says which lock it is: its name, else its address, else its id in the report.
pub fn lock_name(lock: &Lock<'_>) -> String {
    let named = lock.name.map(|name| shortened(name, FUNCTION));
    let token = || lock.token.map(|token| shortened(token, FUNCTION));
    named
        .or_else(|| lock.address.map(|a| a.to_string()))
        .or_else(token)
        .unwrap_or_else(|| lock.id.to_string())
}

/// The same, whole.
pub fn full_lock_name(lock: &Lock<'_>) -> String {
    let named = lock.name.map(str::to_owned).or_else(|| lock.address.map(|a| a.to_string()));
    named.or_else(|| lock.token.map(str::to_owned)).unwrap_or_else(|| lock.id.to_string())
}

/// `pthread mutex g_log_mutex, 0x55f0ce1aa140 in logserver .bss, guards logging`.
pub fn lock(lock: &Lock<'_>) -> String {
    let mut said = format!("{} {}", lock_kind(lock), lock_name(lock));
    if let (Some(_), Some(address)) = (lock.name, lock.address) {
        said += &format!(", {address}");
    }
    if let Some(place) = lock.place {
        said += &format!(" {place}");
    }
    if let Some(class) = &lock.class {
        said += &format!(", guards {}", id_of(class).replace('-', " "));
    }
    said
}

/// A format as a person calls it.
pub fn format_name(format: FormatId) -> &'static str {
    match format.id() {
        "elf-core" => "ELF core",
        id => id,
    }
}

/// `log_message at src/logserver.c:19`, `write in libc.so.6`.
pub fn location(place: &Location<'_>) -> String {
    let function = shortened(place.function, 2 * FUNCTION);
    match (place.file, source(place.file, place.line, place.module)) {
        (Some(_), Some(at)) => format!("{function} at {at}"),
        (None, Some(module)) => format!("{function} in {module}"),
        (_, None) => function,
    }
}

/// `src/logserver.c:19`, else the module.
pub fn frame_source(frame: &Frame<'_>) -> Option<String> {
    source(frame.file, frame.line, frame.module)
}

fn source(file: Option<&str>, line: Option<u32>, module: Option<&str>) -> Option<String> {
    match (file, line) {
        (Some(file), Some(line)) => Some(format!("{file}:{line}")),
        (Some(file), None) => Some(file.to_owned()),
        _ => module.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_is_said_once() {
        assert_eq!(waited(Waited { min: 180.0, max: 180.2 }), "3 min 0 s");
        assert_eq!(waited(Waited { min: 12.0, max: 180.0 }), "12 s to 3 min 0 s");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            ["0", "999", "1,000", "33,000", "1,234,567"],
            [0, 999, 1000, 33_000, 1_234_567].map(count)
        );
        assert_eq!(
            ["0 %", "<1 %", "90 %", ">99 %", "100 %"],
            [0.0, 0.0002, 0.8996, 0.9999, 1.0].map(percent)
        );
        assert_eq!(["0 s", "<0.001 s", "0.250 s", "9.4 s"], [0.0, 1e-6, 0.25, 9.4].map(duration));
        assert_eq!(["10 s", "3 min 20 s", "2 h 5 min"], [10.0, 200.0, 7505.0].map(duration));
        assert_eq!(counted(1, "thread"), "1 thread");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("log_message", 40), "log_message");
        assert_eq!(shortened("std::vector<int>::push_back", 15), "std::ve…sh_back");
        assert_eq!(shortened("世世世世世世", 7), "世…世");
        assert_eq!(
            signature(&format!("{} ← worker", "f".repeat(50))).chars().count(),
            40 + " ← worker".len() - 2
        );
    }
}

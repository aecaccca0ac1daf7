//! Headers of threads.
//!
//! ```text
//! "n" daemon prio=10 tid=0x… nid=0x34e8 waiting for monitor entry [0x…]                                    6, 7
//! "n" #20 daemon prio=6 os_prio=0 tid=0x… nid=0x2a43 waiting on condition [0x…]                            8
//! "mon-0" #12 daemon prio=5 os_prio=0 cpu=0.36ms elapsed=3.66s tid=0x00007ffb0c0c0520 nid=0xf8bd waiting … 17
//! "main" #3 [94776] prio=5 os_prio=0 cpu=47.00ms elapsed=3.58s tid=0x… nid=94776 waiting on condition  [0x…]  21
//! "ForkJoinPool-1-worker-1" #24 [94814] daemon prio=5 os_prio=0 cpu=… tid=0x…  [0x…]                       carrier
//!    Mounted virtual thread #35
//! "GC Thread#0" os_prio=0 cpu=… tid=0x… nid=94777 runnable                                                 VM thread
//! "pool-1-thread-2" Id=76 WAITING on C@5a679233 owned by "x" Id=3                                          JMX
//! "Executor #1" Id=47 Group=main BLOCKED on C@5a679233 owned by "x" Id=3                                    Jenkins
//! "n" - Thread t@332                                                                                       VisualVM
//! Thread 12345: (state = BLOCKED)                                                                          jstack -F
//! Thread 233 (IPC Server handler 3 on 8020):                                                               Hadoop
//! ----------------- 11243 -----------------                                                                jhsdb --mixed
//! "Thread-0@687" daemon prio=5 tid=0x11 nid=NA waiting for monitor entry                                   IntelliJ
//! "Thread-0" prio=5 waiting for monitor entry                                                              the same, Android
//! "AWT-EventQueue-0" prio=0 tid=0x0 nid=0x0 blocked                                                        JetBrains' IDEs
//! "pool-8-thread-2" tid=0x16 owned by "pool-8-thread-1" tid=0x15                                           Geode
//! "http-exec-8" #23 prio=5 RUNNABLE                                                                       with a state or
//! "http-exec-8" #23 daemon prio=5                                                                          a frame below
//! "Executor #1" id=47 (0x2f) state=BLOCKED cpu=83%                                                       Jenkins' bundles
//! "Executor #1" Id=47 in group "main" BLOCKED on C@5a679233 owned by "x" Id=3
//! "http-exec-8" #23 prio=5 tid=0x… nid=0x2beb waiting for monitor entry [0x…]
//! ```
//!
//! Names are printed raw: they may hold quotes and line breaks.

use super::{agent, deadlocks, hadoop, intellij, jrockit, support_core, thread_info, watchdog};
use crate::formats::java;
use crate::formats::text::{Head, first_line, words};
use crate::model::{ReportedState, Thread, ThreadId, ThreadKind, lossy};

/// How many more lines a name may have.
const MOST_LINES: usize = 16;

/// How the fields behind a name begin.
static FIELDS: &[&str] = &[
    "#",
    "daemon ",
    "prio=",
    "os_prio=",
    "cpu=",
    "tid=",
    "nid=",
    "Id=",
    "id=",
    "- Thread t@",
    "virtual",
    "[",
];

/// Reads a header; `more` is the text after the line.
pub(super) fn read(line: &str, more: &[u8]) -> Option<Head> {
    if let Some(rest) = line.strip_prefix("Thread ") {
        return agent::forced(rest).or_else(|| hadoop::head(rest, more));
    }
    if let Some(rest) = line.strip_prefix("   Mounted virtual thread #") {
        let id: u64 = rest.trim().parse().ok()?;
        let mut thread = Thread::new(ThreadId::Number(id));
        thread.kind = ThreadKind::Virtual;
        thread.reported = Some(ReportedState::RunningOrNative);
        return Some(Head { is_carried: true, ..Head::of(thread) });
    }
    if line.starts_with(RULE) {
        return ruled(line, more);
    }
    if line.starts_with(watchdog::THREAD) {
        return watchdog::head(line, more);
    }
    let inside = line.strip_prefix('"')?;
    // `"dl2":` in the section of a deadlock.
    if deadlocks::member(line).is_some() {
        return None;
    }
    if let Some(head) = named(inside, more) {
        return Some(names_on(inside, more).unwrap_or(head));
    }
    // The name goes on in the next line, which may begin with a quote itself.
    let mut whole = inside.to_owned();
    let mut rest = more;
    for _ in 0..MOST_LINES {
        let next = first_line(rest);
        let text = lossy(next.get(..next.len().min(4096))?);
        let text = text.trim_end_matches('\r');
        let is_other = ENDS.iter().any(|start| text.starts_with(start));
        let below = rest.get(next.len() + 1..).unwrap_or_default();
        // Behind a blank line a header that is whole is one of its own.
        let is_whole = || text.strip_prefix('"').is_some_and(|inside| named(inside, below).is_some());
        let is_behind_blank = whole.ends_with('\n');
        if rest.is_empty()
            || is_other
            || deadlocks::ends_member(text).is_some()
            || is_behind_blank && is_whole()
        {
            return None;
        }
        whole.push('\n');
        whole.push_str(text);
        rest = rest.get(next.len() + 1..).unwrap_or_default();
        if let Some(head) = named(whole.trim_end(), rest) {
            return Some(Head { more: more.len() - rest.len(), ..head });
        }
    }
    None
}

/// A name with a line break may hold what looks like fields before it: then a line below has the end of the name, and
/// fields, and no other line of a dump has a quote before them that does not begin with one.
///
/// ```text
/// "a "quoted" tid=0x1
/// name" #12 daemon prio=5 os_prio=0 cpu=0.16ms elapsed=4.53s tid=0x00007fa48c11a670 nid=0x7196 runnable  [0x…]
/// ```
fn names_on(inside: &str, more: &[u8]) -> Option<Head> {
    let mut whole = inside.to_owned();
    let mut rest = more;
    for _ in 0..MOST_LINES {
        let next = first_line(rest);
        if next.is_empty()
            || next.first().is_some_and(|b| b" \t\r\"".contains(b))
            || [FRAME, STATE].iter().any(|start| next.starts_with(start))
        {
            return None;
        }
        let text = lossy(next.get(..next.len().min(4096))?);
        let text = text.trim_end();
        if ENDS.iter().any(|start| text.starts_with(start)) {
            return None;
        }
        rest = rest.get(next.len() + 1..).unwrap_or_default();
        whole.push('\n');
        whole.push_str(text);
        if named(text, rest).is_some() {
            let head = named(&whole, rest)?;
            return Some(Head { more: more.len() - rest.len(), ..head });
        }
    }
    None
}

/// Lines that are no part of a name.
static ENDS: &[&str] = &["\t", "   java.lang", "=====", "Full thread dump "];

/// How the rule before a thread begins.
pub(super) const RULE: &str = "-----";

/// A rule with the kernel's id of a thread. Those of the JVM itself have no header below it.
fn ruled(line: &str, more: &[u8]) -> Option<Head> {
    let inside = line.trim_matches('-').strip_prefix(' ')?.strip_suffix(' ')?;
    let id: u64 = inside.parse().ok().filter(|_| line.ends_with(RULE))?;
    let next = first_line(more);
    let text = lossy(next.get(..next.len().min(4096))?);
    if text.starts_with('"') {
        let below = (next.len() + 1).min(more.len());
        let head = read(text.trim_end(), more.get(below..)?)?;
        return Some(Head { more: below + head.more, ..head });
    }
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.tid = u32::try_from(id).ok();
    (text.starts_with("0x") && text.contains('\t')).then(|| Head::of(thread))
}

/// A header of which the name's first quote is gone; `more`: the text below it.
fn named(text: &str, more: &[u8]) -> Option<Head> {
    if let Some(head) = thread_info::head(text).or_else(|| geode(text)).or_else(|| support_core::head(text)) {
        return Some(head);
    }
    // A name may hold what looks like fields; a field never holds a quote.
    let is_field = |(_, rest): &(&str, &str)| FIELDS.iter().any(|field| rest.starts_with(field));
    let (name, fields) = names(text).filter(is_field).last()?;
    if let Some(id) = fields.strip_prefix("- Thread t@") {
        let (id, more) = id.trim().split_once(' ').unwrap_or((id.trim(), ""));
        let thread = Thread::new(ThreadId::Number(id.parse().ok()?));
        let unknown = (!more.is_empty() && more != "daemon").then(|| more.to_owned());
        return Some(Head { unknown, ..Head::of(named_thread(thread, name)) });
    }
    if fields.starts_with(jrockit::FIELDS) {
        return jrockit::head(name, fields);
    }
    let below = first_line(more).get(..MOST_BELOW.min(first_line(more).len()))?.trim_ascii();
    fields_of(name, fields, below)
}

/// As much of the line below a header as is looked at, bytes.
const MOST_BELOW: usize = 64;

/// How the lines of a thread begin that runs Java, without their indentation.
const STATE: &[u8] = b"java.lang.Thread.State: ";
const FRAME: &[u8] = b"at ";

/// Whether a thread waits inside the JVM, which is in no call of `Object.wait`: up to JDK 12 all that is said of one that
/// waits for a class to be initialized or loaded. For which class is not said.
///
/// ```text
/// "a" #20 prio=5 os_prio=0 tid=0x… nid=0x3fc in Object.wait() [0x…]
///    java.lang.Thread.State: RUNNABLE
///     at app.Registry.<clinit>(Registry.java:5)
/// ```
///
/// Source: OpenJDK 6-12 oops/instanceKlass.cpp `initialize_impl`, classfile/systemDictionary.cpp `double_lock_wait`:
/// `ObjectLocker::waitUninterruptibly` changes the state of the system's thread, and not that of Java's.
fn waits_in_jvm(words: Option<&str>, below: &[u8]) -> bool {
    words.is_some_and(|words| words.starts_with("in Object.wait()"))
        && below.strip_prefix(STATE).is_some_and(|state| state.starts_with(b"RUNNABLE"))
}

/// `pool-8-thread-2" tid=0x16 owned by "pool-8-thread-1" tid=0x15`: which lock that is says the stack.
fn geode(text: &str) -> Option<Head> {
    let (name, id) = names(text).find_map(|(name, rest)| {
        let (id, owner) = rest.strip_prefix("tid=0x")?.split_once(" owned by \"")?;
        owner.contains("\" tid=0x").then_some((name, id))
    })?;
    let id = u64::from_str_radix(id, 16).ok()?;
    Some(Head::of(named_thread(Thread::new(ThreadId::Number(id)), name)))
}

/// Each text that may be a name, up to a quote with a blank behind it, and what follows.
pub(super) fn names(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let quotes = memchr::memchr_iter(b'"', text.as_bytes());
    quotes.filter_map(|at| Some((text.get(..at)?, text.get(at + 1..)?.strip_prefix(' ')?)))
}

pub(super) fn named_thread(mut thread: Thread, name: &str) -> Thread {
    thread.name = Some(name.into());
    thread
}

/// The fields that each release adds to. `below`: how the line below begins.
fn fields_of(name: &str, fields: &str, below: &[u8]) -> Option<Head> {
    let mut number = None;
    let mut os_id = None;
    let mut nid: Option<&str> = None;
    let mut head = Head::of(named_thread(Thread::new(ThreadId::Number(0)), name));
    let mut tid = None;
    let mut has_priority = false;
    // Where the words begin that are no fields, which is behind all others.
    let mut plain = None;
    let mut rest = fields;
    loop {
        let from = rest.trim_ascii_start();
        if from.is_empty() {
            break;
        }
        let end = from.bytes().position(|b| b.is_ascii_whitespace()).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        rest = behind;
        if let Some(n) = word.strip_prefix('#') {
            number = number.or(n.parse::<u64>().ok());
        } else if let Some(n) = word.strip_prefix('[').and_then(|w| w.strip_suffix(']'))
            && nid.is_none()
            && !n.starts_with("0x")
        {
            os_id = os_id.or(n.parse::<u64>().ok());
        } else if let Some((key, value)) = words::split_byte(word, b'=') {
            match key {
                "tid" => tid = parsed(value),
                "prio" => has_priority = value.parse::<i32>().is_ok(),
                _ => field(key, value, &mut head, &mut nid),
            }
        } else {
            match word {
                "daemon" => {}
                "virtual" => head.thread.kind = ThreadKind::Virtual,
                _ => plain = plain.or(Some(from)),
            }
        }
    }
    let said = plain.and_then(|words| states(words).or_else(|| java::state(words)));
    let new = plain.filter(|_| said.is_none()).map(without_address).filter(|words| !is_known(words));
    // Without an address the lines below have to say that this is a thread.
    if tid.is_none() {
        let has_state = below.starts_with(STATE);
        let is_whole = (plain.is_none() || said.is_some()) && head.unknown.is_none();
        let is_known = match is_whole {
            true => number.is_some() || has_priority,
            // With words of a newer release.
            false => number.is_some() && has_priority,
        };
        let is_bare = is_known && (has_state || below.starts_with(FRAME));
        if !(is_bare || said.is_some() && has_state) {
            return None;
        }
    }
    // Who knows no id prints 0.
    let has_zero = tid == Some(0);
    let (tid, nid) = (tid.filter(|id| *id != 0), nid.filter(|id| parsed(id) != Some(0)));
    let is_known = nid.is_some() || os_id.is_some() || number.is_some();
    head.event = (has_zero && !is_known).then(|| intellij::WITHOUT_IDS.to_owned());
    let kernel_id = nid.and_then(parsed).or(os_id);
    head.thread.tid = kernel_id.and_then(|id| u32::try_from(id).ok()).filter(|id| *id != 0);
    head.thread.id = match (nid, os_id, number, tid) {
        (Some(nid), ..) => nid.parse().map_or_else(|_| ThreadId::Text(nid.into()), ThreadId::Number),
        (None, Some(id), ..) => ThreadId::Number(id),
        (None, None, Some(number), _) => ThreadId::Text(format!("#{number}").into()),
        // What is no address is the number that the program knows its thread by.
        (None, None, None, Some(tid)) if tid <= u64::from(u32::MAX) => ThreadId::Number(tid),
        (None, None, None, Some(tid)) => ThreadId::Text(format!("{tid:#x}").into()),
        (None, None, None, None) => ThreadId::Text(name.into()),
    };
    head.thread.handle = tid.filter(|_| is_known);
    // A thread of the JVM itself is called `runnable` or `waiting on condition`, and has no line below.
    let is_of_jvm = nid.is_some()
        && (number, os_id) == (None, None)
        && matches!(said, None | Some(ReportedState::RunningOrNative | ReportedState::Waiting))
        && !below.starts_with(FRAME);
    let is_told = match below.strip_prefix(STATE) {
        Some(state) => java::state(&lossy(state)).is_some(),
        None => new.is_none(),
    };
    head.thread.reported = match said {
        _ if is_of_jvm && new.is_none() => Some(ReportedState::Idle),
        None | Some(ReportedState::RunningOrNative) if !is_told => Some(java::UNTOLD),
        said => said,
    };
    head.keeps_state = waits_in_jvm(plain, below);
    head.unknown = head.unknown.or_else(|| new.map(str::to_owned));
    Some(head)
}

/// The words at the end of a header, where no line `java.lang.Thread.State` says it better.
fn states(words: &str) -> Option<ReportedState> {
    const STATES: &[(&str, ReportedState)] = &[
        ("waiting for monitor entry", ReportedState::Entering),
        ("in Object.wait()", ReportedState::Waiting),
        ("waiting on condition", ReportedState::Waiting),
        ("sleeping", ReportedState::Sleeping),
        ("runnable", ReportedState::RunningOrNative),
        // IntelliJ
        ("waiting", ReportedState::Waiting),
    ];
    STATES.iter().find(|(start, _)| words.starts_with(start)).map(|(_, state)| *state)
}

/// The words at the end of a header without what stands behind them: `runnable  [0x00007f02]`.
fn without_address(words: &str) -> &str {
    words.split('[').next().unwrap_or_default().trim_end()
}

/// Words at the end of a header that say nothing of what the thread does; none at all.
///
/// Source: OpenJDK 6-25 runtime/osThread.cpp `print_state`; the writers of headers in their own files.
fn is_known(words: &str) -> bool {
    const WORDS: &[&str] =
        &["allocated", "initialized", "at breakpoint", "zombie", "unknown", "blocked", "native"];
    words.is_empty() || WORDS.iter().any(|known| words.starts_with(known))
}

fn field<'t>(key: &str, value: &'t str, head: &mut Head, nid: &mut Option<&'t str>) {
    match key {
        // IntelliJ knows none.
        "nid" | "lwp_id" => *nid = Some(value).filter(|value| *value != "NA"),
        "cpu" => head.thread.cpu_us = duration_us(value),
        "prio" | "os_prio" | "elapsed" | "pthread-id" | "io" | "allocated" | "defined_classes"
        | "_at_poll_safepoint" => {}
        _ => head.unknown = Some(format!("{key}={value}")),
    }
}

/// `0x2a43`, `94776`.
fn parsed(value: &str) -> Option<u64> {
    match value.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => value.parse().ok(),
    }
}

/// `47.00ms`, `3.58s`.
fn duration_us(value: &str) -> Option<u64> {
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, 1e3),
        None => (value.strip_suffix('s')?, 1e6),
    };
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * unit).round() as u64)
}

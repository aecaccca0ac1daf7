//! Threads as Hadoop prints them: `/stacks` of each of its servers, and what HBase, Tez and others log of themselves.
//!
//! ```text
//! Process Thread Dump: jsp requested
//! 202 active threads
//! Thread 233 (IPC Server handler 3 on 8020):
//!   State: BLOCKED
//!   Blocked count: 3
//!   Waited count: 5
//!   Blocked time: 12                                     where contention is traced
//!   Waited time: 40
//!   Blocked on java.lang.Object@69d6a7cd
//!   Blocked by 45 (IPC Server handler 7 on 8020)         `-1` where nobody is known
//!   Stack:
//!     app.Names.lookup(Names.java:31)
//!     java.lang.Thread.run(Thread.java:748)
//!   Inactive                                             one of those counted that is gone
//! Thread 12 (Timer-0):
//!   State: WAITING
//!   Blocked count: 0
//!   Waited count: 1
//!   Waiting on java.util.TaskQueue@3162743f
//!   Stack:
//!     java.lang.Object.wait(Native Method)
//! ```
//!
//! A thread in TIMED_WAITING has no line that names its lock. A stack has 20 frames at most, and nothing says that it is
//! deeper.
//!
//! Source: Hadoop util/ReflectionUtils.java `printThreadInfo`, `getTaskName`; Tez TezThreadDumpHelper.java, which has the
//! same without the limit; a log of HBase's tests. HDFS's log of a title shows what stands before it.

use super::java;
use crate::formats::text::{Body, Building, Head, OwnerRef, Site, first_line};
use crate::model::{GapKind, ReportedState, StackEnd, Thread, ThreadId, WaitMode, lossy};

/// What stands in each thread, and in no other dump of Java.
pub(super) const COUNT: &str = "Blocked count: ";

const STATE: &str = "State: ";
const TITLE: &str = "Process Thread Dump: ";
const THREAD: &str = "Thread ";

/// Lines of a block that say nothing which can be used, without their indentation.
static NOISE: &[&str] =
    &[COUNT, "Waited count: ", "Blocked time: ", "Waited time: ", "Waiting on null", "Blocked on null"];

/// As much of the line below a header as is looked at, bytes.
const MOST_BELOW: usize = 64;

/// As much of the text above an anchor as is looked at, bytes: two lines and what a log puts before them.
const MOST_ABOVE: usize = 2048;

/// Frames that are printed of a stack.
const MOST_FRAMES: usize = 20;

/// Whether the anchor stands below a header and a state.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    let count = lossy(site.line().get(COUNT.len()..)?);
    let is_count = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    let above = lossy(site.text.get(site.at.saturating_sub(MOST_ABOVE)..site.at)?);
    let (above, said) = above.rsplit_once(STATE)?;
    let word = said.split(|c: char| !c.is_ascii_uppercase() && c != '_').next()?;
    let mut headers = above.rmatch_indices(THREAD).take(MOST_WORDS).filter_map(|(at, _)| above.get(at..));
    let is_below = headers.any(is_header_above);
    (is_count && is_below && java::state(word).is_some()).then(|| site.indented(2))
}

/// So many times a name may have the word in it with which headers begin.
const MOST_WORDS: usize = 4;

/// Whether a text is a header and the begin of the line below; in JSON the line break is escaped.
fn is_header_above(text: &str) -> bool {
    let (line, below) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.split("\\n").next().unwrap_or(line);
    let line = line.trim_end().strip_prefix(THREAD).and_then(|line| line.strip_suffix(':'));
    line.and_then(task).is_some() && !below.contains('\n')
}

/// Reads the rest of a header; `more`: the text below.
pub(super) fn head(rest: &str, more: &[u8]) -> Option<Head> {
    let (id, name) = task(rest.strip_suffix(':')?)?;
    let below = first_line(more);
    state(lossy(below.get(..below.len().min(MOST_BELOW))?).trim())?;
    let mut thread = Thread::new(ThreadId::Number(id));
    thread.name = name.map(Into::into);
    Some(Head::of(thread))
}

/// `45 (IPC Server handler 7 on 8020)`, `45`.
fn task(text: &str) -> Option<(u64, Option<&str>)> {
    match text.split_once(" (") {
        Some((id, name)) => Some((id.parse().ok()?, Some(name.strip_suffix(')')?))),
        None => Some((text.parse().ok()?, None)),
    }
}

fn state(text: &str) -> Option<ReportedState> {
    text.strip_prefix(STATE).filter(|word| !word.contains(' ')).and_then(java::state)
}

/// What a line of a block says.
#[derive(Clone, Debug)]
pub(super) enum Said<'t> {
    /// What the thread does.
    State(ReportedState),
    /// What it waits for.
    On(&'t str, WaitMode),
    /// Who has that.
    By(Option<OwnerRef>),
}

/// Reads a line of a block, without its indentation.
pub(super) fn said(text: &str) -> Option<Said<'_>> {
    if let Some(state) = state(text) {
        return Some(Said::State(state));
    }
    for (words, mode) in [("Waiting on ", WaitMode::Notify), ("Blocked on ", WaitMode::Enter)] {
        if let Some(token) = text.strip_prefix(words) {
            return java::is_token(token).then_some(Said::On(token, mode));
        }
    }
    match text.strip_prefix("Blocked by ")? {
        "-1" => Some(Said::By(None)),
        by => task(by).map(|(id, _)| Said::By(Some(OwnerRef::Id(ThreadId::Number(id))))),
    }
}

/// Whether a line of a block, without its indentation, says nothing which can be used.
pub(super) fn is_noise(text: &str) -> bool {
    NOISE.iter().any(|start| text.starts_with(start))
}

/// A stack that was cut where they all are: its outermost function does not begin a thread.
pub(super) fn cut_off(body: &mut Body) {
    let outermost = body.frames.last().and_then(|f| f.frame.function.as_deref()).unwrap_or_default();
    let begins_thread = [".run", ".main"].iter().any(|end| outermost.ends_with(end));
    if body.frames.len() == MOST_FRAMES && !begins_thread {
        body.end = StackEnd::DepthLimit;
    }
}

/// What a line between threads says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// A dump is about to begin.
    Title,
    /// So many threads there are.
    Count(u64),
    /// One of them is gone.
    Gone,
}

/// Reads a line between threads. What a log puts before the title it puts before no other line.
pub(super) fn between(line: &str) -> Option<Between> {
    if let Some(count) = line.strip_suffix(" active threads") {
        return count.parse().ok().map(Between::Count);
    }
    if line.trim_start() == "Inactive" && line.starts_with(' ') {
        return Some(Between::Gone);
    }
    line.contains(TITLE).then_some(Between::Title)
}

/// How many threads a dump counts.
#[derive(Default)]
pub(super) struct Counted {
    is_titled: bool,
    threads: Option<u64>,
    gone: u64,
}

impl Counted {
    /// A line between threads; whether a dump begins with it. Only below the title it counts threads of a dump.
    pub fn line(&mut self, line: Between) -> bool {
        match line {
            Between::Title => self.is_titled = true,
            Between::Count(_) => return self.is_titled,
            Between::Gone => self.gone += 1,
        }
        false
    }

    /// The dump that begins has so many threads.
    pub fn begin(&mut self, line: Between) {
        if let Between::Count(count) = line {
            self.threads = Some(count);
        }
    }

    /// The dump has ended: says how many of its threads the text lacks.
    pub fn settle(self, building: &mut Building) {
        let there = building.snapshot.threads.len() as u64 + self.gone;
        let missing = self.threads.unwrap_or(0).saturating_sub(there);
        if missing > 0 {
            let message = "threads that the dump counts are not in the text";
            building.snapshot.gaps.add_many(GapKind::Truncated, message, missing, None);
            building.snapshot.is_complete = false;
        }
    }
}

//! The threads of a program that prints them itself, in a handler of a signal or behind a page: a loop over
//! `sys._current_frames()` that everybody copies, and whose headers everybody writes in another way.
//!
//! ```text
//! *** STACKTRACE - START ***
//!
//! # ThreadID: 140466794051264
//! File: "/usr/lib/python3.11/threading.py", line 982, in run
//!   self._target(*self._args, **self._kwargs)
//! File: "/srv/shop/log.py", line 5, in write
//!   with log_lock:
//!
//! *** STACKTRACE - END ***
//! ```
//!
//! A header is one only where the first frame of a stack follows it: logs are full of lines that name threads.
//!
//! Source: the recipe as programs on GitHub have it; gunicorn examples/example_config.py (`worker_int`); CPython
//! 2.7-3.14 Lib/threading.py (`Thread.__repr__`).

use super::oldest_first;
use crate::formats::text::Site;
use crate::model::{Thread, ThreadId, lossy};

/// What stands in headers.
pub(super) const ID: &str = "ThreadID: ";
pub(super) const SPACED_ID: &str = "Thread ID: ";
pub(super) const NAMED: &str = "Thread: ";
pub(super) const NUMBERED: &str = "Thread ";
pub(super) const STARTED: &str = ", started ";

/// What stands before the thread.
static TITLES: &[&str] = &[ID, SPACED_ID, NAMED, NUMBERED, "thread "];

/// How a thread is written behind the title: a way to read each.
static WRITINGS: &[fn(&str) -> Option<Named<'_>>] = &[object, number_first, name_first];

/// The id of a thread, and its name.
type Named<'t> = (u64, Option<&'t str>);

/// Reads a header.
///
/// ```text
/// # ThreadID: 140466794051264                                         the recipe
/// # ThreadID: 140466794051264 (log writer)
/// # ThreadID: 140466794051264  IsDaemon: True
/// # Thread: log writer(140466794051264)                               gunicorn's example
/// # Thread: (140466794051264)                                         a thread that Python did not begin
/// Thread 140466794051264 (log writer):
/// --- Thread 140466794051264 ---
/// thread <Thread(log writer, started daemon 140466794051264)>:
/// ===================  <Thread(log writer, started 140466794051264)>  ===================
/// ```
pub(super) fn header(line: &str) -> Option<Thread> {
    let inside = line.trim().trim_matches(|c: char| FRAMING.contains(&c) || c == ' ');
    let inside = inside.strip_suffix(':').unwrap_or(inside).trim_end();
    let (named, has_title) = match TITLES.iter().find_map(|title| inside.strip_prefix(title)) {
        Some(named) => (named.trim_start(), true),
        None => (inside, false),
    };
    let (ident, name) = match has_title {
        true => WRITINGS.iter().find_map(|read| read(named))?,
        false => object(named)?,
    };
    let mut thread = Thread::new(ThreadId::Number(ident));
    thread.handle = Some(ident);
    thread.name = name.map(str::trim).filter(|name| !name.is_empty()).map(Into::into);
    Some(thread)
}

/// What headers are set off with.
const FRAMING: [char; 4] = ['#', '-', '=', '*'];

/// `<Thread(log writer, started daemon 140466794051264)>`, `<_MainThread(MainThread, started 1404…)>`.
fn object(text: &str) -> Option<Named<'_>> {
    let (before, state) = text.strip_prefix('<')?.strip_suffix(")>")?.rsplit_once(STARTED)?;
    let (_, name) = before.split_once('(')?;
    Some((number(state.rsplit(' ').next()?)?, Some(name)))
}

/// `140466794051264`, `140466794051264 (log writer)`, `140466794051264  IsDaemon: True`.
fn number_first(text: &str) -> Option<Named<'_>> {
    let (id, behind) = text.split_once(' ').unwrap_or((text, ""));
    let behind = behind.trim_start();
    let named = |open: char, close: char| behind.strip_prefix(open)?.strip_suffix(close);
    let name = named('(', ')').or_else(|| named('[', ']')).or_else(|| named('"', '"'));
    let is_all = behind.is_empty() || name.is_some() || behind.starts_with("IsDaemon: ");
    Some((number(id).filter(|_| is_all)?, name))
}

/// `log writer(140466794051264)`, `log writer (140466794051264)`.
fn name_first(text: &str) -> Option<Named<'_>> {
    let (name, id) = text.strip_suffix(')')?.rsplit_once('(')?;
    Some((number(id)?, Some(name)))
}

/// `140466794051264`, `0x7fc0d1a3c640`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Whether a line may be a header.
pub(super) fn may_be(line: &[u8]) -> bool {
    let is_begin = line.first().is_some_and(|b| matches!(b, b'#' | b'-' | b'=' | b'*' | b'<' | b'T' | b't'));
    is_begin && memchr::memmem::find(line.get(..line.len().min(200)).unwrap_or_default(), b"hread").is_some()
}

/// Whether a stack begins with this text.
pub(super) fn goes_on(text: &[u8]) -> bool {
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    oldest_first::frame(&lossy(line.get(..line.len().min(LONGEST_FRAME)).unwrap_or_default())).is_some()
}

/// The longest line of a frame, bytes.
const LONGEST_FRAME: usize = 4096;

/// Where a header begins that a frame follows.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    // gdb has `Thread ` twice in each header, and thousands of threads: this is asked for each.
    let line = site.following(1).next()?;
    memchr::memchr_iter(b'F', line).find(|n| line.get(*n..).is_some_and(|rest| rest.starts_with(b"File")))?;
    let next = site.following_text(1).next()?;
    let frame = next.find("File: \"").or_else(|| next.find("  File \""))?;
    oldest_first::frame(next.get(frame..)?.trim_end())?;
    let whole = site.before()?;
    let before = match site.rest().starts_with(STARTED.as_bytes()) {
        true => {
            let object = whole.get(..memchr::memrchr(b'<', whole)?)?;
            [b"thread ".as_slice(), b"Thread: ", b"Thread "]
                .iter()
                .find_map(|title| object.strip_suffix(*title))
                .unwrap_or(object)
        }
        false => whole,
    };
    let start = framing(before);
    let prefix = whole.get(..start)?;
    if prefix.last().is_some_and(u8::is_ascii_alphanumeric) {
        // `MainThread (140466836179840)`
        return None;
    }
    // What a log puts before the header it puts before the frame as well.
    if !prefix.trim_ascii().is_empty()
        && next.get(..frame)?.trim().is_empty()
        && site.string_start().is_none()
    {
        return None;
    }
    let line = [whole.get(start..)?, site.line()].concat();
    header(&lossy(&line)).map(|_| site.at - (whole.len() - start))
}

/// Where the signs begin that set a header off: `# `, `--- `, at the end of what stands before it.
fn framing(before: &[u8]) -> usize {
    let text = before.trim_ascii_end();
    let is_sign = |b: &&u8| FRAMING.contains(&char::from(**b));
    let signs = text.iter().rev().take_while(is_sign).count();
    // A single dash is one of a log's.
    if signs > 1 || text.ends_with(b"#") { text.len() - signs } else { before.len() }
}

/// The lines around the threads.
pub(super) fn is_rule(line: &str) -> bool {
    line.starts_with("*** STACKTRACE - ") && line.ends_with(" ***")
}

/// The line that begins a dump.
pub(super) fn is_begin(line: &str) -> bool {
    is_rule(line) && line.contains(" START ")
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read_bytes, read_one, survives_logs, threads};
    use crate::model::{ReportedState, ThreadIx};

    const DUMP: &str = "*** STACKTRACE - START ***

# ThreadID: 140466836179840
File: \"/srv/shop/service.py\", line 11, in <module>
  main()
File: \"/srv/shop/service.py\", line 40, in main
  worker.join()

# ThreadID: 140466794051264
File: \"/usr/lib/python3.11/threading.py\", line 982, in run
  self._target(*self._args, **self._kwargs)
File: \"/srv/shop/log.py\", line 5, in write
  with log_lock:

*** STACKTRACE - END ***
";

    #[test]
    fn a_program_that_prints_its_threads() {
        let snapshot = read_one(DUMP);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["main", "<module>"]);
        assert_eq!(functions(&snapshot, ThreadIx(1)), ["write", "run"]);
        assert_eq!(snapshot.threads[1].handle, Some(140_466_794_051_264));
        let states: Vec<_> = snapshot.threads.iter().map(|thread| thread.reported).collect();
        assert_eq!(states, [None, Some(ReportedState::Blocked)]);
        assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
        survives_logs(DUMP);
        assert_eq!(read_bytes(format!("{DUMP}shop: ready\n{DUMP}").as_bytes()).len(), 2);
    }

    #[test]
    fn headers_in_all_their_writings() {
        let stack = "  File \"/srv/shop/log.py\", line 5, in write\n    queue.put(line)\n";
        for (header, name) in [
            ("# ThreadID: 140466794051264", None),
            ("# ThreadID: 140466794051264 (log writer)", Some("log writer")),
            ("# ThreadID: 140466794051264  IsDaemon: True", None),
            ("Thread ID: 140466794051264", None),
            ("# Thread: log writer(140466794051264)", Some("log writer")),
            ("# Thread: (140466794051264)", None),
            ("Thread: log (2) (140466794051264)", Some("log (2)")),
            ("Thread 140466794051264 (log writer):", Some("log writer")),
            ("Thread 140466794051264:", None),
            ("--- Thread 140466794051264 ---", None),
            ("--- Thread: log writer (140466794051264) ---", Some("log writer")),
            ("thread <Thread(log writer, started daemon 140466794051264)>:", Some("log writer")),
            ("Thread: <_MainThread(MainThread, started 140466794051264)>", Some("MainThread")),
            ("=======  <Thread(log writer, started daemon 140466794051264)>  =======", Some("log writer")),
        ] {
            let again = header.replace("140466794051264", "140466794051265");
            for prefix in ["", "web_1  | ", "> "] {
                let text: String = format!("{header}\n{stack}\n{again}\n{stack}")
                    .lines()
                    .map(|line| format!("{prefix}{line}\n"))
                    .collect();
                let snapshot = read_one(&text);
                let found = threads(&snapshot);
                assert_eq!(found.len(), 2, "{text}");
                let expected =
                    ("140466794051264".to_owned(), name.map(str::to_owned), vec!["write".to_owned()]);
                assert_eq!(found[0], expected, "{text}");
                assert!(snapshot.gaps.is_empty(), "{text}: {:?}", snapshot.gaps);
            }
        }
    }

    #[test]
    fn what_only_names_a_thread_is_none() {
        for text in [
            "# ThreadID: 140466794051264\nshop: ready\n",
            "Thread 140466794051264 (log writer): started\n  File \"a.py\", line 3, in f\n",
            "10:00 ERROR in Thread 17:\n  File \"a.py\", line 3, in f\n",
            "Thread 17:\n    write (/srv/shop/log.py:5)\n",
            "see Thread: log writer(17)\nFile: \"a.py\", line 3, in f\n",
            "Exception in thread Thread-3 (worker):\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1\n",
        ] {
            assert!(read_bytes(text.as_bytes()).is_empty(), "{text}");
        }
    }
}

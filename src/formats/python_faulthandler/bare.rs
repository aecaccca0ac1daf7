//! Headers that do not say which way round the stack is: of the faulthandler that Python 2.5 to 3.2 have from PyPI, up
//! to its release 2.3, and of CPython 3.3.
//!
//! ```text
//! Thread 0x00007f0311704002:
//!   File "/usr/lib64/python2.7/threading.py", line 339 in wait
//!
//! Current thread 0x00007f0311704001:
//!   File "/srv/till/main.py", line 14 in <module>
//! ```
//!
//! Logs name threads so as well: a header is one only where a frame of faulthandler follows it.
//!
//! Source: faulthandler 1.4-2.3 traceback.c (`write_thread_id`, `dump_frame`); doc/index.rst of 2.4 (issue 19306 of
//! Python, which added the words).

use crate::formats::text::{Head, Site};
use crate::model::lossy;

/// How the header of the thread begins that the signal reached; those of the others begin as all headers do.
pub(super) const CURRENT: &str = "Current thread 0x";

/// How headers begin.
static BEGINS: &[&str] = &[CURRENT, "Thread 0x"];

/// Reads a header.
pub(super) fn header(line: &str) -> Option<Head> {
    super::thread(line.strip_suffix(':')?).filter(|thread| thread.name.is_none()).map(Head::of)
}

/// Whether a stack begins with this text.
pub(super) fn goes_on(text: &[u8]) -> bool {
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.get(..line.len().min(LONGEST_FRAME)).unwrap_or_default();
    super::frame(lossy(line).trim_end()).is_some()
}

/// The longest line of a frame, bytes.
const LONGEST_FRAME: usize = 4096;

/// Where a header begins that a frame follows.
pub(super) fn confirm(site: &Site<'_>) -> Option<usize> {
    // gdb has `Thread 0x` in each header, and thousands of threads: this is asked for each.
    let id = BEGINS.iter().find_map(|begin| site.rest().strip_prefix(begin.as_bytes()))?;
    let digits = id.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if id.get(digits) != Some(&b':') {
        return None;
    }
    header(&lossy(site.line()))?;
    let next = site.following_text(1).next()?;
    let frame = next.find("File ")?;
    super::frame(next.get(frame..)?.trim_end())?;
    // What a log puts before the header it puts before the frame as well.
    let has_prefix = !site.before()?.trim_ascii().is_empty() && site.string_start().is_none();
    (!has_prefix || !next.get(..frame)?.trim().is_empty()).then_some(site.at)
}

#[cfg(test)]
mod tests {
    use super::super::FORMAT;
    use crate::formats::testing::{functions, is_found, read_one, survives_logs};
    use crate::model::ThreadIx;

    const DUMP: &str = "Fatal Python error: Segmentation fault

Thread 0x00007f0311704002:
  File \"/usr/lib64/python2.7/threading.py\", line 339 in wait
  File \"/srv/till/drawer.py\", line 98 in take

Current thread 0x00007f0311704001:
  File \"/srv/till/scale.py\", line 21 in weigh
  File \"/srv/till/main.py\", line 14 in <module>
";

    #[test]
    fn a_crash_of_python_2() {
        let snapshot = read_one(DUMP);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["wait", "take"]);
        assert_eq!(functions(&snapshot, ThreadIx(1)), ["weigh", "<module>"]);
        assert_eq!(snapshot.threads[1].handle, Some(0x7f03_1170_4001));
        let signal = snapshot.process.signal.as_ref().unwrap();
        assert_eq!((&*signal.name, signal.thread), ("SIGSEGV", Some(ThreadIx(1))));
        assert!(snapshot.gaps.is_empty(), "{:?}", snapshot.gaps);
        survives_logs(DUMP);
    }

    #[test]
    fn the_current_thread_alone() {
        let (end, threads) = DUMP.split_once("\n\n").unwrap();
        let (_, current) = threads.split_once("\n\n").unwrap();
        let snapshot = read_one(&format!("{end}\n\n{current}"));
        assert_eq!(snapshot.threads.len(), 1);
        assert_eq!(snapshot.process.signal.unwrap().thread, Some(ThreadIx(0)));
    }

    #[test]
    fn what_only_names_a_thread_is_none() {
        for text in [
            "Thread 0x00007f0311704002:\ntill: 3 orders\n",
            "Thread 0x00007f0311704002: waits\n  File \"a.py\", line 3 in work\n",
            "Thread 0x00007f03 (LWP 7):\n  File \"a.py\", line 3 in work\n",
            "Thread 0xtill:\n  File \"a.py\", line 3 in work\n",
            "the log says Thread 0x00007f0311704002:\n  File \"a.py\", line 3 in work\n",
            "Current thread 0x00007f0311704002:\n#0  0x00007f03 in poll () from /lib64/libc.so.6\n",
            "Thread 0x00007f0311704002:\n  File a.py was written\n",
        ] {
            assert!(!is_found(FORMAT.id, text), "{text}");
        }
    }

    /// A traceback below such a line is one of a recipe, the oldest frame first.
    #[test]
    fn with_commas_the_stack_is_the_other_way_round() {
        let text = "Thread 0x7f0311704002:
  File \"/srv/till/main.py\", line 14, in <module>
    run()
  File \"/srv/till/drawer.py\", line 98, in take
    queue.get()
";
        let snapshot = read_one(text);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["take", "<module>"]);
    }
}

//! Stacks of `/proc/PID/stack` with their addresses, as kernels before 4.14 print them.
//!
//! ```text
//! $ cat /proc/301/stack
//! [<ffffffffc04d6bcd>] log_commit+0x95d/0xaf0 [applog]
//! [<ffffffffb50abea3>] kthread+0x113/0x130
//! [<ffffffffffffffff>] 0xffffffffffffffff
//! ```
//!
//! Markdown and mail move all of it to the right, with the command.
//!
//! In a report a frame stands behind a blank, or below others and what the kernel says of them: there such lines are no
//! dump of their own.
//!
//! Source: Linux 4.4-4.13 fs/proc/base.c (`proc_pid_stack`).

use super::clean::pid_of;
use super::frame::{self, StackLine};
use super::{header, noise, reports};
use crate::model::lossy;

/// How an address of the kernel's code begins.
pub(super) const START: &[u8] = b"[<ffffffff";

/// The end of a stack.
const END: &[u8] = b"[<ffffffffffffffff>] 0xffffffffffffffff";

/// Whether a line is one of such a stack, which never has a word that may be stale.
pub(super) fn is_frame(line: &[u8]) -> bool {
    line.starts_with(START)
        && (line.starts_with(END) || matches!(frame::read(&lossy(line)), Some(StackLine::Frame(..))))
}

/// Whether such a stack begins with this line. `above`: the lines above it, the nearest first; `below`: the next one.
pub(super) fn begins<'t>(
    mut above: impl Iterator<Item = &'t [u8]>,
    line: &[u8],
    below: Option<&'t [u8]>,
) -> bool {
    if !is_frame(line) || !below.is_some_and(is_frame) {
        return false;
    }
    let Some(last) = above.next() else { return true };
    if last.trim_ascii_end().ends_with(b" <==") {
        return true;
    }
    if pid_of(last).is_some() {
        // KASAN says so of who took the memory: `Allocated:`, `PID = 7`.
        return !above.next().is_some_and(|line| reports::is_event(&lossy(line)));
    }
    !is_of_report(last)
}

/// Whether such a stack begins with this line behind blanks or a mark of a quotation: only the name of its file above it
/// says so. `line` and `below` are as in [`begins`].
pub(super) fn begins_moved(before: &[u8], above: &[u8], line: &[u8], below: Option<&[u8]>) -> bool {
    // The same stands before all its lines.
    let own = |line| <[u8]>::strip_prefix(line, before);
    let names_file = |line: &[u8]| memchr::memmem::find(line, b"/proc/").is_some() && pid_of(line).is_some();
    !before.is_empty()
        && before.iter().all(|b| matches!(b, b' ' | b'\t' | b'>' | b'|'))
        && is_frame(line)
        && below.and_then(own).is_some_and(is_frame)
        && own(above).is_some_and(names_file)
}

/// Whether a line is one that the kernel's log has.
fn is_of_report(line: &[u8]) -> bool {
    let text = lossy(line);
    frame::read(&text).is_some()
        || noise::is_noise(&text)
        || noise::is_register(line)
        || reports::is_event(&text)
        || (header::may_begin(line) && header::read(&text).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"[<ffffffffc04d6bcd>] log_commit+0x95d/0xaf0 [applog]";

    fn begins_below(above: &str) -> bool {
        begins(above.lines().rev().map(str::as_bytes), FIRST, Some(END))
    }

    #[test]
    fn a_stack_of_its_own_and_one_of_a_report() {
        for above in [
            "",
            "$ cat /proc/301/stack",
            "PID = 301",
            "301",
            "==> /proc/301/stack <==",
            "the stack:",
            "x\n\n",
        ] {
            assert!(begins_below(above), "{above}");
        }
        for above in [
            "Call Trace:",
            "RAX: ffffffffffffffda RBX: 0000000000000003 RCX: 0000000000000000",
            "[<ffffffffb50abea3>] kthread+0x113/0x130",
            "[<ffffffffb50abea3>] ? kthread+0x113/0x130",
            "Allocated:\nPID = 7",
            "logd            D ffff88007a2dd140     0 71   30 0x00000000",
        ] {
            assert!(!begins_below(above), "{above}");
        }
        for before in ["    ", "\t", "> ", "> > "] {
            let with = |line: &[u8]| [before.as_bytes(), line].concat();
            let begins = |above: &str, below: &[u8]| {
                begins_moved(before.as_bytes(), &with(above.as_bytes()), FIRST, Some(below))
            };
            assert!(begins("$ sudo cat /proc/301/stack", &with(END)), "{before:?}");
            assert!(!begins("Call Trace:", &with(END)) && !begins("$ sudo cat /proc/301/stack", b"x"));
        }
        assert!(!begins_moved(b"RIP: ", b"RIP: cat /proc/301/stack", FIRST, Some(b"RIP: ")));
        assert!(!begins(std::iter::empty(), FIRST, None));
        assert!(!begins(std::iter::empty(), FIRST, Some(b"[<ffffffffb50abea3>] ? kthread+0x113/0x130")));
    }
}

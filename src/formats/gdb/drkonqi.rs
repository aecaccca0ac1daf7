//! What DrKonqi, the crash handler of KDE, makes of gdb's text.
//!
//! ```text
//! Application: Plasma (plasmashell), signal: Segmentation fault
//! Using host libthread_db library "/usr/lib/libthread_db.so.1".
//! [Current thread is 1 (Thread 0x7f5a6599e800 (LWP 3086))]
//!
//! Thread 15 (Thread 0x7f5963fff700 (LWP 3544)):
//! [KCrash Handler]
//! #5  0x00007f59977ca8f6 in  () at /usr/lib/qt/qml/org/kde/private/archUpdate/libplasmoidplugin.so
//! ```
//!
//! It attaches to the process that has crashed: what gdb calls the current thread says nothing, and the line in place of the
//! handler's frames does.
//!
//! Source: drkonqi 4.x to 5.27 src/parser/backtraceparsergdb.cpp (`[KCrash Handler]`), src/crashedapplication.cpp
//! (`signalName`: `strsignal` in the C locale), src/debuggers/internal/gdbrc (`%progname (%execname), signal: %signame`).

/// The line in place of the frames of the handler and of the one that gdb calls `<signal handler called>`.
pub(super) const HANDLER: &str = "[KCrash Handler]";

/// The frame that it stands for.
pub(super) const HANDLER_FRAME: &[u8] = b"<signal handler called>";

/// Signals by what glibc calls them (string/strsignal.c, sysdeps/generic/siglist.h).
static SIGNALS: &[(&str, &str, i32)] = &[
    ("Illegal instruction", "SIGILL", 4),
    ("Trace/breakpoint trap", "SIGTRAP", 5),
    ("Aborted", "SIGABRT", 6),
    ("Bus error", "SIGBUS", 7),
    ("Floating point exception", "SIGFPE", 8),
    ("Segmentation fault", "SIGSEGV", 11),
    ("Bad system call", "SIGSYS", 31),
];

/// A signal with its number.
pub(super) type Named = (&'static str, i32);

/// The first line: the program, and the signal where it is one that is known.
pub(super) fn title(text: &str) -> Option<(&str, Option<Named>)> {
    let (names, words) = text.strip_prefix("Application: ")?.rsplit_once("), signal: ")?;
    let (_, program) = names.rsplit_once(" (")?;
    let words = words.trim();
    let signal =
        SIGNALS.iter().find(|(known, _, _)| *known == words).map(|(_, name, number)| (*name, *number));
    (!program.is_empty()).then_some((program, signal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        assert_eq!(
            title("Application: Letter Desk (letterdesk), signal: Segmentation fault"),
            Some(("letterdesk", Some(("SIGSEGV", 11))))
        );
        assert_eq!(
            title("Application: kded (deprecated) (kded5), signal: Aborted"),
            Some(("kded5", Some(("SIGABRT", 6))))
        );
        assert_eq!(title("Application: desk (desk), signal: Unknown"), Some(("desk", None)));
        for other in ["Application: desk, signal: Aborted", "Application: desk (desk)", "signal: Aborted"] {
            assert_eq!(title(other), None, "{other}");
        }
    }
}

//! The signal that a process got: by its name, up to Go 1.6 and on Windows by its number.
//!
//! ```text
//! SIGQUIT: quit
//! [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x481af9]
//! [signal 0xb code=0x1 addr=0x30 pc=0x4f4a1b]                              up to Go 1.6
//! [signal 0xc0000005 code=0x0 addr=0x18 pc=0x5e2b41]                       Windows
//! ```
//!
//! Source: Go 1.5-1.25 src/runtime/panic.go (`dopanic_m`), signal_amd64x.go (`sighandler`), os1_linux.go and
//! os1_darwin.go (`sigtable`), signal_windows.go (`isgoexception`).

use crate::model::Signal;

/// Numbers that stand in place of a name. A number is that of a fault which the runtime makes a panic of
/// (`_SigPanic`): SIGUSR1 and SIGEMT, which share theirs with SIGBUS on other systems, are none.
static NUMBERS: &[(u32, &str)] = &[
    (0x4, "SIGILL"),
    (0x6, "SIGABRT"),
    // Linux; macOS and BSD.
    (0x7, "SIGBUS"),
    (0xa, "SIGBUS"),
    (0x8, "SIGFPE"),
    (0xb, "SIGSEGV"),
    (0xc000_0005, "EXCEPTION_ACCESS_VIOLATION"),
    (0xc000_0006, "EXCEPTION_IN_PAGE_ERROR"),
    (0xc000_001d, "EXCEPTION_ILLEGAL_INSTRUCTION"),
    (0xc000_0094, "EXCEPTION_INT_DIVIDE_BY_ZERO"),
    (0xc000_0095, "EXCEPTION_INT_OVERFLOW"),
];

/// How the line begins that a panic or a fatal error has below its message.
pub(super) const BRACKET: &str = "[signal ";

/// `SIGQUIT: quit`, `SIGSEGV: segmentation violation`
pub(super) fn is_signal(line: &str) -> bool {
    let name = line.strip_prefix("SIG").and_then(|rest| rest.split_once(": "));
    name.is_some_and(|(name, _)| {
        name.len() >= 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

/// The signal of such a line.
pub(super) fn read(line: &str) -> Option<Signal> {
    let bracket = line.strip_prefix(BRACKET);
    let word = bracket.unwrap_or(line).split([':', ' ']).next()?;
    if let Some(digits) = word.strip_prefix("0x").filter(|_| bracket.is_some()) {
        let number = u32::from_str_radix(digits, 16).ok()?;
        let (_, name) = NUMBERS.iter().find(|(known, _)| *known == number)?;
        return Some(Signal {
            number: i32::try_from(number).ok(),
            name: (*name).into(),
            ..Signal::default()
        });
    }
    word.starts_with("SIG").then(|| Signal { name: word.into(), ..Signal::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::{functions, read_one};
    use crate::model::{FailureKind, ThreadIx};

    #[test]
    fn signals_by_name_and_by_number() {
        let name = |line: &str| read(line).map(|signal| signal.name.to_string());
        for (line, expected) in [
            ("SIGQUIT: quit", Some("SIGQUIT")),
            ("[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x481af9]", Some("SIGSEGV")),
            ("[signal 0xb code=0x1 addr=0x30 pc=0x4f4a1b]", Some("SIGSEGV")),
            ("[signal 0x8 code=0x1 addr=0x40101c pc=0x40101c]", Some("SIGFPE")),
            ("[signal 0x7 code=0x2 addr=0x7f21c8d4e000 pc=0x4010e2]", Some("SIGBUS")),
            ("[signal 0xa code=0x2 addr=0xc82044c000 pc=0x4010e2]", Some("SIGBUS")),
            ("[signal 0x4 code=0x2 addr=0x4010e2 pc=0x4010e2]", Some("SIGILL")),
            ("[signal 0x6 code=0x0 addr=0x1f pc=0x4010e2]", Some("SIGABRT")),
            ("[signal 0xc0000005 code=0x0 addr=0x18 pc=0x5e2b41]", Some("EXCEPTION_ACCESS_VIOLATION")),
            ("[signal 0x1e code=0x1 addr=0x0 pc=0x4010e2]", None),
            ("[signal 0x code=0x1]", None),
            ("0xb code=0x1 addr=0x30 pc=0x4f4a1b", None),
            ("panic: till 7", None),
        ] {
            assert_eq!(name(line).as_deref(), expected, "{line}");
        }
    }

    /// Whose first line, the panic, was not copied; and with it.
    #[test]
    fn a_fault_of_an_old_go_names_signal_and_goroutine() {
        let text = "[signal 0xb code=0x1 addr=0x10 pc=0x4011a0]

goroutine 9 [running]:
main.(*Till).open(0x0, 0x7)
\t/src/till/till.go:41 +0x2b
created by main.main
\t/src/till/main.go:12 +0x5d
";
        let process = read_one(text).process;
        let signal = process.signal.unwrap();
        assert_eq!((&*signal.name, signal.number, signal.thread), ("SIGSEGV", Some(11), Some(ThreadIx(0))));
        assert_eq!(process.failure, None);
        let message = "runtime error: invalid memory address or nil pointer dereference";
        let process = read_one(&format!("panic: {message}\n{text}")).process;
        let failure = process.failure.unwrap();
        assert_eq!(
            (failure.kind, &*failure.message, failure.thread),
            (FailureKind::Panic, message, Some(ThreadIx(0)))
        );
        assert_eq!(process.signal.map(|s| s.name.to_string()), Some("SIGSEGV".into()));
        let unknown = read_one(&text.replace("0xb code", "0x1e code")).process;
        assert_eq!(unknown.signal, None, "no name is guessed");
    }

    #[test]
    fn a_fault_of_an_old_go_within_c() {
        let text = "fatal error: unexpected signal during runtime execution
[signal 0xa code=0x2 addr=0xcb1e0f5520 pc=0x4004794]

runtime stack:
runtime.throw(0x459f9e0, 0x2a)
\t/usr/local/go/src/runtime/panic.go:527 +0x90

goroutine 67 [syscall, locked to thread]:
runtime.cgocall(0x4002d30, 0xc8202b1700, 0xc800000000)
\t/usr/local/go/src/runtime/cgocall.go:120 +0x11b fp=0xc8202b16b8 sp=0xc8202b1688
main._Cfunc_weigh(0xc8200fa000)
\tmain/_obj/_cgo_gotypes.go:64 +0x3c fp=0xc8202b1700 sp=0xc8202b16b8
";
        let snapshot = read_one(text);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["runtime.cgocall", "main._Cfunc_weigh"]);
        let signal = snapshot.process.signal.unwrap();
        assert_eq!((&*signal.name, signal.thread), ("SIGBUS", Some(ThreadIx(0))));
        assert_eq!(snapshot.process.failure.unwrap().thread, Some(ThreadIx(0)));
    }
}

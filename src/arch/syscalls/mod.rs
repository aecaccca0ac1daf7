//! System calls: what number is what call, and what a thread in it waits for.
//!
//! Numbers differ by architecture ([`x86_64`], [`aarch64`]), meanings do not ([`meaning`]).

mod aarch64;
mod meaning;
mod x86_64;

use std::sync::LazyLock;

use crate::model::Arch;

/// What a thread in a system call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyscallKind {
    /// Waits for a word in memory, which is how locks wait (or wakes it: the operation decides).
    FutexWait,
    /// Moves or waits for data.
    Io(Io),
    /// Waits for one of several descriptors.
    Poll,
    /// Waits for a connection.
    Accept,
    /// Waits for time to pass.
    Sleep,
    /// Waits for a signal.
    Signal,
    /// Waits for a child process.
    ChildWait,
    /// Waits until data is on disk.
    Sync,
    /// Waits for a lock on a file (`fcntl`: where its command is `F_SETLKW`, 7, or
    /// `F_OFD_SETLKW`, 38).
    FileLock,
    /// Waits for a semaphore or a message of another process.
    Ipc,
    /// Gave its processor away.
    Yield,
    /// Ends.
    Exit,
    /// Anything else.
    Other,
}

/// What kind of I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// Reads from a descriptor.
    Read,
    /// Writes to a descriptor.
    Write,
    /// Receives from a socket.
    Receive,
    /// Sends to a socket.
    Send,
    /// Connects a socket.
    Connect,
    /// Asks a file system about a path.
    Path,
    /// Commands a device or closes a descriptor.
    Control,
    /// Waits for requests that were handed to the kernel before.
    Completion,
}

/// Where a call has its time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout {
    /// The argument, from 0.
    pub arg: u8,
    /// What it is.
    pub form: TimeoutForm,
}

/// How a time limit is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutForm {
    /// Milliseconds, an `int`; negative is no limit.
    Milliseconds,
    /// A pointer to seconds and nanoseconds; null is no limit.
    Timespec,
    /// A pointer to seconds and microseconds; null is no limit.
    Timeval,
}

/// One system call of one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyscallRow {
    /// Its number.
    pub number: u16,
    /// Its name, without a prefix: `futex`.
    pub name: &'static str,
    /// What a thread in it does.
    pub kind: SyscallKind,
    /// The argument, from 0, that is the file descriptor.
    pub fd: Option<u8>,
    /// The argument, from 0, that says how many bytes or entries.
    pub count: Option<u8>,
    /// Its time limit.
    pub timeout: Option<Timeout>,
}

/// The system call of this number.
pub fn system_call(arch: Arch, number: u64) -> Option<&'static SyscallRow> {
    static X86_64: LazyLock<Vec<Option<SyscallRow>>> = LazyLock::new(|| table(x86_64::RUNS));
    static AARCH64: LazyLock<Vec<Option<SyscallRow>>> = LazyLock::new(|| table(aarch64::RUNS));
    let table = match arch {
        Arch::X86_64 => &X86_64,
        Arch::Aarch64 => &AARCH64,
        _ => return None,
    };
    table.get(usize::try_from(number).ok()?)?.as_ref()
}

/// The rows, each at the place of its number.
fn table(runs: &'static [(u16, &'static str)]) -> Vec<Option<SyscallRow>> {
    let mut table = Vec::new();
    for (first, names) in runs {
        for (number, name) in (*first..).zip(names.split_ascii_whitespace()) {
            table.resize(usize::from(number), None);
            table.push(Some(row(number, name)));
        }
    }
    table
}

fn row(number: u16, name: &'static str) -> SyscallRow {
    let meaning = meaning::MEANINGS.iter().find(|m| m.name == name);
    SyscallRow {
        number,
        name,
        kind: meaning.map_or(SyscallKind::Other, |m| m.kind),
        fd: meaning.and_then(|m| m.fd),
        count: meaning.and_then(|m| m.count),
        timeout: meaning.and_then(|m| m.timeout),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(arch: Arch, name: &str) -> Option<u64> {
        (0..600).find(|&n| system_call(arch, n).is_some_and(|row| row.name == name))
    }

    #[test]
    fn runs_ascend_and_do_not_overlap() {
        for runs in [x86_64::RUNS, aarch64::RUNS] {
            let mut next = 0;
            for (first, names) in runs {
                assert!(usize::from(*first) >= next, "{first}");
                next = usize::from(*first) + names.split_ascii_whitespace().count();
            }
        }
    }

    #[test]
    fn every_meaning_belongs_to_a_call_and_is_there_once() {
        for (i, meaning) in meaning::MEANINGS.iter().enumerate() {
            assert!(number(Arch::X86_64, meaning.name).is_some(), "{}", meaning.name);
            assert!(meaning::MEANINGS[..i].iter().all(|m| m.name != meaning.name), "{}", meaning.name);
            let timeout = meaning.timeout.map(|t| t.arg);
            assert!([meaning.fd, meaning.count, timeout].iter().flatten().all(|&arg| arg < 6));
        }
    }

    /// Numbers from the kernel's tables, one of each neighbourhood.
    #[test]
    fn calls_that_block_have_their_numbers() {
        for (name, on_x86_64, on_aarch64) in [
            ("read", 0, 63),
            ("write", 1, 64),
            ("futex", 202, 98),
            ("futex_waitv", 449, 449),
            ("futex_wait", 455, 455),
            ("accept", 43, 202),
            ("accept4", 288, 242),
            ("recvfrom", 45, 207),
            ("sendmsg", 46, 211),
            ("connect", 42, 203),
            ("ppoll", 271, 73),
            ("pselect6", 270, 72),
            ("epoll_pwait", 281, 22),
            ("epoll_pwait2", 441, 441),
            ("nanosleep", 35, 101),
            ("clock_nanosleep", 230, 115),
            ("rt_sigtimedwait", 128, 137),
            ("rt_sigsuspend", 130, 133),
            ("wait4", 61, 260),
            ("waitid", 247, 95),
            ("fsync", 74, 82),
            ("fdatasync", 75, 83),
            ("flock", 73, 32),
            ("fcntl", 72, 25),
            ("openat", 257, 56),
            ("sched_yield", 24, 124),
            ("io_uring_enter", 426, 426),
            ("semop", 65, 193),
            ("semtimedop", 220, 192),
            ("msgrcv", 70, 188),
        ] {
            assert_eq!(number(Arch::X86_64, name), Some(on_x86_64), "{name}");
            assert_eq!(number(Arch::Aarch64, name), Some(on_aarch64), "{name}");
        }
        assert_eq!(number(Arch::X86_64, "poll"), Some(7));
        assert_eq!(number(Arch::X86_64, "epoll_wait"), Some(232));
        assert_eq!(number(Arch::Aarch64, "epoll_wait"), None);
    }

    #[test]
    fn unknown_numbers_and_architectures_have_no_row() {
        assert_eq!(system_call(Arch::X86_64, u64::MAX), None);
        assert_eq!(system_call(Arch::X86_64, 400), None);
        assert_eq!(system_call(Arch::RiscV64, 98), None);
    }
}

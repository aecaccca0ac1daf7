//! `futex(uaddr, op, val, timeout, uaddr2, val3)` as a blocked thread's registers show it.

use crate::model::SystemCall;

/// `FUTEX_PRIVATE_FLAG` of `linux/futex.h`.
const PRIVATE: u64 = 0x80;
/// `FUTEX_CLOCK_REALTIME`.
const REALTIME: u64 = 0x100;

/// The command of a futex call that blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::waits) enum Command {
    /// `FUTEX_WAIT` (0).
    Wait,
    /// `FUTEX_WAIT_BITSET` (9).
    WaitBitset,
    /// `FUTEX_LOCK_PI` (6), `FUTEX_LOCK_PI2` (13).
    LockPi,
    /// `FUTEX_WAIT_REQUEUE_PI` (11) or one that is not known here.
    Other,
}

/// A blocked futex call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::waits) struct FutexCall {
    /// Address of the futex word.
    pub word: u64,
    pub command: Command,
    /// The value that the word had when the thread went to sleep.
    pub value: u32,
    pub is_private: bool,
    pub is_realtime: bool,
    pub has_timeout: bool,
}

impl FutexCall {
    /// From the arguments of the system call.
    pub fn of(call: &SystemCall) -> Self {
        let [word, op, value, timeout, ..] = call.args;
        let command = match op & 0x7f {
            0 => Command::Wait,
            9 => Command::WaitBitset,
            6 | 13 => Command::LockPi,
            _ => Command::Other,
        };
        Self {
            word,
            command,
            value: value as u32,
            is_private: op & PRIVATE != 0,
            is_realtime: op & REALTIME != 0,
            // A plain FUTEX_WAIT takes a timeout too; leftovers of r10 are told apart by size, as no
            // timespec lies in the first page.
            has_timeout: timeout >= 4096,
        }
    }
}

//! Of which thread a stack without a header is: the one that the user chose.
//!
//! ```text
//! (gdb) thread 7
//! [Switching to thread 7 (Thread 0x7f750caf7700 (LWP 3159380))]
//! #0  syscall () at ../sysdeps/unix/sysv/linux/x86_64/syscall.S:38
//! (gdb) bt
//! #0  syscall () at ../sysdeps/unix/sysv/linux/x86_64/syscall.S:38
//! #1  0x0000000001282d96 in Futex::WaitUntil (v=0x7f750ed3e650, val=0) at waiter.cc:115
//! ```
//!
//! gdb shows the frame of the thread that was chosen, and then does what it is told: print this thread's stack, or
//! (`thread apply all -q bt`) those of all threads, which come one after the other.

use super::header::Target;
use super::parts::Placed;

/// gdb's number and what it calls the thread.
pub(super) type Named<'c> = (Option<u64>, &'c Target);

/// A stack without a header, and the thread that was chosen when it was printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loose<'c> {
    pub placed: Placed<'c>,
    pub chosen: Option<Named<'c>>,
}

/// The thread that was chosen last.
#[derive(Default)]
pub(super) struct Choice<'c> {
    thread: Option<Named<'c>>,
    /// The frame that gdb showed of it.
    shown: Option<Placed<'c>>,
    /// Stacks since then, or since the last command.
    since: usize,
}

impl<'c> Choice<'c> {
    /// The user chose a thread.
    pub fn of(number: Option<u64>, target: &'c Target) -> Self {
        Self { thread: Some((number, target)), ..Self::default() }
    }

    /// A command was given.
    pub fn on_prompt(&mut self) {
        self.since = 0;
    }

    /// Adds a stack to those that were printed.
    pub fn add(&mut self, placed: Placed<'c>, loose: &mut Vec<Loose<'c>>) {
        let chosen = match self.shown {
            None => {
                self.shown = self.thread.map(|_| placed);
                self.thread
            }
            Some(shown) => {
                self.since += 1;
                // One of a list; and so was the one before.
                if self.since == 2
                    && let Some(before) = loose.last_mut()
                {
                    before.chosen = None;
                }
                let is_its = shown.has_same_top(&placed) || shown.is_at_same_line(&placed);
                self.thread.filter(|_| self.since == 1 && is_its)
            }
        };
        loose.push(Loose { placed, chosen });
    }
}

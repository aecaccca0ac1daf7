//! Of which thread the stack is that `!analyze` prints without naming its thread.
//!
//! ```text
//! STACK_TEXT:
//! 000000d7`29dff9b0 00007ff7`0e6c2b4e     : 000001d2`f3a4b100 … : shop!parse+0x14
//! 000000d7`29dffab0 00000000`00000000     : 00000000`00000000 … : shop!main+0x12
//! 0:000> ~*k
//! #  0  Id: 1a2c.1b30 Suspend: 0 Teb: 000000d7`2a0ff000 Unfrozen
//! Child-SP          RetAddr           Call Site
//! 000000d7`29dff9b0 00007ff7`0e6c2b4e shop!parse+0x14
//! 000000d7`29dffab0 00000000`00000000 shop!main+0x12
//! ```
//!
//! It is the thread whose stack ends so: above it may stand what handles the exception. Where several do, the one that had
//! the event is it, and where the list is not whole only that one.

use rustc_hash::FxHashMap;

use super::head::FAULTING;
use super::session::{Key, Memory};
use crate::model::{FrameIx, Snapshot, Thread, ThreadId};

/// The event of a header with the mark `#` of the thread that had the exception, and with that of the current thread, which
/// hides it.
pub(super) const HAD_EVENT: &str = "thread had the event";
pub(super) const IS_CURRENT: &str = "thread is current";

/// Which thread is marked.
#[derive(Default)]
pub(super) struct Marks {
    due: Option<&'static str>,
    had_event: Option<Key>,
    is_current: Option<Key>,
}

/// The mark before a thread's number.
pub(super) fn mark(line: &str) -> Option<&'static str> {
    let marks = line.trim_start().split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    match marks {
        _ if marks.contains('#') => Some(HAD_EVENT),
        _ if marks.contains('.') => Some(IS_CURRENT),
        _ => None,
    }
}

impl Marks {
    /// Whether a line is such an event.
    pub fn line(&mut self, line: &str) -> bool {
        let mark = [HAD_EVENT, IS_CURRENT].into_iter().find(|mark| *mark == line);
        self.due = mark.or(self.due);
        mark.is_some()
    }

    /// A thread is added.
    pub fn thread(&mut self, key: Key) {
        match self.due.take() {
            Some(HAD_EVENT) => self.had_event = Some(key),
            Some(_) => self.is_current = Some(key),
            None => {}
        }
    }

    fn key(&self) -> Option<Key> {
        self.had_event.or(self.is_current)
    }
}

/// The thread. `is_whole`: all threads of the process are there.
pub(super) fn thread(
    memory: &Memory,
    numbers: &FxHashMap<u64, u32>,
    snapshot: &Snapshot,
    is_whole: bool,
) -> Option<Key> {
    let faulting = ThreadId::Text(FAULTING.into());
    let threads = || memory.keys.iter().zip(&snapshot.threads);
    let (_, analyzed) = threads().find(|(key, thread)| **key == Key::Unknown && thread.id == faulting)?;
    let ends_so = |thread: &Thread| {
        let (all, end) = (snapshot.stacks.frames_of(thread.stack), snapshot.stacks.frames_of(analyzed.stack));
        let above = all.len().checked_sub(end.len());
        let behind = above.and_then(|above| all.get(above..)).unwrap_or_default();
        !end.is_empty()
            && behind.len() == end.len()
            && behind.iter().zip(end).all(|(a, b)| is_same(snapshot, *a, *b))
    };
    let mut found: Vec<Key> = Vec::new();
    for (key, _) in threads().filter(|(key, thread)| **key != Key::Unknown && ends_so(thread)) {
        let key = super::join::resolved(*key, numbers);
        if !found.contains(&key) {
            found.push(key);
        }
    }
    let marked = memory.marks.key().map(|key| super::join::resolved(key, numbers));
    match found.as_slice() {
        [only] if is_whole => Some(*only),
        several => marked.filter(|marked| several.contains(marked)),
    }
}

/// Whether two frames are of the same function at the same place, whatever stands with them.
fn is_same(snapshot: &Snapshot, a: FrameIx, b: FrameIx) -> bool {
    let place = |ix| {
        let frame = snapshot.stacks.get(ix);
        (&frame.function, &frame.module, frame.module_offset, frame.address, frame.line)
    };
    place(a) == place(b)
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::read_one;
    use crate::model::ThreadIx;

    const ANALYZED: &str = "ExceptionAddress: 00007ff70e6c2b4e (shop!parse+0x0000000000000014)
   ExceptionCode: c0000005 (Access violation)
STACK_TEXT:  
000000d7`29dff9b0 00007ff7`0e6c2b4e     : 000001d2`f3a4b100 00000000`00000000 00000000`00000000 00000000`00000000 : shop!parse+0x14
000000d7`29dffab0 00000000`00000000     : 00000000`00000000 00000000`00000000 00000000`00000000 00000000`00000000 : shop!main+0x12

SYMBOL_NAME:  shop!parse+14
0:000> ~*k

";

    fn thread(mark: char, number: u32, functions: &[&str]) -> String {
        let frames: String =
            functions.iter().map(|name| format!("000000d7`29dff9b0 00007ff7`0e6c2b4e {name}\n")).collect();
        format!(
            "{mark}  {number}  Id: 1a2c.1b3{number} Suspend: 0 Teb: 000000d7`2a0ff000 Unfrozen\nChild-SP          RetAddr           Call Site\n{frames}\n"
        )
    }

    /// The ids of the threads, and which died.
    fn died(threads: &[String]) -> (Vec<String>, Option<String>) {
        let snapshot = read_one(&format!("{ANALYZED}{}", threads.concat()));
        let ids: Vec<String> = snapshot.threads.iter().map(|thread| thread.id.to_string()).collect();
        let ThreadIx(ix) = snapshot.process.signal.expect("a signal").thread.expect("a thread");
        let died = ids.get(ix as usize).cloned();
        (ids, died)
    }

    #[test]
    fn the_thread_with_that_stack() {
        let own = ["shop!parse+0x14", "shop!main+0x12"];
        let handled = ["ntdll!NtWaitForSingleObject+0x14", "ntdll!KiUserExceptionDispatch+0x2e"];
        let other = thread(' ', 1, &["ntdll!NtDelayExecution+0x14"]);
        let two = (vec!["1b30".to_owned(), "1b31".to_owned()], Some("1b30".to_owned()));
        for mark in ['#', '.', ' '] {
            assert_eq!(died(&[thread(mark, 0, &own), other.clone()]), two, "{mark:?}");
            assert_eq!(died(&[thread(mark, 0, &[&handled[..], &own].concat()), other.clone()]), two);
        }
        // Of two only the one that had the event.
        let same = thread(' ', 1, &own);
        assert_eq!(died(&[thread('#', 0, &own), same.clone()]), two);
        let current = died(&[thread('#', 0, &own), thread('.', 1, &own)]);
        assert_eq!(current, two);
    }

    #[test]
    fn nobody_is_taken_by_chance() {
        let own = ["shop!parse+0x14", "shop!main+0x12"];
        let (ids, dead) = died(&[thread(' ', 0, &own), thread(' ', 1, &own)]);
        assert_eq!((ids.len(), dead.as_deref()), (3, Some("unnamed")), "two have that stack: {ids:?}");
        let elsewhere = ["shop!parse+0x14", "shop!serve+0x12"];
        let (ids, dead) = died(&[thread('#', 0, &elsewhere), thread(' ', 1, &elsewhere)]);
        assert_eq!((ids.len(), dead.as_deref()), (3, Some("unnamed")), "nobody has it: {ids:?}");
        // In a list with holes it may be another one.
        let (ids, dead) = died(&[thread(' ', 3, &own), thread(' ', 5, &elsewhere)]);
        assert_eq!((ids.len(), dead.as_deref()), (3, Some("unnamed")), "{ids:?}");
    }
}

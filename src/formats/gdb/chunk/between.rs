//! What stands between the stacks of a piece, or between the frames of one.
//!
//! ```text
//! #0  0x00007f034f1b4334 in __lll_lock_wait (futex=0x6010a0 <g_log>, private=0) at l.c:40
//! 2024-01-02 10:00:00,010 INFO [http-1] GET /health 200 1ms
//! #1  0x00007f034f1b4352 in pthread_mutex_lock (mutex=0x6010a0 <g_log>) at l.c:40
//! ```
//!
//! A process that logs into the file that gdb writes to stands in the middle of stacks. A line that would begin something new
//! does not where the next frame is the one that the stack waits for.

use super::{Event, Item, Reader, frame_of, header};

/// More lines of a log than these do not stand between two frames.
const MOST_LINES: usize = 256;

impl Reader<'_> {
    /// A fact in the line at `at`, the next one of which stands at `next`.
    pub(super) fn event(&mut self, event: Event, at: usize, next: usize) {
        // What gdb says of threads while it prints a stack does not end the stack.
        let ends = !matches!(
            event,
            Event::NewThread(_) | Event::Exited(_) | Event::ThreadLibrary | Event::Current { .. }
        );
        // A session of gdb that begins below a header without a stack is another one.
        let may_be_log = matches!(event, Event::Time(_) | Event::Message { .. });
        let has_frame = self.open.as_ref().is_some_and(|open| open.last.is_some());
        let is_choice = matches!(event, Event::Chosen { .. });
        let is_within = ends && !is_choice && (may_be_log || has_frame) && self.goes_on_from(next);
        if is_within {
            self.skip(at);
            // Whatever the process wrote there is true of it.
            if !matches!(event, Event::Message { .. }) {
                return;
            }
        } else {
            if ends {
                self.close(false);
            }
            self.flush_skipped(false);
        }
        self.chunk.items.push(Item::Event(event, at as u64));
    }

    /// Whether the stack that is being read goes on behind the lines from `next` on, which are no frames. Each is looked at
    /// once: where it does not go on it is closed.
    fn goes_on_from(&mut self, next: usize) -> bool {
        let Some(open) = &self.open else { return false };
        if next <= self.goes_on_at {
            return true;
        }
        let last = open.last;
        let mut at = next;
        for _ in 0..MOST_LINES {
            let Some(rest) = self.text.get(at..).filter(|rest| !rest.is_empty()) else { return false };
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or_default();
            if header::is_header(line) || line.starts_with(b"(gdb)") {
                return false;
            }
            if let Some((number, _)) = frame_of(line.trim_ascii_end()) {
                let goes_on = last.is_none_or(|last| number > last);
                self.goes_on_at = if goes_on { at } else { 0 };
                return goes_on;
            }
            at += end + 1;
        }
        false
    }

    pub(super) fn skip(&mut self, at: usize) {
        let offset = at as u64;
        self.skipped = Some(self.skipped.map_or((offset, 1), |(first, lines)| (first, lines + 1)));
    }

    pub(super) fn flush_skipped(&mut self, is_inside: bool) {
        if let Some((offset, lines)) = self.skipped.take() {
            self.chunk.items.push(Item::Skipped { offset, lines, is_inside });
        }
    }
}

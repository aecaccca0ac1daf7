//! Lines of a piece that are neither headers nor frames of a stack: rows of `info threads`, prompts, DrKonqi's mark.

use super::{Event, Item, Reader, header, trimmed};
use crate::formats::gdb::drkonqi;
use crate::formats::gdb::info_threads::{self, Where};

impl Reader<'_> {
    pub(super) fn on_row(&mut self, line: &[u8], at: usize, next: usize) -> Option<usize> {
        let row = info_threads::row(line)?;
        self.close(false);
        self.begin(None, at);
        let rest = self.text.get(next..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (frame, after) = match row.frame(line, trimmed(rest.get(..length).unwrap_or_default())) {
            Where::Here(frame) => (Some(frame), next),
            Where::Next(frame) => (Some(frame), next + length + 1),
            Where::Nowhere => (None, next),
        };
        let mut next = after;
        if let Some(frame) = frame {
            let mark = self.chunk.values.len();
            let (ix, end) = self.frame_line(frame, next);
            match self.learned.templates.get(ix).is_some_and(|t| t.parsed.is_null) {
                true => self.chunk.values.truncate(mark),
                false => self.frames.push(ix),
            }
            next = end;
        }
        if let Some(item) = self.take(false) {
            self.flush_skipped(false);
            self.chunk.items.push(Item::Row(Box::new((row, item))));
        }
        Some(next)
    }

    /// `(gdb) thread apply all bt`; a gdb that reads a pipe prints its answer behind the prompt.
    pub(super) fn on_prompt(&mut self, line: &[u8], at: usize, next: usize) -> usize {
        self.close(false);
        self.event(Event::Prompt, at, next);
        let mut rest = line;
        while let Some(after) = rest.strip_prefix(b"(gdb)") {
            rest = after.trim_ascii_start();
        }
        let is_answer = rest.starts_with(b"#") || header::is_header(rest);
        let start = at + (line.len() - rest.len());
        if is_answer && start > at { self.line(start) } else { next }
    }

    /// A fact; some print the frame of the thread that they choose in the same line:
    /// `[Switching to thread 2 (Thread 0xb7d1bb70 (LWP 2000))]#0  0x00110416 in __kernel_vsyscall ()`, gdb 7.0 to 7.4.
    pub(super) fn on_fact(&mut self, event: Event, line: &[u8], at: usize, next: usize) -> usize {
        let chooses = matches!(event, Event::Chosen { .. });
        self.event(event, at, next);
        match memchr::memmem::find(line, b"]#0 ").filter(|_| chooses) {
            Some(end) => self.line(at + end + 1),
            None => next,
        }
    }

    /// The frame of a signal that DrKonqi puts in place of those of its handler, which are the first of a stack.
    pub(super) fn on_handler(&mut self, at: usize) {
        if self.open.as_ref().is_none_or(|open| open.last.is_some()) {
            self.skip(at);
            return;
        }
        let mark = self.chunk.values.len();
        let ix =
            self.learned.templates.intern(drkonqi::HANDLER_FRAME, self.last_template, &mut self.chunk.values);
        self.chunk.values.truncate(mark);
        self.last_template = Some(ix);
        self.frames.push(ix);
        if let Some(open) = &mut self.open {
            open.is_plain = false;
        }
    }
}

//! Reads a piece of text that begins at a thread header or at the begin of the text. Pieces are
//! independent of each other, so that they can be read in parallel.

mod aside;
mod between;

use std::ops::Range;

use crate::formats::text::make_room;
use crate::model::{FrameKind, StackEnd};

use super::header::{self, Header, decimal};
use super::items::{Item, LocalStack, StackItem};
use super::join;
use super::learned::Learned;
use super::printed_locks;
use super::recognize;
use super::session::{self, Event, Line};
use super::template::TemplateIx;

/// A piece of text, read: what stands in it. Its stacks and their lines are in what was learned of it.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub items: Vec<Item>,
    /// Values of all its stacks.
    pub values: Vec<u64>,
}

/// Reads a chunk; `is_last` if the text ends with it. `has_locks`: locks may be printed in the text. What is known then is
/// `learned` and what is new in this chunk.
pub(super) fn read(
    text: &[u8],
    range: Range<usize>,
    (is_last, has_locks): (bool, bool),
    learned: Learned,
) -> (Chunk, Learned) {
    let text = text.get(..range.end).unwrap_or_default();
    let (start, length) = (range.start, range.len());
    let mut reader = Reader { text, start, is_last, has_locks, learned, ..Reader::default() };
    reader.learned.templates.reserve((length / 256).min(MOST_EXPECTED));
    reader.run();
    (reader.chunk, reader.learned)
}

/// Room for so many templates at most.
const MOST_EXPECTED: usize = 1 << 15;

/// More than most stacks have.
const VALUES_A_STACK: usize = 256;

/// The stack that is being read.
#[derive(Debug)]
struct Open {
    item: StackItem,
    /// The number of its last frame.
    last: Option<u64>,
    /// Where its frame lines stand that follow its header and each other.
    lines: Range<usize>,
    /// All its frames are in there.
    is_plain: bool,
}

#[derive(Default)]
struct Reader<'t> {
    /// Up to the end of the piece.
    text: &'t [u8],
    /// Where the piece begins.
    start: usize,
    is_last: bool,
    has_locks: bool,
    chunk: Chunk,
    learned: Learned,
    open: Option<Open>,
    frames: Vec<TemplateIx>,
    /// The stack that was recognized as a whole, as long as no frame follows it: `frames` are empty then.
    repeat: Option<LocalStack>,
    /// The template of the line before.
    last_template: Option<TemplateIx>,
    joined: Vec<u8>,
    skipped: Option<(u64, u64)>,
    /// Where a frame stands with which the stack that is being read goes on behind other lines; 0: not looked for.
    goes_on_at: usize,
}

impl<'t> Reader<'t> {
    fn run(&mut self) {
        let mut at = self.start;
        while at < self.text.len() {
            at = self.line(at);
        }
        let is_cut = self.is_last && !self.text.ends_with(b"\n") && self.ends_in_the_middle();
        self.close(is_cut);
        self.flush_skipped(false);
        if self.has_locks {
            let own = self.text.get(self.start..).unwrap_or_default();
            let locks = printed_locks::find(own, self.start as u64);
            self.chunk.items.extend(locks.into_iter().map(Item::Lock));
        }
    }

    /// Whether the stack that is being read has no frame yet, or its last line lacks its end:
    /// `#9  0x0000`, `… (a=1, b`, `… at ./nptl/pthr`.
    fn ends_in_the_middle(&self) -> bool {
        let Some(open) = &self.open else { return false };
        let Some(parsed) =
            self.frames.last().and_then(|ix| self.learned.templates.get(*ix)).map(|t| &t.parsed)
        else {
            return open.item.header.is_some();
        };
        let is_call = parsed.frame.kind == FrameKind::Normal;
        is_call && (!parsed.has_arguments || parsed.frame.file.is_some() && parsed.frame.line.is_none())
    }

    /// Reads the line at `at`; where the next one begins.
    fn line(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let next = at + end + 1;
        let line = trimmed(rest.get(..end).unwrap_or_default());
        match line.first() {
            None => next,
            Some(b'#') => self.on_hash(line, at, next),
            Some(b' ' | b'\t') => self.on_indented_line(line, at, next),
            Some(b'*') => self.on_row(line, at, next).unwrap_or_else(|| self.on_other_line(line, at, next)),
            Some(b'T') if header::is_header(line) => self.on_header(at),
            Some(b'(') if line.starts_with(b"(gdb)") => self.on_prompt(line, at, next),
            Some(_) => self.on_other_line(line, at, next),
        }
    }

    /// `Thread 9 (Thread 0x7fe5594496c0 (LWP 5180) "jam"):`
    fn on_header(&mut self, at: usize) -> usize {
        let Some((header, length)) = self.text.get(at..).and_then(header::read) else {
            let end = self
                .text
                .get(at..)
                .and_then(|r| memchr::memchr(b'\n', r))
                .map_or(self.text.len(), |n| at + n);
            self.skip(at);
            return end + 1;
        };
        self.close(false);
        let (read, all) = (at - self.start, self.text.len() - self.start);
        make_room(&mut self.chunk.items, 1, read, all);
        make_room(&mut self.chunk.values, VALUES_A_STACK, read, all);
        self.begin(Some(header), at);
        self.begin_stack(at + length + 1)
    }

    /// Begins the stack of a header, whose first line stands at `start`. Where its next line begins.
    fn begin_stack(&mut self, start: usize) -> usize {
        let Some(open) = &mut self.open else { return start };
        (open.lines, open.is_plain) = (start..start, true);
        match self.learned.repeats.find(self.text, start, &mut self.chunk.values) {
            Some((stack, end)) => {
                self.repeat = Some(stack);
                (open.last, open.lines.end) = (self.learned.last_of.get(&stack).copied(), end);
                end
            }
            None => start,
        }
    }

    fn on_hash(&mut self, line: &[u8], at: usize, next: usize) -> usize {
        match frame_of(line) {
            Some((number, body)) => self.on_frame(number, body, at, next),
            None => self.on_other_line(line, at, next),
        }
    }

    fn on_frame(&mut self, number: u64, body: &[u8], at: usize, next: usize) -> usize {
        if let Some(stack) = self.repeat.take() {
            self.frames.extend_from_slice(self.learned.stacks.get(stack).unwrap_or_default());
        }
        let mark = self.chunk.values.len();
        let goes_on =
            self.open.as_ref().is_some_and(|o| o.last.is_none_or(|last| number >= last && number > 0));
        if !goes_on && number == 0 {
            self.close(false);
            self.begin(None, at);
        } else if !goes_on {
            // `frame 3` prints a frame by itself; a text cut at its head begins within a stack.
            if self.open.is_none() && self.chunk.items.is_empty() {
                self.skip(at);
            }
            let next = self.frame_line(body, next).1;
            self.chunk.values.truncate(mark);
            return next;
        }
        let line_end = next;
        let (ix, next) = self.frame_line(body, next);
        let is_repeat =
            self.open.as_ref().is_some_and(|o| o.last == Some(number)) && self.frames.last() == Some(&ix);
        let is_null = number > 0 && self.learned.templates.get(ix).is_some_and(|t| t.parsed.is_null);
        if is_repeat || is_null {
            self.chunk.values.truncate(mark);
        } else {
            self.frames.push(ix);
        }
        if let Some(open) = &mut self.open {
            open.last = Some(number);
            let is_one_line = next == line_end && !is_repeat && !is_null;
            open.is_plain &= is_one_line && open.lines.end == at;
            open.lines.end = next;
        }
        self.flush_skipped(true);
        next
    }

    /// The template of a frame's line with the lines onto which it was wrapped. Values are pushed
    /// (a caller that does not want them truncates).
    fn frame_line(&mut self, body: &[u8], next: usize) -> (TemplateIx, usize) {
        let mark = self.chunk.values.len();
        let after = self.last_template;
        let predicted = self.learned.templates.predicted(body, after, &mut self.chunk.values);
        if let Some(ix) = predicted {
            let has_place = self
                .learned
                .templates
                .get(ix)
                .is_some_and(|t| t.parsed.frame.file.is_some() || t.parsed.frame.module.is_some());
            if has_place || !join::may_go_on(self.text, next) {
                self.last_template = Some(ix);
                return (ix, next);
            }
            self.chunk.values.truncate(mark);
        }
        let goes_on = join::may_go_on(self.text, next);
        let end = if goes_on { join::join(self.text, body, next, &mut self.joined) } else { next };
        let whole = if end > next { self.joined.as_slice() } else { body };
        let templates = &mut self.learned.templates;
        let ix = match templates.predicted(whole, after, &mut self.chunk.values) {
            Some(ix) => ix,
            None => templates.intern(whole, after, &mut self.chunk.values),
        };
        self.last_template = Some(ix);
        (ix, end)
    }

    /// Locals (8 blanks), rows of `info threads`, and lines that belong to the frame above.
    fn on_indented_line(&mut self, line: &[u8], at: usize, next: usize) -> usize {
        if line.starts_with(b"        ") {
            if let Some(open) = &mut self.open {
                open.item.has_locals = true;
            }
            return next;
        }
        if let Some(next) = self.on_row(line, at, next) {
            return next;
        }
        let is_of_frame = self.open.as_ref().is_some_and(|o| o.last.is_some());
        if is_of_frame || self.chunk.items.is_empty() && self.open.is_none() {
            return next;
        }
        self.on_other_line(line, at, next)
    }

    fn on_other_line(&mut self, line: &[u8], at: usize, next: usize) -> usize {
        match session::line(line) {
            Line::Fact(event) => return self.on_fact(event, line, at, next),
            Line::StackEnds => self.ends(StackEnd::Reported),
            Line::MoreFrames => self.ends(StackEnd::DepthLimit),
            Line::Quit => {
                self.ends(StackEnd::Reported);
                if let Some(open) = &mut self.open {
                    open.item.is_cut = true;
                }
            }
            Line::Running => {
                if let Some(open) = &mut self.open {
                    open.item.is_running = true;
                }
            }
            Line::State(state) => {
                if let Some(open) = &mut self.open {
                    open.item.reported = Some(state);
                }
            }
            Line::Handler => self.on_handler(at),
            Line::Locals => {
                if let Some(open) = &mut self.open {
                    open.item.has_locals = true;
                }
            }
            Line::Noise => {}
            Line::Unknown => self.skip(at),
        }
        next
    }

    fn begin(&mut self, header: Option<Header>, at: usize) {
        let mark = self.chunk.values.len();
        self.frames.clear();
        self.goes_on_at = 0;
        self.open = Some(Open {
            item: StackItem {
                header,
                offset: at as u64,
                stack: 0,
                values: (mark, mark),
                end: StackEnd::Complete,
                has_locals: false,
                is_cut: false,
                is_running: false,
                reported: None,
            },
            last: None,
            lines: 0..0,
            is_plain: false,
        });
        self.repeat = None;
    }

    fn ends(&mut self, end: StackEnd) {
        if let Some(open) = &mut self.open {
            open.item.end = end;
        }
    }

    /// Ends the stack that is being read, and keeps it.
    fn close(&mut self, is_cut: bool) {
        if let Some(item) = self.take(is_cut) {
            self.chunk.items.push(Item::Stack(item));
        }
        // What was skipped since its last frame stands after it.
        self.flush_skipped(false);
    }

    fn take(&mut self, is_cut: bool) -> Option<StackItem> {
        let open = self.open.take()?;
        let mut item = open.item;
        item.is_cut |= is_cut;
        item.values.1 = self.chunk.values.len();
        item.stack = match self.repeat.take() {
            Some(known) => known,
            None => self.stack(open.is_plain, open.lines, open.last),
        };
        Some(item)
    }

    /// The stack of the frames that were read. `is_plain`: these lines, up to the frame with the number `last`, are all
    /// of it.
    fn stack(&mut self, is_plain: bool, lines: Range<usize>, last: Option<u64>) -> LocalStack {
        let known = self.learned.stacks.len();
        let stack = self.learned.stacks.add(&self.frames);
        if (stack as usize) < known {
            self.learned.repeats.again(stack);
            return stack;
        }
        let text = self.text.get(lines.clone()).unwrap_or_default();
        match last.zip(self.learned.templates.holes(text, &self.frames)) {
            Some((last, holes)) if is_plain && text.ends_with(b"\n") => {
                self.learned.last_of.insert(stack, last);
                self.learned.repeats.keep(stack, lines, &holes);
            }
            _ => self.learned.repeats.forget(),
        }
        stack
    }
}

/// The number of a frame and what stands behind it: `#0  0x00007f2d… in poll () at ../sysdeps/…:84`; one blank where mail ate
/// the other, and one behind the `#` where something took it for the mark of a title.
fn frame_of(line: &[u8]) -> Option<(u64, &[u8])> {
    let is_parted = line.starts_with(b"# ");
    let line = line.strip_prefix(b"#")?;
    let line = if is_parted { line.get(1..)? } else { line };
    let (number, length) = decimal(line)?;
    let body = line.get(length..)?.strip_prefix(b" ")?.trim_ascii_start();
    // `# 2 What I tried` is a title.
    let is_frame = !body.is_empty() && (!is_parted || recognize::is_body(body));
    is_frame.then_some((number, body))
}

/// Without the blanks and the carriage return at its end.
fn trimmed(line: &[u8]) -> &[u8] {
    match line.last() {
        Some(b' ' | b'\t' | b'\r') => line.trim_ascii_end(),
        _ => line,
    }
}

//! Reads a piece of text that begins at a thread's header or at the begin of the text. Pieces are independent of
//! each other, so that they can be read in parallel; but all know what stands in the first one.

use std::borrow::Cow;
use std::ops::Range;

use super::grammar::{BodyHold, BodyWait, Grammar, Head, InBlock, Outside};
use super::holes::{Number, holes};
use super::learned::Learned;
use super::repeats::Repeats;
use super::site::{LONGEST_LINE, first_line};
use super::templates::{TemplateIx, Templates};
use crate::model::{Pool, Thread, lossy};

/// What stands in a piece of text, in its order.
pub(super) enum Item {
    /// So many of [`Chunk::threads`], the next ones.
    Threads(usize),
    /// A line outside of threads.
    Event { line: String, offset: usize },
    /// Lines that were not understood.
    Skipped { lines: u64, offset: usize, first: String, is_in_block: bool },
    /// A field of a header that was not understood.
    Field { text: String, offset: usize },
    /// The text breaks off here.
    Cut { offset: usize },
}

/// A thread and its block.
pub(super) struct ThreadItem {
    pub thread: Thread,
    pub offset: usize,
    /// Its block.
    pub block: BlockIx,
    /// Its values in [`Chunk::values`].
    pub values: (usize, usize),
    pub keeps_state: bool,
    pub is_carried: bool,
    pub more: Option<Box<MoreOfHead>>,
}

/// What few headers say.
#[derive(Default)]
pub(super) struct MoreOfHead {
    /// Other threads with the same block.
    pub also: Vec<Thread>,
    pub wait: Option<BodyWait>,
    pub holds: Vec<BodyHold>,
}

/// Number of a block in [`Chunk::blocks`].
pub(super) type BlockIx = u32;

/// A piece of text, read.
#[derive(Default)]
pub(super) struct Chunk {
    pub items: Vec<Item>,
    pub threads: Vec<ThreadItem>,
    /// Its blocks, each once. Those of the first piece come first.
    pub blocks: Pool<TemplateIx>,
    /// The lines of its blocks, likewise.
    pub templates: Templates,
    /// How many of `templates` and of `blocks` are those of the first piece.
    pub learned: (usize, usize),
    pub values: Vec<u64>,
}

/// Reads a piece of a text; `is_last` if the text ends with it.
pub(super) fn read<G: Grammar>(
    grammar: &G,
    text: &[u8],
    range: Range<usize>,
    is_last: bool,
    learned: &Learned,
) -> Chunk {
    read_with(grammar, text, range, is_last, learned).0
}

/// The same, and the blocks that may be recognized as a whole.
pub(super) fn read_with<G: Grammar>(
    grammar: &G,
    text: &[u8],
    range: Range<usize>,
    is_last: bool,
    learned: &Learned,
) -> (Chunk, Repeats<Number>) {
    let text = text.get(..range.end).unwrap_or_default();
    let mut chunk = Chunk {
        blocks: learned.blocks.clone(),
        templates: learned.templates.clone(),
        learned: (learned.templates.texts().len(), learned.blocks.len()),
        ..Chunk::default()
    };
    // As many as the first piece had; one that grows is copied again and again.
    let expected = |count: usize| count.saturating_mul(range.len()) / learned.bytes.max(1);
    chunk.threads.reserve(expected(learned.threads));
    chunk.values.reserve(expected(learned.values));
    let mut reader = Reader {
        grammar,
        text,
        chunk,
        repeats: learned.repeats.clone(),
        lines: Vec::new(),
        repeat: None,
        text_of_block: 0..0,
        is_plain: false,
        open: None,
        section: None,
        is_after_blank: false,
        skipped: None,
    };
    let mut at = range.start;
    let mut last = Known::Yes;
    while at < text.len() {
        let (next, known) = reader.line(at);
        (at, last) = (next, known);
    }
    let own = text.get(range.start..).unwrap_or_default();
    let line = memchr::memrchr(b'\n', own).map_or(own, |n| own.get(n + 1..).unwrap_or_default());
    let breaks_off = || last == Known::No || grammar.breaks_off(&shown(line));
    let is_cut = is_last && !text.ends_with(b"\n") && reader.open.is_some() && breaks_off();
    reader.close();
    reader.flush_skipped();
    if is_cut {
        reader.chunk.items.push(Item::Cut { offset: text.len() });
    }
    (reader.chunk, reader.repeats)
}

/// Whether a line was understood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Yes,
    No,
}

struct Skipped {
    lines: u64,
    offset: usize,
    first: String,
    is_in_block: bool,
}

struct Reader<'t, G> {
    grammar: &'t G,
    /// Up to the end of the piece.
    text: &'t [u8],
    chunk: Chunk,
    repeats: Repeats<Number>,
    /// The block that is being read.
    lines: Vec<TemplateIx>,
    /// The block that was recognized as a whole, as long as no line follows it: `lines` are empty then.
    repeat: Option<BlockIx>,
    /// Where the lines of the block stand that is being read.
    text_of_block: Range<usize>,
    /// Every line in there is the block's, and the same but for its numbers in each thread that has this block.
    is_plain: bool,
    open: Option<ThreadItem>,
    section: Option<&'static str>,
    is_after_blank: bool,
    skipped: Option<Skipped>,
}

impl<G: Grammar> Reader<'_, G> {
    /// Reads the line at `at`; where the next one begins.
    fn line(&mut self, at: usize) -> (usize, Known) {
        let rest = self.text.get(at..).unwrap_or_default();
        let whole = first_line(rest);
        let next = at + whole.len() + 1;
        let line = trimmed(whole);
        if line.is_empty() {
            self.is_after_blank = true;
            return (next, Known::Yes);
        }
        if self.grammar.may_begin(line) {
            let more = self.text.get(next.min(self.text.len())..).unwrap_or_default();
            if let Some(head) = self.grammar.head(&shown(line), more) {
                self.close();
                self.flush_skipped();
                self.section = None;
                self.is_after_blank = false;
                let mark = self.chunk.values.len();
                let Head { thread, also, more, wait, holds, keeps_state, is_carried, unknown, event, first } =
                    head;
                let offset = at;
                if let Some(text) = unknown {
                    self.chunk.items.push(Item::Field { text, offset });
                }
                if let Some(line) = event {
                    self.chunk.items.push(Item::Event { line, offset });
                }
                let values = (mark, mark);
                let says_more = !also.is_empty() || wait.is_some() || !holds.is_empty();
                let more_of_head = says_more.then(|| Box::new(MoreOfHead { also, wait, holds }));
                self.open = Some(ThreadItem {
                    thread,
                    offset,
                    block: 0,
                    values,
                    keeps_state,
                    is_carried,
                    more: more_of_head,
                });
                return (self.begin(next + more, first.as_deref(), at), Known::Yes);
            }
            // With other numbers it may be a header.
            self.is_plain = false;
        }
        let known = if self.open.is_some() { self.in_block(line, at) } else { self.outside(line, at) };
        if self.open.is_some() && !self.is_after_blank {
            self.text_of_block.end = next.min(self.text.len());
        }
        (next, known)
    }

    /// Begins the block whose lines stand from `start` on, but for a first one that stood in the header at `at`. Where
    /// its next line begins.
    fn begin(&mut self, start: usize, first: Option<&str>, at: usize) -> usize {
        self.text_of_block = start..start;
        self.is_plain = first.is_none();
        if let Some(line) = first {
            self.in_block(line.as_bytes(), at);
            return start;
        }
        match self.repeats.find(self.text, start, &mut self.chunk.values) {
            Some((block, end)) => {
                self.repeat = Some(block);
                self.text_of_block.end = end;
                end
            }
            None => start,
        }
    }

    fn in_block(&mut self, line: &[u8], at: usize) -> Known {
        if let Some(block) = self.repeat.take() {
            self.lines.extend_from_slice(self.chunk.blocks.get(block).unwrap_or_default());
        }
        self.is_plain &= line.len() <= LONGEST_LINE;
        if self.grammar.is_attribute(line)
            && let Some(open) = &mut self.open
        {
            self.is_plain = false;
            if self.grammar.attribute(&mut open.thread, &shown(line)) {
                return Known::Yes;
            }
            self.skip(line, at);
            return Known::No;
        }
        let grammar = self.grammar;
        let mark = self.chunk.values.len();
        let classify = |text: &str| grammar.in_block(text);
        match self.chunk.templates.intern(line, grammar.masked(line), &mut self.chunk.values, classify) {
            Some((ix, InBlock::Body)) => {
                self.lines.push(ix);
                self.is_after_blank = false;
                Known::Yes
            }
            Some((_, class)) => {
                // Only the lines of the body have slots.
                self.is_plain &= self.chunk.values.len() == mark;
                self.chunk.values.truncate(mark);
                if class == InBlock::Ends {
                    self.close();
                    return self.outside(line, at);
                }
                Known::Yes
            }
            None => {
                self.skip(line, at);
                Known::No
            }
        }
    }

    fn outside(&mut self, line: &[u8], at: usize) -> Known {
        let text = shown(line);
        let class = self.grammar.outside(&text, self.section);
        match class {
            Outside::Event | Outside::Section(_) => {
                self.flush_skipped();
                self.chunk.items.push(Item::Event { line: text.into_owned(), offset: at });
                if let Outside::Section(section) = class {
                    self.section = Some(section);
                }
                Known::Yes
            }
            Outside::Noise => Known::Yes,
            Outside::Unknown => {
                self.skip(line, at);
                Known::No
            }
        }
    }

    /// Ends the block that is being read, and keeps it.
    fn close(&mut self) {
        let Some(mut item) = self.open.take() else { return };
        item.values.1 = self.chunk.values.len();
        item.block = self.repeat.take().unwrap_or_else(|| self.block());
        self.lines.clear();
        self.chunk.threads.push(item);
        match self.chunk.items.last_mut() {
            Some(Item::Threads(count)) => *count += 1,
            _ => self.chunk.items.push(Item::Threads(1)),
        }
    }

    /// The block whose lines were read.
    fn block(&mut self) -> BlockIx {
        let known = self.chunk.blocks.len();
        let block = self.chunk.blocks.add(&self.lines);
        if (block as usize) < known {
            self.repeats.again(block);
            return block;
        }
        let range = self.text_of_block.clone();
        let text = self.text.get(range.clone()).unwrap_or_default();
        match holes(self.grammar, text).filter(|_| self.is_plain && text.ends_with(b"\n")) {
            Some(holes) => self.repeats.keep(block, range, &holes),
            None => self.repeats.forget(),
        }
        block
    }

    fn skip(&mut self, line: &[u8], at: usize) {
        self.is_plain = false;
        let is_in_block = self.open.is_some() && !self.is_after_blank;
        if self.skipped.as_ref().is_some_and(|s| s.is_in_block != is_in_block) {
            self.flush_skipped();
        }
        match &mut self.skipped {
            Some(skipped) => skipped.lines += 1,
            None => {
                let first = lossy(line.get(..LONGEST_SHOWN).unwrap_or(line)).into_owned();
                self.skipped = Some(Skipped { lines: 1, offset: at, first, is_in_block });
            }
        }
    }

    fn flush_skipped(&mut self) {
        if let Some(Skipped { lines, offset, first, is_in_block }) = self.skipped.take() {
            self.chunk.items.push(Item::Skipped { lines, offset, first, is_in_block });
        }
    }
}

/// As much of a line that was not understood as is shown, bytes.
const LONGEST_SHOWN: usize = 80;

/// A line as text: bytes that are not UTF-8 are shown as such, what is too long is cut.
fn shown(line: &[u8]) -> Cow<'_, str> {
    lossy(line.get(..LONGEST_LINE).unwrap_or(line))
}

/// Without the blanks and the carriage return at its end.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    match line.last() {
        Some(b' ' | b'\t' | b'\r') => line.trim_ascii_end(),
        _ => line,
    }
}

//! Reads a piece of text that begins at a thread's header or at the begin of the text. Pieces are independent of
//! each other, so that they can be read in parallel.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::grammar::{BodyHold, BodyWait, Grammar, Head, InBlock, Outside};
use super::site::{LONGEST_LINE, first_line};
use super::templates::{TemplateIx, Templates};
use crate::model::Thread;

/// What stands in a piece of text, in its order.
pub(super) enum Item {
    /// Threads with one stack.
    Threads(Box<ThreadItem>),
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
    pub also: Vec<Thread>,
    pub offset: usize,
    /// Its block: place in [`Chunk::blocks`].
    pub block: usize,
    /// Its values in [`Chunk::values`].
    pub values: (usize, usize),
    pub wait: Option<BodyWait>,
    pub holds: Vec<BodyHold>,
    pub keeps_state: bool,
    pub is_carried: bool,
}

/// A piece of text, read.
#[derive(Default)]
pub(super) struct Chunk {
    pub items: Vec<Item>,
    /// Its blocks, each once.
    pub blocks: Vec<Box<[TemplateIx]>>,
    /// The lines of its blocks.
    pub templates: Templates,
    pub values: Vec<u64>,
}

/// Reads a chunk that begins at `base` of the text; `is_last` if the text ends with it.
pub(super) fn read<G: Grammar>(grammar: &G, text: &[u8], base: usize, is_last: bool) -> Chunk {
    let mut reader = Reader {
        grammar,
        text,
        base,
        chunk: Chunk::default(),
        block_of: FxHashMap::default(),
        lines: Vec::new(),
        open: None,
        section: None,
        is_after_blank: false,
        skipped: None,
    };
    let mut at = 0;
    let mut last = Known::Yes;
    while at < text.len() {
        let (next, known) = reader.line(at);
        (at, last) = (next, known);
    }
    let line = memchr::memrchr(b'\n', text).map_or(text, |n| text.get(n + 1..).unwrap_or_default());
    let breaks_off = || last == Known::No || grammar.breaks_off(&shown(line));
    let is_cut = is_last && !text.ends_with(b"\n") && reader.open.is_some() && breaks_off();
    reader.close();
    reader.flush_skipped();
    if is_cut {
        reader.chunk.items.push(Item::Cut { offset: base + text.len() });
    }
    reader.chunk
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
    text: &'t [u8],
    base: usize,
    chunk: Chunk,
    block_of: FxHashMap<Box<[TemplateIx]>, usize>,
    /// The block that is being read.
    lines: Vec<TemplateIx>,
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
                let offset = self.base + at;
                if let Some(text) = unknown {
                    self.chunk.items.push(Item::Field { text, offset });
                }
                if let Some(line) = event {
                    self.chunk.items.push(Item::Event { line, offset });
                }
                let values = (mark, mark);
                self.open = Some(ThreadItem {
                    thread,
                    also,
                    offset,
                    block: 0,
                    values,
                    wait,
                    holds,
                    keeps_state,
                    is_carried,
                });
                if let Some(line) = first {
                    self.in_block(line.as_bytes(), at);
                }
                return (next + more, Known::Yes);
            }
        }
        let known = if self.open.is_some() { self.in_block(line, at) } else { self.outside(line, at) };
        (next, known)
    }

    fn in_block(&mut self, line: &[u8], at: usize) -> Known {
        if self.grammar.is_attribute(line)
            && let Some(open) = &mut self.open
        {
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
                self.chunk.items.push(Item::Event { line: text.into_owned(), offset: self.base + at });
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
        item.block = match self.block_of.get(self.lines.as_slice()) {
            Some(&known) => known,
            None => {
                self.chunk.blocks.push(self.lines.as_slice().into());
                self.block_of.insert(self.lines.as_slice().into(), self.chunk.blocks.len() - 1);
                self.chunk.blocks.len() - 1
            }
        };
        self.lines.clear();
        self.chunk.items.push(Item::Threads(Box::new(item)));
    }

    fn skip(&mut self, line: &[u8], at: usize) {
        let is_in_block = self.open.is_some() && !self.is_after_blank;
        if self.skipped.as_ref().is_some_and(|s| s.is_in_block != is_in_block) {
            self.flush_skipped();
        }
        match &mut self.skipped {
            Some(skipped) => skipped.lines += 1,
            None => {
                let first = String::from_utf8_lossy(line.get(..LONGEST_SHOWN).unwrap_or(line)).into_owned();
                self.skipped = Some(Skipped { lines: 1, offset: self.base + at, first, is_in_block });
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
    String::from_utf8_lossy(line.get(..LONGEST_LINE).unwrap_or(line))
}

/// Without the blanks and the carriage return at its end.
fn trimmed(line: &[u8]) -> &[u8] {
    match line.last() {
        Some(b' ' | b'\t' | b'\r') => line.trim_ascii_end(),
        _ => line,
    }
}

//! One walk over all notes, by several workers where there are many.
//!
//! A note says only where the next one begins, so that a walk is sequential by nature; and with
//! 32,767 threads it is 118 MB long, and each step a cache miss. But the kernel writes the same notes
//! for each thread: the distance between the first threads foretells where later ones begin. Workers
//! start at such places, and what a worker found counts only if the walk before it ended exactly
//! there. The result is that of one walk.

use memchr::memmem;
use rayon::prelude::*;

use crate::model::{GapKind, Gaps};

use super::header::Header;
use super::index::{Context, Found, ProcessNotes, ThreadPart};
use super::notes::{BadNote, NT_PRSTATUS, Note, Notes};

/// Threads that are read before the distance between them is believed.
const SAMPLE: usize = 64;
/// Threads that are worth a part of their own.
const PART: usize = 512;

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct NoteIndex {
    /// Threads in the order of the file.
    pub parts: Vec<ThreadPart>,
    pub process: ProcessNotes,
    /// Whether notes are missing, so that there are threads which nobody knows of.
    pub has_lost_threads: bool,
}

/// How a walk over a part ended.
enum Ended {
    /// At or behind the place where it was to end: here.
    At(usize),
    /// With the segment.
    Finished,
    /// At a note that cannot be, with the place of the note before it.
    Bad(BadNote, Option<usize>),
}

impl NoteIndex {
    /// Reads the notes of all segments. A range that was read is not read again.
    pub fn read(header: &Header, context: &Context, gaps: &mut Gaps) -> Self {
        let mut index = Self::default();
        let mut segments = header.notes.clone();
        segments.sort_by_key(|s| s.offset);
        let mut end = 0;
        for segment in &segments {
            if segment.offset < end {
                let message = "two note segments share bytes: the second one was not read";
                gaps.add(GapKind::Damaged, message, Some(segment.offset));
                continue;
            }
            end = segment.offset.saturating_add(segment.size);
            index.walk(Notes::new(context.reader, segment), context, gaps);
        }
        index.process.tell(gaps);
        index.has_lost_threads |= index.process.has_unread_threads();
        index
    }

    /// How many threads there are.
    pub fn thread_count(&self) -> usize {
        self.parts.iter().map(|part| part.records.len()).sum()
    }

    fn take(&mut self, found: Found) {
        self.process.merge(found.process, self.thread_count());
        if !found.threads.records.is_empty() {
            self.parts.push(found.threads);
        }
    }

    /// Walks one segment.
    fn walk(&mut self, mut notes: Notes, context: &Context, gaps: &mut Gaps) {
        let begin = (self.thread_count(), notes.at());
        let mut starts = Vec::new();
        let mut sampled = Found::default();
        let mut ended = sample(&mut notes, &mut sampled, context, &mut starts);
        self.take(sampled);
        if let Ended::At(first) = ended {
            ended = self.walk_parts(first, &starts, &notes, context);
        }
        // What is left: everything of a small core, and what did not fit the prediction.
        let mut rest = Found::default();
        loop {
            match ended {
                Ended::Finished => break,
                Ended::At(at) => {
                    notes.resume(at);
                    ended = go(&mut notes, &mut rest, context, usize::MAX);
                }
                Ended::Bad(bad, before) => {
                    self.has_lost_threads = true;
                    let has_none = self.parts.is_empty() && rest.threads.records.is_empty();
                    self.process.has_lost_first |= has_none;
                    if bad.is_cut {
                        let read = self.thread_count() + rest.threads.records.len();
                        gaps.add(GapKind::Truncated, cut(begin, read, bad, &notes), Some(bad.offset as u64));
                        break;
                    }
                    let message = "a note has a size that cannot be: the search went on at the next thread";
                    gaps.add(GapKind::Damaged, message, Some(bad.offset as u64));
                    // A size that is wrong and yet fits makes the *next* header nonsense.
                    let from = before.unwrap_or(bad.offset) + 4;
                    match next_thread(context, from, notes.end()) {
                        Some(at) => ended = Ended::At(at),
                        None => break,
                    }
                }
            }
        }
        self.take(rest);
    }

    /// Walks the parts that begin at `starts` at once, and takes those that follow one another.
    fn walk_parts(&mut self, first: usize, starts: &[usize], notes: &Notes, context: &Context) -> Ended {
        let part = |i: usize| {
            let mut found = Found::default();
            let mut notes = notes.clone();
            notes.resume(starts[i]);
            let until = starts.get(i + 1).copied().unwrap_or(usize::MAX);
            let ended = go(&mut notes, &mut found, context, until);
            (found, ended)
        };
        let parts: Vec<(Found, Ended)> = (0..starts.len()).into_par_iter().map(part).collect();
        let mut at = Ended::At(first);
        for (&start, (found, ended)) in starts.iter().zip(parts) {
            if !matches!(at, Ended::At(here) if here == start) {
                break;
            }
            self.take(found);
            at = ended;
        }
        at
    }
}

/// Walks on until `until` or the end.
fn go(notes: &mut Notes, found: &mut Found, context: &Context, until: usize) -> Ended {
    let mut before = None;
    while notes.at() < until {
        match notes.next() {
            Ok(Some(note)) if swallows_thread(&note, context) => {
                return Ended::Bad(BadNote { offset: note.offset, is_cut: false }, None);
            }
            Ok(Some(note)) => {
                before = Some(note.offset);
                found.add(&note, context);
            }
            Ok(None) => return Ended::Finished,
            Err(bad) => return Ended::Bad(bad, before),
        }
    }
    Ended::At(notes.at())
}

/// Reads the first threads and fills `starts` with places where later ones should begin, the
/// current place first.
fn sample(notes: &mut Notes, found: &mut Found, context: &Context, starts: &mut Vec<usize>) -> Ended {
    let (mut last, mut distance, mut repeats) = (0, 0, 0);
    loop {
        let at = notes.at();
        let is_thread = |note: &Note| note.kind == NT_PRSTATUS && note.owner == b"CORE";
        match notes.clone().next() {
            Ok(Some(note)) if is_thread(&note) => {
                repeats = if at - last == distance { repeats + 1 } else { 0 };
                (distance, last) = (at - last, at);
                if repeats == SAMPLE {
                    break;
                }
            }
            _ => {}
        }
        match go(notes, found, context, at + 1) {
            Ended::At(_) => {}
            ended => return ended,
        }
    }
    let step = distance.saturating_mul(PART);
    let foretold = (last..notes.end()).step_by(step.max(1));
    starts.extend(foretold.filter(|&at| at == last || begins_thread(context, at)));
    Ended::At(last)
}

/// `the file ends inside its notes: 12 threads were read, about 20 more are lost`.
fn cut((threads, start): (usize, usize), read: usize, bad: BadNote, notes: &Notes) -> String {
    let here = read - threads;
    match here {
        0 => "the file ends before the notes of its threads: they are lost".to_owned(),
        1 => "the file ends inside its notes: one thread was read, the others are lost".to_owned(),
        _ => {
            let spacing = bad.offset.saturating_sub(start) / here;
            let lost = notes.missing().div_ceil(spacing.max(1) as u64);
            format!("the file ends inside its notes: {read} threads were read, about {lost} more are lost")
        }
    }
}

/// The first bytes of a note that begins a thread: the sizes of `CORE` and of the descriptor, the
/// type, the name. Not known for a processor whose size of the descriptor is not.
fn thread_header(context: &Context) -> Option<Vec<u8>> {
    let size = u32::try_from(context.layout.size()?).ok()?;
    let is_little_endian = context.reader.encoding.is_little_endian;
    let bytes = |word: u32| if is_little_endian { word.to_le_bytes() } else { word.to_be_bytes() };
    let mut header = [5, size, NT_PRSTATUS].map(bytes).concat();
    header.extend_from_slice(b"CORE\0");
    Some(header)
}

/// Whether a thread's note has a size that it cannot have, and there is a thread inside of it.
fn swallows_thread(note: &Note, context: &Context) -> bool {
    let is_odd = note.kind == NT_PRSTATUS && note.owner == b"CORE" && !context.layout.fits(note.place.size);
    is_odd && next_thread(context, note.place.offset, note.place.offset + note.place.size).is_some()
}

fn begins_thread(context: &Context, at: usize) -> bool {
    thread_header(context).is_some_and(|header| context.reader.rest(at).starts_with(&header))
}

/// Where the next note begins that looks like a thread's first.
fn next_thread(context: &Context, from: usize, end: usize) -> Option<usize> {
    let part: &[u8] = context.reader.slice(from, end.checked_sub(from)?)?;
    memmem::find(part, &thread_header(context)?).map(|at| from + at)
}

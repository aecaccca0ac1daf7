//! The text of gdb: `bt`, `thread apply all bt` and its relatives, `info threads`, and what
//! terminals, logs and mail make of them.
//!
//! ```text
//! section ─▶ pager ─▶ split ─▶ chunk (parallel) ─▶ parts ─▶ merge ─▶ snapshots
//!                     at       header, join,       which    each thread
//!                     headers  template, session,  stacks   once, facts
//!                              printed_locks       belong
//!                                                  together
//! ```
//!
//! What `py-bt` prints becomes frame lines before all that ([`py_bt`]).
//!
//! Frame lines are interned by what does not differ between threads ([`template`]); a template is
//! parsed once ([`frame`], [`args`]), its values go to the threads.
//!
//! Offsets count in the text without pager lines.

mod args;
mod chosen;
mod chunk;
mod current;
mod drkonqi;
mod facts;
mod frame;
mod header;
mod info_threads;
mod items;
mod join;
mod learned;
mod merge;
mod message;
pub(in crate::formats) mod nameless;
mod noise;
mod pager;
mod parts;
mod pc;
mod piece;
mod printed_locks;
mod py_bt;
mod raised;
mod recognize;
mod scan;
mod session;
mod split;
mod stacks;
mod template;
mod time;
mod token;

use std::borrow::Cow;

use crate::model::{FormatId, Snapshot};

use super::text::{Section, chunk_size};

use super::{About, Format, Reader};

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("gdb"),
    name: "gdb's text",
    looked_for: "lines `Thread N (…):` followed by `#0 …`",
    about: About {
        producer: "gdb 7 to 16: thread apply all bt (full, -q), bt, info threads, p *mutex, py-bt; pstack and gstack of Linux; DrKonqi of KDE",
        reads: "threads with LWP, name and frames, those of Python where py-bt alone was asked; locks from arguments and printed structures, with owners where they are printed; the signal",
        never: "CPU times; names of threads in a core; who holds a mutex that nobody printed",
        capture: "gdb -p PID -batch -ex 'thread apply all bt', best with the debug files of libc (for the arguments of lock functions)",
    },
    reader: Reader::Text { anchors: ANCHORS, confirm: recognize::header, parse },
};

/// Begins of stacks and rows, and what stands only in some texts.
const ANCHORS: &[&str] =
    &["Thread ", "#0 ", "Target Id", pager::QUESTION, printed_locks::FIELD_END, py_bt::HEADER];

fn parse(section: &Section<'_>) -> Vec<Snapshot> {
    if section.has(py_bt::HEADER) {
        let (text, places) = py_bt::as_frames(&section.text);
        return parse_frames(&section.rewritten(text, places));
    }
    parse_frames(section)
}

fn parse_frames(section: &Section<'_>) -> Vec<Snapshot> {
    let chunk_size = chunk_size(&section.text, 1, usize::MAX);
    let mut snapshots = parse_in_chunks(section, chunk_size);
    for snapshot in &mut snapshots {
        snapshot.source.offset = section.offset(snapshot.source.offset as usize);
    }
    snapshots
}

fn parse_in_chunks(section: &Section<'_>, chunk_size: usize) -> Vec<Snapshot> {
    let is_paged = section.has(pager::QUESTION);
    let text = match is_paged {
        true => Cow::Owned(pager::remove(&section.text)),
        false => Cow::Borrowed(&*section.text),
    };
    let has_locks = is_paged || section.has(printed_locks::FIELD_END);
    let (pieces, values) = piece::read_all(&text, chunk_size, has_locks);
    let mut snapshots = Vec::new();
    let mut goes_on = Vec::new();
    for parts in &parts::group(parts::cut(&pieces)) {
        snapshots.extend(merge::snapshots(parts, section.path, section.bytes));
        goes_on.resize(snapshots.len(), parts.first().is_some_and(|p| !p.has_mark()));
    }
    for snapshot in &mut snapshots {
        snapshot.values = values.clone();
        raised::add_signal(snapshot);
        nameless::judge(snapshot);
    }
    // Whoever has nothing else to do gives the memory back.
    rayon::spawn(move || drop(pieces));
    facts::share_pid(&mut snapshots, &goes_on);
    snapshots
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_forms;
#[cfg(test)]
mod tests_noise;

//! The text of gdb: `bt`, `thread apply all bt` and its relatives, `info threads`, and what
//! terminals, logs and mail make of them.
//!
//! ```text
//! bytes ─▶ clean ─▶ prefix ─▶ split ─▶ chunk (parallel) ─▶ parts ─▶ merge ─▶ snapshots
//!          UTF-16,  log time  at       header, join,       which    each thread
//!          colours, stamps    headers  template, session,  stacks   once, facts
//!          pager                       printed_locks       belong
//!                                                          together
//! ```
//!
//! Frame lines are interned by what does not differ between threads ([`template`]); a template is
//! parsed once ([`frame`], [`args`]), its values go to the threads.
//!
//! Offsets count in the text after decoding and without prefixes, colours and pager lines.

mod args;
mod chunk;
mod clean;
mod current;
mod facts;
mod frame;
mod header;
mod info_threads;
mod items;
mod join;
mod merge;
mod noise;
mod parts;
mod prefix;
mod printed_locks;
mod recognize;
mod scan;
mod session;
mod split;
mod stacks;
mod template;
mod token;

use bytes::Bytes;
use rayon::prelude::*;

use crate::model::{FormatId, Snapshot, Str};

use super::Format;

/// The row of this format.
pub const FORMAT: Format = Format {
    id: FormatId::new("gdb"),
    name: "gdb's text",
    looked_for: "lines `Thread N (…):` followed by `#0 …`",
    recognize: recognize::recognize,
    parse,
};

/// How much text one worker reads at a time. The result does not depend on it.
const CHUNK_SIZE: usize = 1 << 20;

fn parse(bytes: &Bytes, path: &Str) -> Vec<Snapshot> {
    parse_in_chunks(bytes, path, CHUNK_SIZE)
}

fn parse_in_chunks(bytes: &[u8], path: &Str, chunk_size: usize) -> Vec<Snapshot> {
    let text = prefix::strip(clean::clean(bytes));
    let ranges = split::chunks(&text, chunk_size);
    let last = ranges.len().saturating_sub(1);
    let chunks: Vec<chunk::Chunk> = ranges
        .into_par_iter()
        .enumerate()
        .map(|(n, range)| chunk::read(text.get(range.clone()).unwrap_or_default(), range.start, n == last))
        .collect();
    let groups = parts::group(parts::cut(&chunks));
    let mut snapshots = Vec::new();
    let mut goes_on = Vec::new();
    for parts in &groups {
        snapshots.extend(merge::snapshots(parts, path, bytes.len() as u64));
        goes_on.resize(snapshots.len(), parts.first().is_some_and(|p| !p.has_mark()));
    }
    facts::share_pid(&mut snapshots, &goes_on);
    snapshots
}

#[cfg(test)]
mod tests;

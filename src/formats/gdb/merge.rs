//! From the parts of one moment to a [`Snapshot`]: each thread once, with its longest stack.

use std::cell::OnceCell;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{GapKind, Snapshot, Source, StackEnd, StackIx, Str, Thread, ThreadId};

use super::chosen::{Loose, Named};
use super::current;
use super::facts;
use super::header::{Header, Target};
use super::parts::{Key, Listed, Part, Placed, key};
use super::session::Event;
use super::stacks::Stacks;

/// Threads that one worker makes in one go.
const THREADS_A_CHUNK: usize = 4_096;

/// A thread of the snapshot to be.
#[derive(Debug)]
pub(super) struct Entry<'c> {
    pub placed: Placed<'c>,
    pub inferior: u32,
    pub number: Option<u64>,
    pub target: &'c Target,
    pub name: Option<&'c Str>,
    pub is_running: bool,
    /// Only a row of `info threads` names it: its innermost frame is known.
    pub is_row: bool,
}

impl<'c> Entry<'c> {
    fn of(placed: Placed<'c>, header: &'c Header) -> Self {
        Self {
            placed,
            inferior: header.inferior,
            number: Some(header.number),
            target: &header.target,
            name: header.name.as_ref(),
            is_running: placed.item.is_running,
            is_row: false,
        }
    }
}

/// All threads of a moment, and what is known of which one is the current one.
#[derive(Debug, Default)]
pub(super) struct Roll<'c> {
    pub entries: Vec<Entry<'c>>,
    /// Where each thread is among them; made when it is first asked for.
    by_key: OnceCell<FxHashMap<Key, usize>>,
    /// The thread that gdb had selected.
    pub current: Option<usize>,
}

impl<'c> Roll<'c> {
    /// The entry with this kernel id or gdb number.
    pub fn find(&self, number: Option<u64>, target: &Target) -> Option<usize> {
        let by_lwp = target.lwp.and_then(|lwp| self.by_key().get(&(0, u64::from(lwp))).copied());
        by_lwp.or_else(|| {
            let number = number?;
            self.entries.iter().position(|e| e.number == Some(number))
        })
    }

    /// The thread of a text that is one `bt`: where nobody switched to another one (gdb says so), it is the one with which
    /// the process stopped.
    pub fn only_unnamed(&self) -> Option<usize> {
        match self.entries.as_slice() {
            [entry] if entry.placed.item.header.is_none() && !entry.is_row && entry.number.is_none() => {
                Some(0)
            }
            _ => None,
        }
    }

    fn by_key(&self) -> &FxHashMap<Key, usize> {
        self.by_key.get_or_init(|| {
            let key = |entry: &Entry<'_>| match (entry.target.lwp, entry.number) {
                (Some(lwp), _) => Some((0, u64::from(lwp))),
                (None, Some(number)) if entry.placed.item.header.is_some() => Some((entry.inferior, number)),
                (None, _) => None,
            };
            let keys = self.entries.iter().enumerate().filter_map(|(n, entry)| Some((key(entry)?, n)));
            keys.collect()
        })
    }

    /// Adds an entry. `key`: by which it is found.
    fn add(&mut self, entry: Entry<'c>, key: Option<Key>) {
        if let (Some(by_key), Some(key)) = (self.by_key.get_mut(), key) {
            by_key.insert(key, self.entries.len());
        }
        self.entries.push(entry);
    }

    fn list(&mut self, placed: Placed<'c>, header: &'c Header) {
        let known = self.by_key().get(&key(header)).copied();
        match known.and_then(|ix| self.entries.get_mut(ix)) {
            Some(entry) => {
                if placed.depth() > entry.placed.depth() {
                    entry.placed = placed;
                }
                entry.is_running |= placed.item.is_running;
                entry.name = entry.name.or(header.name.as_ref());
            }
            None => self.add(Entry::of(placed, header), Some(key(header))),
        }
    }

    fn add_unnamed(&mut self, placed: Placed<'c>, number: Option<u64>, target: &'c Target) {
        let key = target.lwp.map(|lwp| (0, u64::from(lwp)));
        let is_running = placed.item.is_running;
        let entry = Entry { placed, inferior: 1, number, target, name: None, is_running, is_row: false };
        self.add(entry, key);
    }

    /// The stack of the thread that the user chose.
    fn add_chosen(&mut self, placed: Placed<'c>, (number, target): Named<'c>) {
        match self.find(number, target).and_then(|ix| self.entries.get_mut(ix)) {
            Some(entry) if placed.depth() > entry.placed.depth() => entry.placed = placed,
            Some(_) => {}
            None => self.add_unnamed(placed, number, target),
        }
    }

    fn of(parts: &[Part<'c>]) -> Self {
        let mut roll = Self::default();
        // No list has a thread twice.
        let mut lists = parts.iter().map(|part| &part.listed).filter(|listed| !listed.is_empty());
        let first = lists.next().map(Vec::as_slice).unwrap_or_default().par_iter();
        let entry = |listed: &Listed<'c>| Entry::of(listed.placed, listed.header);
        roll.entries = first.with_min_len(THREADS_A_CHUNK).map(entry).collect();
        for listed in lists.flatten() {
            roll.list(listed.placed, listed.header);
        }
        let said = parts.iter().flat_map(|p| &p.events).find_map(|event| match event {
            Event::Current { number, target } => Some((*number, target)),
            _ => None,
        });
        let loose: Vec<Loose<'c>> = parts.iter().flat_map(|p| p.loose.iter().copied()).collect();
        let hint = if roll.entries.is_empty() {
            roll.add_all_loose(&loose, parts, said);
            None
        } else {
            roll.match_loose(&loose, said)
        };
        let starred = roll.add_rows(parts);
        let said = said.and_then(|(number, target)| roll.find(number, target));
        roll.current = said.or(starred).or(hint);
        roll
    }

    /// Stacks without headers beside stacks with headers: `bt` of the current thread, or the frame
    /// that gdb shows where the process stopped. The thread whose innermost frame is the same.
    fn match_loose(&mut self, loose: &[Loose<'c>], said: Option<Named<'c>>) -> Option<usize> {
        let mut hint = None;
        for Loose { placed, chosen } in loose {
            if let Some(thread) = chosen {
                self.add_chosen(*placed, *thread);
                continue;
            }
            let mut same = self.entries.iter().enumerate().filter(|(_, e)| e.placed.has_same_top(placed));
            match (same.next(), same.next()) {
                (Some((ix, _)), None) => {
                    hint = hint.or(Some(ix));
                    if let Some(entry) =
                        self.entries.get_mut(ix).filter(|e| placed.depth() > e.placed.depth())
                    {
                        entry.placed = *placed;
                    }
                }
                (Some(_), Some(_)) => {}
                // Where the text is cut, the frame at which the process stopped is all there is of the thread that gdb
                // names: it lists the first thread last.
                (None, _) if placed.depth() > 1 || said.is_some() => {
                    let (number, target) = said.unwrap_or((None, Target::NONE));
                    if self.find(number, target).is_none() {
                        self.add_unnamed(*placed, number, target);
                    }
                }
                (None, _) => {}
            }
        }
        hint
    }

    /// A text without headers: `bt`, `bt full`, `thread apply all -q bt`.
    fn add_all_loose(&mut self, loose: &[Loose<'c>], parts: &[Part<'c>], said: Option<Named<'c>>) {
        // Where a process stopped, gdb shows the innermost frame; `bt` repeats it, maybe with what a script that was loaded
        // in between makes of its arguments.
        let mut events = parts.iter().flat_map(|part| &part.events);
        let has_stopped = events.any(|event| matches!(event, Event::Signal { .. }));
        let kept = loose.iter().enumerate().filter(|(n, Loose { placed, .. })| {
            let is_stop = *n == 0 && has_stopped;
            let is_same = |Loose { placed: next, .. }: &&Loose<'_>| {
                next.has_same_top(placed) || is_stop && next.depth() > 1 && next.is_at_same_line(placed)
            };
            placed.depth() > 0 && !(placed.depth() == 1 && loose.get(n + 1).as_ref().is_some_and(is_same))
        });
        // `bt` and `bt full` of one thread: the form with more stacks stands for both.
        let (full, plain): (Vec<_>, Vec<_>) = kept.map(|(_, l)| *l).partition(|l| l.placed.item.has_locals);
        let frames = |list: &[Loose<'c>]| list.iter().map(|l| l.placed.depth()).sum::<usize>();
        let is_full = (full.len(), frames(&full)) > (plain.len(), frames(&plain));
        let mut kept = if is_full { full } else { plain };
        kept.sort_by_key(|l| l.placed.item.offset);
        let rows: Vec<_> = parts.iter().flat_map(|p| &p.rows).collect();
        if let [Loose { placed, chosen }] = kept.as_slice() {
            let (number, target) = chosen
                .or(said)
                .or_else(|| rows.iter().find(|(r, _)| r.is_current).map(|(r, _)| (Some(r.number), &r.target)))
                .unwrap_or((None, Target::NONE));
            self.add_unnamed(*placed, number, target);
            return;
        }
        // -q lists by falling numbers; the table by rising ones. It must fit frame by frame.
        let falls = rows.len() == kept.len()
            && rows.iter().rev().zip(&kept).all(|((r, at), l)| r.is_running || at.has_same_top(&l.placed));
        for (n, Loose { placed, chosen }) in kept.into_iter().enumerate() {
            if let Some(thread) = chosen {
                self.add_chosen(placed, thread);
                continue;
            }
            let row = rows.len().checked_sub(n + 1).and_then(|at| rows.get(at)).filter(|_| falls);
            let (number, target) = row.map_or((None, Target::NONE), |(r, _)| (Some(r.number), &r.target));
            self.add_unnamed(placed, number, target);
        }
    }

    /// Takes over names from `info threads`, and threads that only it names. The row with `*`.
    fn add_rows(&mut self, parts: &[Part<'c>]) -> Option<usize> {
        if parts.iter().all(|part| part.rows.is_empty()) {
            return None;
        }
        let by_number: FxHashMap<(u32, u64), usize> =
            self.entries.iter().enumerate().filter_map(|(n, e)| Some(((e.inferior, e.number?), n))).collect();
        let mut starred = None;
        for (row, placed) in parts.iter().flat_map(|p| &p.rows) {
            let by_lwp = row.target.lwp.and_then(|lwp| self.by_key().get(&(0, u64::from(lwp))));
            let ix = match by_lwp.or_else(|| by_number.get(&(row.inferior, row.number))).copied() {
                Some(ix) => ix,
                None => {
                    self.add_unnamed(*placed, Some(row.number), &row.target);
                    self.entries.len() - 1
                }
            };
            let Some(entry) = self.entries.get_mut(ix) else { continue };
            let is_new = std::ptr::eq(entry.placed.item, placed.item);
            entry.is_row |= is_new;
            entry.inferior = if is_new { row.inferior } else { entry.inferior };
            entry.is_running |= row.is_running;
            entry.name = entry.name.or(row.name.as_ref());
            if row.is_current {
                starred = starred.or(Some(ix));
            }
        }
        starred
    }
}

/// Builds the snapshots of one moment: one for each process in it. They have the values of all chunks, of which none is
/// copied.
pub(super) fn snapshots(parts: &[Part<'_>], path: &Str, bytes: u64) -> Vec<Snapshot> {
    let mut roll = Roll::of(parts);
    let inferiors: FxHashSet<u32> = roll.entries.iter().map(|e| e.inferior).collect();
    if inferiors.len() < 2 {
        return vec![snapshot(parts, &roll, path, bytes)];
    }
    // gdb debugged several processes: `Thread 2.1 (…)`.
    let current = roll.current;
    let mut inferiors: Vec<u32> = inferiors.into_iter().collect();
    inferiors.sort_unstable();
    let numbered: Vec<(usize, Entry<'_>)> =
        std::mem::take(&mut roll.entries).into_iter().enumerate().collect();
    let mut rolls: Vec<Roll<'_>> = inferiors.iter().map(|_| Roll::default()).collect();
    for (n, entry) in numbered {
        let at = inferiors.binary_search(&entry.inferior).unwrap_or_default();
        let Some(own) = rolls.get_mut(at) else { continue };
        if current == Some(n) {
            own.current = Some(own.entries.len());
        }
        own.entries.push(entry);
    }
    rolls.iter().map(|own| snapshot(parts, own, path, bytes)).collect()
}

fn snapshot(parts: &[Part<'_>], roll: &Roll<'_>, path: &Str, bytes: u64) -> Snapshot {
    let offset = parts.first().map_or(0, |p| p.offset);
    let producer = facts::producer(parts);
    let source = Source { path: path.clone(), format: super::FORMAT.id, producer, bytes, offset };
    let mut snapshot = Snapshot::new(source);
    let mut stacks = Stacks::default();
    let of_entries: Vec<StackIx> =
        roll.entries.iter().map(|entry| stacks.stack(&mut snapshot, &entry.placed)).collect();
    let thread = |((n, entry), stack): ((usize, &Entry<'_>), StackIx)| {
        let id = match (entry.target.lwp, entry.number) {
            (Some(lwp), _) => ThreadId::Number(u64::from(lwp)),
            (None, Some(number)) => ThreadId::Number(number),
            // `-q` prints no ids: the place in the text.
            (None, None) => ThreadId::Text(format!("stack {}", n + 1).into()),
        };
        let placed = entry.placed;
        Thread {
            tid: entry.target.lwp,
            name: entry.name.cloned(),
            stack,
            stack_end: stack_end(entry),
            values: placed.values_of_all(),
            handle: entry.target.handle,
            is_running: entry.is_running,
            reported: placed.item.reported,
            ..Thread::new(id)
        }
    };
    let entries = roll.entries.par_iter().enumerate().with_min_len(THREADS_A_CHUNK);
    snapshot.threads = entries.zip(of_entries).map(thread).collect();
    snapshot.reported_locks = parts.iter().flat_map(|p| &p.locks).map(|l| (*l).clone()).collect();
    for (at, lines) in parts.iter().flat_map(|p| &p.skipped) {
        snapshot.gaps.add_many(GapKind::SkippedText, SKIPPED, *lines, Some(*at));
    }
    facts::describe(&mut snapshot, parts, roll);
    facts::judge_completeness(&mut snapshot, parts, roll);
    let is_attached = parts.iter().flat_map(|p| &p.events).any(|event| matches!(event, Event::Report { .. }));
    current::set_signal_thread(&mut snapshot, roll, is_attached);
    snapshot
}

/// The message about lines that were not understood.
const SKIPPED: &str = "lines between the stacks were not understood and were passed over";

fn stack_end(entry: &Entry<'_>) -> StackEnd {
    let item = entry.placed.item;
    match () {
        () if entry.is_row => StackEnd::DepthLimit,
        () if item.is_cut || entry.placed.depth() == 0 => StackEnd::Reported,
        () => item.end,
    }
}

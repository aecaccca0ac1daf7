//! The threads: sorted by id, with registers and CPU time.

use rayon::prelude::*;

use crate::arch::Architecture;
use crate::model::{CoreProducer, Registers, StackEnd, Thread, ThreadId, ThreadIx};

use super::notes::Place;
use super::prstatus::Layout;
use super::reader::Reader;
use super::walk::{NoteIndex, ThreadNotes};

/// Threads that one worker takes at least: fewer are not worth the handing over.
const BATCH: usize = 1024;

/// The threads of a core.
#[derive(Default)]
pub(super) struct ThreadTable {
    /// Sorted by thread id: the order of the file is the one in which they reached the exit path,
    /// which differs from run to run.
    pub threads: Vec<Thread>,
    /// In the same order; empty for a processor whose registers are not read.
    pub registers: Vec<Registers>,
    /// For each thread its place in the order of the file.
    order: Vec<u32>,
}

impl ThreadTable {
    /// Reads all threads.
    pub fn read(reader: Reader, index: &NoteIndex, layout: &Layout, row: Option<&Architecture>) -> Self {
        let mut order: Vec<u32> = (0..u32::try_from(index.threads.len()).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by_key(|&i| (index.threads[i as usize].tid, i));
        let one = |&i: &u32| {
            let notes = &index.threads[i as usize];
            let registers = row.and_then(|row| registers(reader, notes, layout, row));
            let mut thread = Thread::new(ThreadId::Number(u64::from(notes.tid)));
            thread.tid = Some(notes.tid);
            thread.stack_end = StackEnd::NotUnwound;
            thread.handle = registers.as_ref().and_then(|r| r.thread_pointer).filter(|&p| p != 0);
            thread.cpu_us = part(reader, notes.prstatus).and_then(|note| layout.cpu_us(&note));
            (thread, registers)
        };
        let (threads, registers): (Vec<_>, Vec<_>) = order.par_iter().with_min_len(BATCH).map(one).unzip();
        // A note of the right size has all registers, so that either all threads have them or none.
        let registers: Option<Vec<_>> = registers.into_iter().collect();
        Self { threads, registers: registers.unwrap_or_default(), order }
    }

    /// Where the thread stands that was the `file_index`th in the file.
    pub fn ix(&self, file_index: usize) -> Option<ThreadIx> {
        let at = self.order.iter().position(|&i| i as usize == file_index)?;
        u32::try_from(at).ok().map(ThreadIx)
    }

    /// Makes the leader's CPU time its own: the kernel writes the whole group's into its record.
    /// What ended threads used stays with it, and as the records are not of one moment, the rest
    /// may come out below 0. Where threads are missing, or the leader is not known, nothing can be
    /// said of it; where all times are 0, none was recorded.
    pub fn settle_cpu_times(&mut self, leader: Option<u32>, producer: CoreProducer, has_lost_threads: bool) {
        let is_recorded = producer == CoreProducer::Kernel && self.threads.iter().any(|t| t.cpu_us > Some(0));
        let leader = self.threads.iter().position(|t| t.tid.is_some() && t.tid == leader);
        if !is_recorded || (leader.is_none() && self.threads.len() > 1 && !has_lost_threads) {
            self.threads.iter_mut().for_each(|t| t.cpu_us = None);
            return;
        }
        let Some(leader) = leader else { return };
        let cpu = |t: &Thread| t.cpu_us.unwrap_or(0);
        let all = self.threads.iter().map(cpu).fold(0, u64::saturating_add);
        let group = cpu(&self.threads[leader]);
        let others = all.saturating_sub(group);
        self.threads[leader].cpu_us = (!has_lost_threads).then(|| group.saturating_sub(others));
    }
}

fn part<'a>(reader: Reader<'a>, place: Place) -> Option<Reader<'a>> {
    reader.part(place.offset, place.size)
}

fn registers(reader: Reader, notes: &ThreadNotes, layout: &Layout, row: &Architecture) -> Option<Registers> {
    let mut registers = layout.registers(&part(reader, notes.prstatus)?, row)?;
    if registers.thread_pointer.is_none() {
        registers.thread_pointer = notes.tls.and_then(|tls| part(reader, tls)?.u64(0));
    }
    Some(registers)
}

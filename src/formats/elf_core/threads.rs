//! The threads: sorted by id, with registers and CPU time.

use rayon::prelude::*;

use crate::model::{CoreProducer, Registers, StackEnd, Thread, ThreadId, ThreadIx};

use super::index::ThreadRecord;
use super::walk::NoteIndex;

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
    order: Vec<Place>,
}

/// Where a thread was read.
#[derive(Clone, Copy)]
struct Place {
    tid: u32,
    /// The how manieth of the file it is.
    in_file: u32,
    /// Its part and its place there.
    part: u32,
    i: u32,
}

impl ThreadTable {
    /// Puts the threads that were read in order.
    pub fn sort(index: &NoteIndex) -> Self {
        let all = index.parts.iter().enumerate();
        let places = all.flat_map(|(part, threads)| (0..threads.records.len()).map(move |i| (part, i)));
        let mut order: Vec<Place> = places
            .enumerate()
            .map(|(in_file, (part, i))| {
                let tid = index.parts[part].records[i].tid;
                Place { tid, in_file: in_file as u32, part: part as u32, i: i as u32 }
            })
            .collect();
        order.sort_unstable_by_key(|place| (place.tid, place.in_file));

        let registers = |at: &Place| index.parts[at.part as usize].registers.get(at.i as usize);
        let (mut threads, mut ordered) = (Vec::new(), Vec::new());
        let has_registers = index.parts.iter().all(|part| part.registers.len() == part.records.len());
        if has_registers {
            let one = |at: &Place| index.parts[at.part as usize].registers[at.i as usize].clone();
            order.par_iter().with_min_len(BATCH).map(one).collect_into_vec(&mut ordered);
        }
        let one = |at: &Place| {
            let record = &index.parts[at.part as usize].records[at.i as usize];
            thread(record, registers(at))
        };
        order.par_iter().with_min_len(BATCH).map(one).collect_into_vec(&mut threads);
        Self { threads, registers: ordered, order }
    }

    /// Where the thread stands that was the `file_index`th in the file.
    pub fn ix(&self, file_index: usize) -> Option<ThreadIx> {
        let at = self.order.iter().position(|place| place.in_file as usize == file_index)?;
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

fn thread(record: &ThreadRecord, registers: Option<&Registers>) -> Thread {
    let mut thread = Thread::new(ThreadId::Number(u64::from(record.tid)));
    thread.tid = Some(record.tid);
    thread.stack_end = StackEnd::NotUnwound;
    thread.handle = registers.and_then(|r| r.thread_pointer).filter(|&p| p != 0);
    thread.cpu_us = Some(record.cpu_us);
    thread
}

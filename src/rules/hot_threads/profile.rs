//! Where the time of a profile went.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::empty;
use crate::model::{Evidence, FrameIx, Str, ThreadIx};
use crate::rules::finding::{Finding, Location, RuleId};
use crate::rules::jam::clusters_of;
use crate::rules::words::percent;
use crate::rules::{Case, advice};
use crate::waits::State;

/// A function with less than this part of the samples is one of many, per cent.
const SHARE: u64 = 20;

/// Functions below the hot one that are told of.
const CALLERS: usize = 3;

/// A function that is on top of samples that do not rest.
struct Hot {
    frame: FrameIx,
    count: u64,
}

/// Threads that one worker looks at in one go.
const THREADS_A_CHUNK: usize = 4_096;

/// The function, innermost of its samples, that has the most of them.
pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let threads = &case.snapshot.threads;
    let top = |ix: ThreadIx| {
        let is_running = case.waits.of(ix).state == State::Running;
        is_running.then(|| case.first_meaningful(ix)).flatten()
    };
    let tops: Vec<Option<FrameIx>> = (0..threads.len() as u32)
        .into_par_iter()
        .with_min_len(THREADS_A_CHUNK)
        .map(|n| top(ThreadIx(n)))
        .collect();
    let mut counts = vec![0u64; case.snapshot.stacks.all_frames().len()];
    let mut frames: Vec<FrameIx> = Vec::new();
    let mut busy = 0u64;
    for ((activity, thread), top) in case.waits.activities.iter().zip(threads).zip(&tops) {
        if activity.state != State::Idle {
            busy = busy.saturating_add(thread.weight);
        }
        if let Some((count, frame)) = top.and_then(|frame| Some((counts.get_mut(frame.at())?, frame))) {
            if *count == 0 {
                frames.push(frame);
            }
            *count = count.saturating_add(thread.weight);
        }
    }
    let name_of = |frame: FrameIx| &case.meanings.get(frame).name;
    let mut by_name: BTreeMap<&Str, Hot> = BTreeMap::new();
    for frame in frames {
        let hot = by_name.entry(name_of(frame)).or_insert(Hot { frame, count: 0 });
        hot.count = hot.count.saturating_add(counts[frame.at()]);
    }
    let (name, hot) =
        by_name.into_iter().max_by(|(a, x), (b, y)| x.count.cmp(&y.count).then_with(|| b.cmp(a)))?;
    if hot.count.saturating_mul(100) < busy.saturating_mul(SHARE) {
        return None;
    }
    let part = format!(
        "{} of {} that do not rest ({})",
        grouped(hot.count),
        case.counted(busy),
        percent(hot.count, busy)
    );
    let is_hot = |(_, top): &(ThreadIx, &Option<FrameIx>)| top.is_some_and(|frame| name_of(frame) == name);
    let threads: Vec<ThreadIx> =
        (0..).map(ThreadIx).zip(&tops).filter(is_hot).map(|(thread, _)| thread).collect();
    let clusters = clusters_of(case, &threads);
    let under = case.clusters.get(*clusters.first()?);
    let path: Vec<&str> = under.signature.iter().take(CALLERS + 1).map(|name| &**name).collect();
    Some(Finding {
        title: format!("{part} are in {}", name),
        summary: format!("{part} are in {}, most of them by way of {}.", name, path.join(" ← ")),
        clusters,
        location: Some(Location { frame: hot.frame }),
        evidence: vec![Evidence::reported(format!("{part} have {} on top", name))],
        advice: advice::for_profile(),
        cause: vec![RuleId::HotThreads.id().to_owned(), name.to_string()],
        ..empty(threads)
    })
}

use crate::rules::words::grouped;

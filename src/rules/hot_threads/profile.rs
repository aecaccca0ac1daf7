//! Where the time of a profile went.

use std::collections::BTreeMap;

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

/// A function that is on many stacks of samples that do not rest.
struct Hot {
    name: Str,
    frame: FrameIx,
    count: u64,
    threads: Vec<ThreadIx>,
}

/// The function, innermost of its samples, that has the most of them.
pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let mut by_name: BTreeMap<Str, Hot> = BTreeMap::new();
    let mut busy = 0u64;
    for (ix, thread) in (0u32..).map(ThreadIx).zip(&case.snapshot.threads) {
        let state = case.waits.of(ix).state;
        if state != State::Idle {
            busy = busy.saturating_add(thread.weight);
        }
        if state != State::Running {
            continue;
        }
        let Some(frame) = case.first_meaningful(ix) else { continue };
        let name = case.meanings.get(frame).name.clone();
        let hot =
            by_name.entry(name.clone()).or_insert_with(|| Hot { name, frame, count: 0, threads: Vec::new() });
        hot.count = hot.count.saturating_add(thread.weight);
        hot.threads.push(ix);
    }
    let hot = by_name.into_values().max_by(|a, b| a.count.cmp(&b.count).then_with(|| b.name.cmp(&a.name)))?;
    if hot.count.saturating_mul(100) < busy.saturating_mul(SHARE) {
        return None;
    }
    let part = format!(
        "{} of {} that do not rest ({})",
        grouped(hot.count),
        case.counted(busy),
        percent(hot.count, busy)
    );
    let under = case.clusters.get(*clusters_of(case, &hot.threads).first()?);
    let path: Vec<&str> = under.signature.iter().take(CALLERS + 1).map(|name| &**name).collect();
    Some(Finding {
        title: format!("{part} are in {}", hot.name),
        summary: format!("{part} are in {}, most of them by way of {}.", hot.name, path.join(" ← ")),
        clusters: clusters_of(case, &hot.threads),
        location: Some(Location { frame: hot.frame }),
        evidence: vec![Evidence::reported(format!("{part} have {} on top", hot.name))],
        advice: advice::for_profile(),
        cause: vec![RuleId::HotThreads.id().to_owned(), hot.name.to_string()],
        ..empty(hot.threads)
    })
}

use crate::rules::words::grouped;

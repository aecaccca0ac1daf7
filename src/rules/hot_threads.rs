use super::finding::{Confidence, Finding, Location, RuleId, Severity};
use super::jam::clusters_of;
use super::words::{grouped, threads};
use super::{Case, Rule, advice};
use crate::model::{Evidence, ThreadIx};
use crate::waits::State;

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::HotThreads, guide: include_str!("../../docs/rules/hot-threads.md"), check };

/// Less CPU time than this is not worth telling, microseconds.
const LEAST_CPU_US: u64 = 1_000_000;

/// Threads with at least this part of the time of the busiest one are told of, per cent.
const SHARE: u64 = 25;

/// Threads that ran and had used the processor, where no lock explains it. Worth knowing, no more:
/// a healthy program works.
fn check(case: &Case<'_>) -> Vec<Finding> {
    // In a core the record of the first thread holds the time of the whole group, from which that of
    // the others is taken away: with threads that have ended it comes out too large.
    let is_leader = |t: &crate::model::Thread| t.tid.is_some() && t.tid == case.snapshot.process.pid;
    let mut hot: Vec<(u64, ThreadIx)> = (0u32..)
        .map(ThreadIx)
        .zip(&case.snapshot.threads)
        .filter(|(ix, t)| {
            let reading = case.readings.get(t.stack);
            case.waits.of(*ix).state == State::Running && !reading.is_abort && !is_leader(t)
        })
        .filter_map(|(ix, t)| Some((t.cpu_us.filter(|&us| us >= LEAST_CPU_US)?, ix)))
        .collect();
    hot.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let Some(&(most, busiest)) = hot.first() else { return Vec::new() };
    hot.retain(|(us, _)| us * 100 >= most * SHARE);
    let words = case.words();
    let mut members: Vec<ThreadIx> = hot.iter().map(|(_, t)| *t).collect();
    members.sort_unstable();
    let seconds = most as f64 / 1e6;
    let doing = words.doing(busiest);
    vec![Finding {
        rule: RuleId::HotThreads,
        severity: Severity::Info,
        confidence: Confidence::Certain,
        title: format!(
            "{} used the processor, the most {} with {seconds:.1} s, {doing}",
            threads(members.len() as u64),
            words.thread(busiest)
        ),
        summary: format!(
            "{} ran and had used CPU time when the dump was taken, and no lock explains it. The busiest, {}, is {doing}.",
            super::jam::capital(&threads(members.len() as u64)),
            words.thread(busiest)
        ),
        blocked: None,
        lock: None,
        holder: None,
        pattern: None,
        chain: Vec::new(),
        root: None,
        cycle: Vec::new(),
        clusters: clusters_of(case, &members),
        location: case.first_meaningful(busiest).map(|frame| Location { frame }),
        crash: None,
        evidence: hot
            .iter()
            .take(5)
            .map(|(us, t)| {
                Evidence::read(format!("{} used {} ms of CPU", words.thread(*t), grouped(us / 1_000)))
            })
            .collect(),
        threads: members,
        advice: advice::for_hot_threads(),
        cause: std::iter::once(RuleId::HotThreads.id().to_owned())
            .chain(case.first_meaningful(busiest).map(|f| words.function(f)))
            .collect(),
        cause_detail: Vec::new(),
    }]
}

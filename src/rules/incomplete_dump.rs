//! # incomplete-dump
//!
//! The dump is cut, filtered or without its modules, so that counts are lower bounds and other
//! findings may be missing.
//!
//! ## What it finds
//!
//! Gaps that change what the report may claim: a file that ends before its headers say so, is damaged or changed
//! while it was read, memory that a filter left out, frames or threads that the producer dropped: these are
//! `low`. Modules that were not found or are not the ones that ran are `info`. `gaps` in the JSON report has each
//! of them, and those that are no finding (a stack that could not be followed, text that was skipped), with its
//! count and its place in the file.
//!
//! ## Why it matters
//!
//! "No finding" from half a dump is not "no problem". The missing part may hold the waiters, the owner of the
//! lock, or the names. This finding tells what is missing, and what to do to get it.
//!
//! ## What counts as proof
//!
//! - *read*: the headers of the dump against the size of the file, build ids of the dump against those of the
//!   files on this machine.
//! - *reported*: the producer's own remarks: a warning that the core is cut, frames beyond its limit.
//! - *inferred*: nothing. What is not known is not guessed.
//!
//! It is `certain` that something is missing; what was in it is unknown.
//!
//! ## Confirm
//!
//! ```sh
//! ls -l core; readelf -lW core | tail -40   # offset + size within the file?
//! eu-unstrip -n --core=core                 # modules and their build ids
//! file ./server                             # build id of your copy
//! cat /proc/$PID/coredump_filter            # default: 33 (hexadecimal)
//! cat /proc/sys/kernel/core_pattern; ulimit -c
//! ```
//!
//! - `truncated`: the disk was full, `ulimit -c` or `ProcessSizeMax` / `ExternalSizeMax` of systemd-coredump cut
//!   it, or the copy was interrupted.
//! - `not-dumped`: the filter left memory out. Bit 0 is private anonymous memory: without it there are no heaps
//!   and no stacks.
//! - `missing-module`, `mismatched-module`: this machine does not have the files that ran.
//!
//! ## Mitigate
//!
//! - Get the modules: analyze on the machine where it ran, or copy its root folder and use `--sysroot DIR`. In a
//!   container use the same image.
//! - Get the debug files by build id: the distribution's `-dbgsym` or `-debuginfo` packages, or
//!   `debuginfod-find debuginfo BUILDID`. logjam itself downloads nothing.
//! - Take a better dump while the process is still stuck:
//!
//! ```sh
//! df -h /tmp                                # room for all of its memory?
//! echo 0x33 > /proc/$PID/coredump_filter    # private memory, ELF headers
//! gcore -o /tmp/full $PID
//! ```
//!
//! - For the next time: `ulimit -c unlimited`, `Storage=external` and larger limits in `coredump.conf`.
//!
//! ## Escalate
//!
//! To those who run the machine, with the list of gaps from the report (`--format json`, `gaps`), the free space,
//! and the core settings above. To the developers only with the remark that the dump is not whole.
//!
//! ## False alarms
//!
//! - A missing vdso, or libraries without debug information, cost names of functions and not threads. The counts
//!   and locks of the report still hold.
//! - Text dumps that a person cut on purpose to the interesting threads.

use super::finding::{Confidence, Finding, RuleId, Severity};
use super::{Case, Rule, advice};
use crate::model::{Evidence, GapKind};

/// The row of this rule.
pub const RULE: Rule =
    Rule { id: RuleId::IncompleteDump, guide: include_str!("../../docs/rules/incomplete-dump.md"), check };

/// Which gaps make a dump incomplete, how bad each is, and what it is called in the title.
const GAPS: &[(GapKind, Severity, &str)] = &[
    (GapKind::Truncated, Severity::Low, "it is cut off"),
    (GapKind::Changed, Severity::Low, "it changed while it was read"),
    (GapKind::Limit, Severity::Low, "its producer left something out"),
    (GapKind::NotDumped, Severity::Low, "memory was left out of it"),
    (GapKind::Damaged, Severity::Low, "it is damaged"),
    (GapKind::MismatchedModule, Severity::Info, "files on this machine are not the ones that ran"),
    (GapKind::MissingModule, Severity::Info, "symbols or files of the process were not found"),
];

fn check(case: &Case<'_>) -> Vec<Finding> {
    let found: Vec<_> = GAPS.iter().filter(|(kind, ..)| case.snapshot.gaps.has(*kind)).collect();
    let Some(severity) = found.iter().map(|(_, severity, _)| *severity).max() else { return Vec::new() };
    let what: Vec<&str> = found.iter().map(|(.., what)| *what).collect();
    let evidence: Vec<Evidence> = case
        .snapshot
        .gaps
        .iter()
        .filter(|gap| found.iter().any(|(kind, ..)| *kind == gap.kind))
        .map(|gap| Evidence::read(gap.message.clone()))
        .collect();
    let kinds: Vec<GapKind> = found.iter().map(|(kind, ..)| *kind).collect();
    vec![Finding {
        summary: format!(
            "The dump is not complete: {}. Counts are lower bounds, and what is missing may hide a cause.",
            what.join(", ")
        ),
        evidence,
        advice: advice::for_incomplete_dump(&kinds, case.snapshot.image.is_none()),
        cause: std::iter::once(RuleId::IncompleteDump.id().to_owned())
            .chain(what.iter().map(|w| (*w).to_owned()))
            .collect(),
        ..Finding::new(
            RuleId::IncompleteDump,
            severity,
            Confidence::Certain,
            format!("the dump is not complete: {}", what.join(", ")),
        )
    }]
}

//! What memory a core does not hold: cut off with the end of the file, or left out by who wrote it.

use crate::model::{FileMapping, GapKind, Gaps, Memory, Registers, Segment};

use super::header::Header;

/// Adds the gaps, and says how many bytes the headers promise that the file does not have.
pub(super) fn tell(
    header: &Header,
    file_size: u64,
    memory: &Memory,
    mappings: &[FileMapping],
    registers: &[Registers],
    gaps: &mut Gaps,
) -> u64 {
    let missing = header.stated_end.saturating_sub(file_size);
    if missing > 0 {
        let message = truncation(header, file_size, missing, memory, registers);
        gaps.add(GapKind::Truncated, message, Some(file_size));
    }
    let kept = memory.segments().len();
    let unusable = header.segments.iter().filter(|s| s.size > 0).count().saturating_sub(kept);
    let message = "a mapping overlaps another one or has an impossible range: it was left out";
    gaps.add_many(GapKind::Damaged, message, unusable as u64, None);
    not_dumped(&header.segments, mappings, gaps);
    missing
}

/// `the file ends after 60 % of what its headers promise: 74 MB are missing (12 of 170 dumped
/// mappings, all memory above 0x7f…, the stacks of 55 of 64 threads)`.
fn truncation(
    header: &Header,
    file_size: u64,
    missing: u64,
    memory: &Memory,
    registers: &[Registers],
) -> String {
    let percent = u128::from(file_size) * 100 / u128::from(header.stated_end.max(1));
    let dumped = header.segments.iter().filter(|s| s.file_size > 0);
    let is_lost = |s: &&Segment| s.offset.saturating_add(s.file_size) > file_size;
    let lost: Vec<&Segment> = dumped.clone().filter(is_lost).collect();
    let mut parts = Vec::new();
    if !lost.is_empty() {
        parts.push(format!("{} of {} dumped mappings", lost.len(), dumped.clone().count()));
    }
    let first_lost = lost.iter().map(|s| s.start.saturating_add(file_size.saturating_sub(s.offset))).min();
    let last_kept = dumped.filter(|s| !is_lost(s)).map(Segment::end).max();
    if let Some(first) = first_lost.filter(|&first| last_kept.is_none_or(|kept| kept <= first)) {
        parts.push(format!("all memory above {first:#x}"));
    }
    let stackless = registers.iter().filter(|r| memory.bytes_from(r.sp).is_none()).count();
    if stackless > 0 {
        parts.push(format!("the stacks of {stackless} of {} threads", registers.len()));
    }
    let what = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!(
        "the file ends after {percent} % of what its headers promise: {} are missing{what}",
        amount(missing)
    )
}

/// Code and data that a file still has, and guard pages, are never dumped: no gap. Memory that the
/// process could write and that is not there is one, and so is a dump without any memory.
fn not_dumped(segments: &[Segment], mappings: &[FileMapping], gaps: &mut Gaps) {
    if segments.is_empty() {
        return;
    }
    if segments.iter().all(|s| s.file_size == 0) {
        let message =
            "the dump holds no memory at all, only notes: no stack can be followed and no lock read";
        gaps.add_many(GapKind::NotDumped, message, segments.len() as u64, None);
        return;
    }
    let is_file = |s: &Segment| {
        let after = mappings.partition_point(|m| m.start <= s.start);
        after.checked_sub(1).and_then(|i| mappings.get(i)).is_some_and(|m| s.start < m.end)
    };
    let mut told = |what: &str, wants_file: bool| {
        let left_out =
            segments.iter().filter(|s| s.is_writable && s.file_size < s.size && is_file(s) == wants_file);
        let (count, bytes) = left_out
            .fold((0, 0_u64), |(count, bytes), s| (count + 1, bytes.saturating_add(s.size - s.file_size)));
        if count > 0 {
            let message = format!("writable memory that the dump leaves out: {} {what}", amount(bytes));
            gaps.add_many(GapKind::NotDumped, message, count, None);
        }
    };
    told("of file mappings, shared or never written", true);
    told("of anonymous or shared memory (coredump_filter, MADV_DONTDUMP)", false);
}

/// `74 MB`, `1.2 GB`, `512 bytes`.
fn amount(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) if bytes < 10 * size => {
            format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size)
        }
        Some((size, unit)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

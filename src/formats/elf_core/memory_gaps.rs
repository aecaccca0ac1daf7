//! What memory a core does not hold: cut off with the end of the file, or left out by who wrote it.

use crate::model::{FileMapping, GapKind, Gaps, Memory, Registers, Segment};

/// What the program headers say about memory, before anything is clipped to the file.
pub(super) struct StatedMemory {
    file_size: u64,
    /// Where the file ends by its own headers.
    stated_end: u64,
    /// Mappings that are not empty.
    mappings: usize,
    /// Mappings of which the dump should hold bytes, and those of them that the cut touched.
    dumped: usize,
    cut: usize,
    /// First address that was cut off, and the greatest end of what was not.
    first_cut: Option<u64>,
    last_whole: Option<u64>,
    /// Whether any byte of writable memory should be there.
    has_writable: bool,
    /// Writable file mappings that are not wholly there, and the bytes they lack.
    left_out: (u64, u64),
}

impl StatedMemory {
    /// Sums up the headers of a file of `file_size` bytes that should have `stated_end`.
    pub fn of(segments: &[Segment], files: &[FileMapping], file_size: u64, stated_end: u64) -> Self {
        let mut sum = Self {
            file_size,
            stated_end,
            mappings: 0,
            dumped: 0,
            cut: 0,
            first_cut: None,
            last_whole: None,
            has_writable: false,
            left_out: (0, 0),
        };
        for segment in segments.iter().filter(|s| s.size > 0) {
            sum.add(segment, files);
        }
        sum
    }

    fn add(&mut self, segment: &Segment, files: &[FileMapping]) {
        self.mappings += 1;
        if segment.is_writable && segment.file_size < segment.size {
            let after = files.partition_point(|m| m.start <= segment.start);
            let file = after.checked_sub(1).and_then(|i| files.get(i));
            if file.is_some_and(|m| segment.start < m.end) {
                let (count, bytes) = self.left_out;
                self.left_out = (count + 1, bytes.saturating_add(segment.size - segment.file_size));
            }
        }
        if segment.file_size == 0 {
            return;
        }
        self.dumped += 1;
        self.has_writable |= segment.is_writable;
        if segment.offset.saturating_add(segment.file_size) > self.file_size {
            self.cut += 1;
            let kept = self.file_size.saturating_sub(segment.offset);
            let from = segment.start.saturating_add(kept);
            self.first_cut = Some(self.first_cut.map_or(from, |first| first.min(from)));
        } else {
            self.last_whole = self.last_whole.max(Some(segment.end()));
        }
    }

    /// Adds the gaps, and says how many bytes the headers promise that the file does not have.
    pub fn tell(&self, memory: &Memory, registers: &[Registers], gaps: &mut Gaps) -> u64 {
        let missing = self.stated_end.saturating_sub(self.file_size);
        let unusable = self.mappings.saturating_sub(memory.segments().len());
        let message = "a mapping overlaps another one or has an impossible range: it was left out";
        gaps.add_many(GapKind::Damaged, message, unusable as u64, None);
        if missing > 0 {
            let message = self.truncation(missing, memory, registers);
            gaps.add(GapKind::Truncated, message, Some(self.file_size));
        }
        self.tell_left_out(missing, memory, registers, gaps);
        missing
    }

    /// `the file ends after 60 % of what its headers promise: 74 MB are missing (12 of 170 dumped
    /// mappings, all memory above 0x7f…, the stacks of 55 of 64 threads)`.
    fn truncation(&self, missing: u64, memory: &Memory, registers: &[Registers]) -> String {
        let percent = u128::from(self.file_size) * 100 / u128::from(self.stated_end.max(1));
        let mut parts = Vec::new();
        if self.cut > 0 {
            parts.push(format!("{} of {} dumped mappings", self.cut, self.dumped));
        }
        if let Some(first) = self.first_cut.filter(|&first| self.last_whole.is_none_or(|end| end <= first)) {
            parts.push(format!("all memory above {first:#x}"));
        }
        let stackless = registers.iter().filter(|r| memory.bytes_from(r.sp).is_none()).count();
        if self.cut > 0 && stackless > 0 {
            parts.push(format!("the stacks of {stackless} of {} threads", registers.len()));
        }
        let what = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        let missing = amount(missing);
        let percent = if percent == 0 { "less than 1".to_owned() } else { percent.to_string() };
        format!("the file ends after {percent} % of what its headers promise: {missing} are missing{what}")
    }

    /// Not dumped, and no gap: code and data that a file still has, guard pages, and writable memory
    /// that nobody wrote to (it is zero, but the dump does not tell it from memory that was left
    /// out). A gap: a dump without any memory that the process could write, stacks that are not
    /// there, and writable mappings of files.
    fn tell_left_out(&self, missing: u64, memory: &Memory, registers: &[Registers], gaps: &mut Gaps) {
        if !self.has_writable {
            let message = "the dump holds no memory that the process could write: no stack can be followed \
                           and no lock read";
            gaps.add(GapKind::NotDumped, message, None);
            return;
        }
        if missing == 0 {
            let is_left_out =
                |r: &&Registers| memory.segment_at(r.sp).is_some_and(|s| s.is_writable && s.file_size == 0);
            let stackless = registers.iter().filter(is_left_out).count() as u64;
            gaps.add_many(GapKind::NotDumped, "the stack of a thread is not in the dump", stackless, None);
        }
        let (count, bytes) = self.left_out;
        let bytes = amount(bytes);
        let message =
            format!("{bytes} of writable file mappings are not in the dump: shared, or never written");
        gaps.add_many(GapKind::NotDumped, message, count, None);
    }
}

/// `74 MB`, `1.2 GB`, `512 bytes`.
fn amount(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) if bytes / size < 10 => {
            format!("{}.{} {unit}", bytes / size, bytes % size / (size / 10))
        }
        Some((size, unit)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

//! The reports of a text: where each begins and ends, and which of its lines are the banner's.
//!
//! ```text
//! #                                                                                       it begins here
//! # A fatal error has been detected by the Java Runtime Environment:
//! #
//! [thread 3927 also had an error]                                                         another thread's line
//! #  SIGSEGV (0xb) at pc=0x00007f4dec6d27f4, pid=3906, tid=3926
//! #
//!
//! ---------------  T H R E A D  ---------------                                           the banner is over
//!
//! END.                                                                                    so is the report
//! ```

use std::borrow::Cow;

use super::parts::Part;
use super::report::Report;
use super::{CURRENT, END, LINES_LOOKED_AT, banner, threads};
use crate::formats::text::is_left_out;
use crate::formats::text::{Section, first_line};
use crate::model::lossy;

/// Of which banner lines are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    None,
    /// As the JVM wrote it.
    Marked,
    /// One that lost its marks: so many lines may be its own.
    Bare(usize),
}

/// A text that is read line by line.
pub(super) struct Reader<'s> {
    section: &'s Section<'s>,
    /// Where the next line begins.
    at: usize,
    /// What was read.
    reports: Vec<Report>,
    /// The report that is being read.
    open: Option<Report>,
    banner: In,
    /// Where the line above begins, if it is a `#` alone: so begins what stands above the first line.
    mark: Option<u64>,
}

impl<'s> Reader<'s> {
    /// All reports, in the order of the text.
    pub fn read(section: &'s Section<'s>) -> Vec<Report> {
        let mut reader =
            Self { section, at: 0, reports: Vec::new(), open: None, banner: In::None, mark: None };
        while let Some((line, offset)) = reader.next_line() {
            reader.line(&line, offset);
        }
        reader.reports.extend(reader.open);
        reader.reports
    }

    /// The next line, and where it begins.
    fn next_line(&mut self) -> Option<(Cow<'s, str>, u64)> {
        let line = first_line(self.section.text.get(self.at..)?);
        let offset = self.section.offset(self.at);
        self.at += line.len() + 1;
        Some((lossy(line.trim_ascii_end()), offset))
    }

    /// The lines below the one that is read.
    fn below(&self) -> impl Iterator<Item = Cow<'s, str>> + use<'s> {
        let rest = self.section.text.get(self.at..).unwrap_or_default();
        rest.split(|b| *b == b'\n').map(|line| lossy(line.trim_ascii_end()))
    }

    fn line(&mut self, text: &str, offset: u64) {
        let mark = self.mark.take();
        if let Some(said) = banner::text(text) {
            self.marked_line(said, mark, offset);
        } else if banner::is_first(text) && self.is_bare_banner() {
            self.begin(Report::new(text, offset), In::Bare(LINES_LOOKED_AT));
        } else if !self.is_of_banner(text) {
            self.report_line(text, offset);
        }
    }

    /// Begins a report, and ends the one before it.
    fn begin(&mut self, report: Report, banner: In) {
        self.reports.extend(self.open.replace(report));
        self.banner = banner;
    }

    /// Reads a line behind its mark. `above`: where such a line begins above it that says nothing.
    fn marked_line(&mut self, said: &str, above: Option<u64>, offset: u64) {
        if banner::is_first(said) {
            self.begin(Report::new(said, above.unwrap_or(offset)), In::Marked);
        } else if self.is_of_another_end(said) {
            // It was pasted without its first line, or that line was taken for one of the dump above it.
            self.begin(Report::headless(offset), In::Marked);
            self.banner_line(said);
        } else if self.banner == In::Marked {
            self.banner_line(said);
        }
        self.mark = said.is_empty().then_some(offset);
    }

    /// Whether a line behind its mark says why a process ended of which no report is being read.
    fn is_of_another_end(&self, said: &str) -> bool {
        let Some(pid) = banner::pid(said) else { return false };
        let is_other =
            |report: &Report| self.banner == In::Marked && report.pid().is_some_and(|known| known != pid);
        self.open.as_ref().is_none_or(is_other)
    }

    fn banner_line(&mut self, said: &str) {
        if let Some(report) = &mut self.open {
            report.banner_line(said);
        }
    }

    /// Whether lines below a first line without its mark are those of a banner.
    fn is_bare_banner(&self) -> bool {
        self.below().take(LINES_LOOKED_AT).any(|line| banner::is_reason(line.trim()))
    }

    /// Reads a line without a mark, if it is the banner's. False: there is none, or it ends here.
    fn is_of_banner(&mut self, text: &str) -> bool {
        self.banner = match self.banner {
            In::Bare(left) if left > 0 && !Report::ends_banner(text) => {
                self.banner_line(text.trim());
                In::Bare(left - 1)
            }
            // Other threads write between the lines, with line breaks where they may.
            In::Marked if text.is_empty() || text.starts_with("[thread ") => In::Marked,
            In::Marked if is_left_out(text) => In::Marked,
            _ => In::None,
        };
        self.banner != In::None
    }

    /// Reads a line of what stands below the banner.
    fn report_line(&mut self, text: &str, offset: u64) {
        if text == END || text.starts_with("Full thread dump ") {
            self.reports.extend(self.open.take());
        }
        if self.begins_without_banner(text) {
            self.begin(Report::headless(offset), In::None);
        }
        let (text, wrapped) = threads::unwrapped(text, self.below());
        if let Some(report) = &mut self.open {
            report.line(&text, offset);
            (0..wrapped).for_each(|_| drop(self.next_line()));
        }
    }

    fn begins_without_banner(&self, text: &str) -> bool {
        let is_stack = || matches!(Part::of(text), Some(Part::Native | Part::Java));
        match &self.open {
            Some(report) => text.starts_with(CURRENT) && report.has_thread(),
            None => text.starts_with(CURRENT) || is_stack(),
        }
    }
}

//! `NT_FILE`: which ranges of the process files back.

use crate::model::{FileMapping, Str, lossy};

use super::reader::Reader;

/// The mappings, sorted by address.
pub(super) struct FileMappings {
    pub mappings: Vec<FileMapping>,
    /// Why less was read than the note states.
    pub problem: Option<&'static str>,
}

/// `count`, `page_size`, then `count` × (start, end, offset in pages), then `count` names, each with
/// its NUL. Words are the process's. The count is checked against the size before it is believed.
pub(super) fn read(note: &Reader) -> FileMappings {
    let word = note.encoding.word_size();
    let entry_size = 3 * word;
    let table = 2 * word;
    let mut found = FileMappings { mappings: Vec::new(), problem: None };
    let (Some(stated), Some(page_size)) = (note.word(0), note.word(word)) else {
        found.problem = Some("the list of mapped files is cut short");
        return found;
    };
    let fits = note.len().saturating_sub(table) / entry_size;
    let count = usize::try_from(stated).unwrap_or(usize::MAX).min(fits);
    if (count as u64) < stated {
        // With a count that is not true nobody knows where the names begin.
        found.problem = Some("the list of mapped files states more entries than it can hold");
        return found;
    }
    let mut names = note.rest(table + count * entry_size);
    let mut last: Option<(&[u8], Str)> = None;
    for i in 0..count {
        let field = |j: usize| note.word(table + i * entry_size + j * word);
        let (Some(start), Some(end), Some(pages)) = (field(0), field(1), field(2)) else { break };
        let Some(length) = memchr::memchr(0, names) else {
            found.problem = Some("the list of mapped files has fewer names than entries");
            break;
        };
        let name = &names[..length];
        names = &names[length + 1..];
        let Some(file_offset) = pages.checked_mul(page_size).filter(|_| start < end) else {
            found.problem = Some("the list of mapped files has impossible entries");
            continue;
        };
        // The mappings of a file follow one another.
        let path = match &last {
            Some((known, path)) if *known == name => path.clone(),
            _ => Str::from(lossy(name)),
        };
        last = Some((name, path.clone()));
        found.mappings.push(FileMapping { start, end, file_offset, path });
    }
    found.mappings.sort_by_key(|m| (m.start, m.end));
    found
}

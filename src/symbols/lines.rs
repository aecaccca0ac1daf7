//! Source lines: one run of a unit's line program, each row tested against the wanted addresses.

use gimli::UnitRef;

use super::SourceFrame;
use super::dwarf::Reader;
use crate::model::Str;

/// File index and line of a row.
pub type Row = (u64, Option<u32>);

/// The row that covers each wanted address (sorted, unique).
pub fn rows(unit: UnitRef<Reader>, lowest_code: u64, wanted: &[u64]) -> gimli::Result<Vec<Option<Row>>> {
    let mut found = vec![None; wanted.len()];
    let Some(program) = unit.line_program.clone() else { return Ok(found) };
    let mut rows = program.rows();
    let mut last: Option<(u64, Row, bool)> = None;
    // The first wanted address that this sequence has not passed.
    let mut next = 0;
    while let Some((_, row)) = rows.next_row()? {
        let address = row.address();
        match last {
            Some((start, place, _)) => {
                while wanted.get(next).is_some_and(|&w| w < address) {
                    if start >= lowest_code && found[next].is_none() {
                        found[next] = Some(place);
                    }
                    next += 1;
                }
            }
            None => next = wanted.partition_point(|&w| w < address),
        }
        if row.end_sequence() {
            last = None;
            continue;
        }
        // Of the rows of one address the last one counts, but one that begins a statement before one
        // that does not (as in gdb).
        let keeps = last.is_some_and(|(start, _, is_stmt)| start == address && is_stmt && !row.is_stmt());
        if !keeps {
            let line = row.line().and_then(|l| u32::try_from(l.get()).ok());
            last = Some((address, (row.file_index(), line), row.is_stmt()));
        }
    }
    Ok(found)
}

/// A frame of which only the place is known.
pub fn location(unit: UnitRef<Reader>, (file, line): Row) -> SourceFrame {
    let file = line.and_then(|_| file_name(unit, file));
    SourceFrame { file, line, ..Default::default() }
}

/// The place of an inlined call in the function around it.
pub fn call_location(unit: UnitRef<Reader>, file: Option<u64>, line: Option<u32>) -> SourceFrame {
    location(unit, (file.unwrap_or(0), line.filter(|&l| l != 0)))
}

/// The file as the compiler was told it, in its folder. The folder of the build is put before it only where
/// it is relative (glibc's `./nptl`): else it is no property of the program. gdb shows the same.
fn file_name(unit: UnitRef<Reader>, index: u64) -> Option<Str> {
    let header = unit.line_program.as_ref()?.header();
    let file = header.file(index)?;
    let name = unit.attr_string(file.path_name()).ok()?;
    let name = name.to_string_lossy();
    let folder = match file.directory_index() {
        0 => unit.comp_dir.filter(|dir| !dir.starts_with(b"/")),
        _ => file.directory(header).and_then(|d| unit.attr_string(d).ok()),
    };
    match folder {
        Some(folder) if !folder.is_empty() && !name.starts_with('/') => {
            let folder = folder.to_string_lossy();
            Some(format!("{}/{name}", folder.trim_end_matches('/')).into())
        }
        _ => Some(name.as_ref().into()),
    }
}

//! Functions, inlined functions and lines from DWARF.

use std::sync::Arc;

use addr2line::{Context, LookupContinuation, LookupResult};
use gimli::{EndianSlice, RunTimeEndian};

use super::{SourceFrame, split::SplitFiles};
use crate::modules::{ElfFile, ModuleIx, ModuleSet};

/// How gimli reads here: slices of the mapped file, or of the section once it is unpacked.
pub type Reader<'a> = EndianSlice<'a, RunTimeEndian>;

/// The DWARF of a file with that of its supplement. Sections without content are empty.
pub fn of_file<'a>(file: &'a ElfFile, supplement: Option<&'a ElfFile>) -> gimli::Dwarf<Reader<'a>> {
    let load = |file: &'a ElfFile| {
        move |id: gimli::SectionId| -> Result<Reader<'a>, gimli::Error> {
            Ok(EndianSlice::new(file.section_bytes(id.name()), file.endian()))
        }
    };
    let mut dwarf = gimli::Dwarf::load(load(file)).unwrap_or_default();
    if let Some(supplement) = supplement {
        let _ = dwarf.load_sup(load(supplement));
    }
    dwarf
}

/// The frames at each address (svma), innermost first; empty where DWARF knows nothing.
pub fn frames(modules: &ModuleSet, ix: ModuleIx, wanted: &[u64]) -> Vec<Vec<SourceFrame>> {
    let Some(file) = modules.get(ix).dwarf_file() else { return vec![Vec::new(); wanted.len()] };
    let dwarf = Arc::new(of_file(file, modules.supplement(ix)));
    let split = SplitFiles::new(modules, ix);
    let Ok(context) = Context::from_arc_dwarf(dwarf) else { return vec![Vec::new(); wanted.len()] };
    wanted.iter().map(|&svma| frames_at(&context, &split, svma).unwrap_or_default()).collect()
}

fn frames_at<'a>(
    context: &Context<Reader<'a>>,
    _split: &'a SplitFiles,
    svma: u64,
) -> Option<Vec<SourceFrame>> {
    let mut lookup = context.find_frames(svma);
    let mut iter = loop {
        match lookup {
            LookupResult::Output(result) => break result.ok()?,
            LookupResult::Load { continuation, .. } => lookup = continuation.resume(None),
        }
    };
    let mut frames = Vec::new();
    while let Some(frame) = iter.next().ok()? {
        let location = frame.location.as_ref();
        frames.push(SourceFrame {
            function: frame
                .function
                .and_then(|f| Some(super::demangle::demangle(&f.raw_name().ok()?).as_ref().into())),
            aliases: Vec::new(),
            file: location.and_then(|l| l.file).map(Into::into),
            line: location.and_then(|l| l.line),
            is_inlined: true,
        });
    }
    if let Some(last) = frames.last_mut() {
        last.is_inlined = false;
    }
    Some(frames)
}

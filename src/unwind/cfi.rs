//! Finds the rule for an address: `.eh_frame_hdr`'s table, else `.eh_frame` from its beginning,
//! else `.debug_frame`.

use std::sync::OnceLock;

use gimli::{
    BaseAddresses, DebugFrame, EhFrame, EhFrameHdr, EhFrameOffset, FrameDescriptionEntry, LittleEndian,
    ParsedEhFrameHdr, UnwindContext, UnwindSection,
};

use super::rule::{Reader, Rule};
use crate::modules::{Module, ModuleIx, ModuleSet, Section};

/// The unwind sections of all modules, each looked for once.
pub(super) struct Tables<'a> {
    modules: &'a ModuleSet,
    tables: Vec<OnceLock<Option<Table<'a>>>>,
}

/// The unwind sections of one module.
struct Table<'a> {
    bias: u64,
    eh_frame: Option<Section<'a>>,
    eh_frame_hdr: Option<Section<'a>>,
    debug_frame: Option<Section<'a>>,
    bases: BaseAddresses,
    /// FDEs of `.debug_frame` and of an `.eh_frame` without a table: first and last address
    /// (svma) and offset, sorted.
    index: OnceLock<Vec<Entry>>,
}

/// One FDE: the addresses it covers and where it stands.
#[derive(Clone, Copy)]
struct Entry {
    start: u64,
    end: u64,
    offset: usize,
    is_debug_frame: bool,
}

/// Space that gimli needs to run call frame instructions; one a worker.
pub(super) type Scratch = Box<UnwindContext<usize>>;

impl<'a> Tables<'a> {
    pub fn new(modules: &'a ModuleSet) -> Self {
        Self { modules, tables: modules.iter().map(|_| OnceLock::new()).collect() }
    }

    /// The rule for a looked-up address (avma).
    pub fn rule(&self, address: u64, scratch: &mut Scratch) -> Option<Rule> {
        let ix = self.modules.at(address)?;
        self.table(ix)?.rule(address, scratch)
    }

    fn table(&self, ix: ModuleIx) -> Option<&Table<'a>> {
        let cell = self.tables.get(ix.0 as usize)?;
        cell.get_or_init(|| Table::of(self.modules.get(ix))).as_ref()
    }
}

fn reader<'s>(section: &'s Section<'_>) -> Reader<'s> {
    Reader::new(&section.bytes, LittleEndian)
}

impl<'a> Table<'a> {
    fn of(module: &'a Module) -> Option<Self> {
        let file = module.file.as_ref()?;
        let eh_frame = file.section(".eh_frame");
        let eh_frame_hdr = file.section(".eh_frame_hdr");
        let debug_frame = file
            .section(".debug_frame")
            .or_else(|| module.debug_file.as_ref().and_then(|f| f.section(".debug_frame")));
        let mut bases = BaseAddresses::default();
        if let Some(s) = &eh_frame {
            bases = bases.set_eh_frame(s.address);
        }
        if let Some(s) = &eh_frame_hdr {
            bases = bases.set_eh_frame_hdr(s.address);
        }
        if let Some(s) = file.section(".text") {
            bases = bases.set_text(s.address);
        }
        if let Some(s) = file.section(".got") {
            bases = bases.set_got(s.address);
        }
        let bias = module.bias;
        (eh_frame.is_some() || debug_frame.is_some()).then_some(Self {
            bias,
            eh_frame,
            eh_frame_hdr,
            debug_frame,
            bases,
            index: OnceLock::new(),
        })
    }

    fn rule(&self, address: u64, scratch: &mut Scratch) -> Option<Rule> {
        let svma = address.wrapping_sub(self.bias);
        if let Some(rule) = self.through_header(svma, scratch) {
            return Some(rule);
        }
        let entry = self.indexed(svma)?;
        if entry.is_debug_frame {
            let mut section = DebugFrame::from(reader(self.debug_frame.as_ref()?));
            section.set_address_size(8);
            let fde = section
                .fde_from_offset(&self.bases, entry.offset.into(), DebugFrame::cie_from_offset)
                .ok()?;
            self.rule_of(&section, &fde, svma, scratch)
        } else {
            let section = EhFrame::from(reader(self.eh_frame.as_ref()?));
            let fde =
                section.fde_from_offset(&self.bases, entry.offset.into(), EhFrame::cie_from_offset).ok()?;
            self.rule_of(&section, &fde, svma, scratch)
        }
    }

    /// Only with a count of 2 or 4 bytes: linkers write `udata4`, and gimli multiplies the count unchecked.
    ///
    /// ```text
    /// .eh_frame_hdr: version u8 (1), eh_frame_ptr_enc u8, fde_count_enc u8, table_enc u8, …
    /// ```
    fn header(&self) -> Option<ParsedEhFrameHdr<Reader<'_>>> {
        let section = self.eh_frame_hdr.as_ref()?;
        if !matches!(section.bytes.get(2)? & 0x0f, 0x02 | 0x03) {
            return None;
        }
        EhFrameHdr::from(reader(section)).parse(&self.bases, 8).ok()
    }

    fn through_header(&self, svma: u64, scratch: &mut Scratch) -> Option<Rule> {
        let eh_frame = EhFrame::from(reader(self.eh_frame.as_ref()?));
        let header = self.header()?;
        let table = header.table()?;
        // As `fde_for_address`, which subtracts unchecked: a table may lead to before `.eh_frame`.
        let found = table.lookup(svma, &self.bases).and_then(|p| p.direct()).ok()?;
        let offset = found.checked_sub(header.eh_frame_ptr().direct().ok()?)?;
        let offset = EhFrameOffset(usize::try_from(offset).ok()?);
        let fde = eh_frame.fde_from_offset(&self.bases, offset, EhFrame::cie_from_offset).ok()?;
        if !fde.contains(svma) {
            return None;
        }
        self.rule_of(&eh_frame, &fde, svma, scratch)
    }

    fn indexed(&self, svma: u64) -> Option<Entry> {
        let index = self.index.get_or_init(|| self.build_index());
        let after = index.partition_point(|e| e.start <= svma);
        let entry = index.get(after.checked_sub(1)?)?;
        (svma < entry.end).then_some(*entry)
    }

    /// All FDEs that no header's table leads to. Ends at the first one that cannot be read.
    fn build_index(&self) -> Vec<Entry> {
        let mut index = Vec::new();
        if let Some(section) = &self.debug_frame {
            let mut section = DebugFrame::from(reader(section));
            section.set_address_size(8);
            collect(&section, &self.bases, true, &mut index);
        }
        let has_table = self.header().is_some_and(|h| h.table().is_some());
        if let Some(section) = self.eh_frame.as_ref().filter(|_| !has_table) {
            collect(&EhFrame::from(reader(section)), &self.bases, false, &mut index);
        }
        index.sort_by_key(|e| (e.start, e.end, e.offset));
        index
    }

    fn rule_of<'s, S>(
        &self,
        section: &S,
        fde: &FrameDescriptionEntry<Reader<'s>>,
        svma: u64,
        scratch: &mut Scratch,
    ) -> Option<Rule>
    where
        S: UnwindSection<Reader<'s>>,
    {
        let row = fde.unwind_info_for_address(section, &self.bases, scratch, svma).ok()?;
        let bytes = |e: &gimli::UnwindExpression<usize>| -> Option<Box<[u8]>> {
            let expression = e.get(section).ok()?;
            Some(expression.0.slice().into())
        };
        Rule::of(row, bytes, fde.is_signal_trampoline(), fde.cie().encoding())
    }
}

fn collect<'s, S>(section: &S, bases: &BaseAddresses, is_debug_frame: bool, index: &mut Vec<Entry>)
where
    S: UnwindSection<Reader<'s>>,
{
    let mut entries = section.entries(bases);
    while let Ok(Some(entry)) = entries.next() {
        let gimli::CieOrFde::Fde(partial) = entry else { continue };
        let Ok(fde) = partial.parse(S::cie_from_offset) else { continue };
        let start = fde.initial_address();
        index.push(Entry { start, end: start.wrapping_add(fde.len()), offset: fde.offset(), is_debug_frame });
    }
}

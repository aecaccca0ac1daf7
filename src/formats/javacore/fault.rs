//! Where and at what address a signal came: the lines of the section GPINFO.
//!
//! ```text
//! 1XHEXCPCODE    J9Generic_Signal_Number: 00000018
//! 1XHEXCPCODE    Signal_Number: 0000000B
//! 1XHEXCPCODE    Signal_Code: 00000001
//! 1XHEXCPCODE    InaccessibleAddress: 0000000000000018
//! 1XHEXCPMODULE  Module: /opt/shop/libprice.so
//! 1XHEXCPMODULE  Module_base_address: 00007F5C00000000
//! 1XHEXCPMODULE  Symbol: price_of                          or Offset_in_DLL: 00044340, of Windows
//! 2XHREGISTER      RIP: 00007F5C00001234
//! ```
//!
//! The stacks below do not show it: of the native frames only those of a native method are the program's, and above them
//! stand the handler that writes the dump.
//!
//! Source: openj9 runtime/rasdump/javadump.cpp (`writeGPCategory`), omr port/unix/omrsignal.c.

use crate::formats::text::Building;
use crate::model::{Frame, Signal, Snapshot, Str, ThreadIx};

/// `SI_KERNEL`: the kernel gives no address then.
const SI_KERNEL: i32 = 128;

/// What the registers are called that point to the instruction: x86-64, x86, ARM, POWER under Linux and AIX.
static COUNTERS: &[&str] = &["RIP", "EIP", "PC", "NIP", "IAR"];

/// Collects the lines.
#[derive(Default)]
pub(super) struct Reader {
    number: Option<i32>,
    code: Option<i32>,
    address: Option<u64>,
    module: Option<Str>,
    base: Option<u64>,
    offset: Option<u64>,
    symbol: Option<Str>,
    counter: Option<u64>,
}

impl Reader {
    /// A field of the signal or the module, or a register; the number of a signal, where it is one.
    pub fn field(&mut self, text: &str) -> Option<i32> {
        let (name, value) = text.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        let number = || u64::from_str_radix(value.trim_start_matches("0x"), 16).ok();
        let signed = || number().and_then(|n| u32::try_from(n).ok()).map(u32::cast_signed);
        match name {
            "Signal_Number" => {
                self.number = signed();
                return self.number;
            }
            "Signal_Code" => self.code = signed(),
            "InaccessibleAddress" => self.address = number(),
            "Module" if is_name(value) => self.module = Some(value.into()),
            "Module_base_address" => self.base = number(),
            "Offset_in_DLL" => self.offset = number(),
            "Symbol" if is_name(value) => self.symbol = Some(value.into()),
            name if COUNTERS.contains(&name) => self.counter = self.counter.or_else(number),
            _ => {}
        }
        None
    }

    /// Says of the signal what is known of it.
    pub fn tell(&self, signal: &mut Signal) {
        if self.number.is_none() {
            return;
        }
        signal.code = self.code;
        let has_address = self.code.is_none_or(|code| code > 0 && code != SI_KERNEL);
        signal.address = self.address.filter(|_| has_address);
    }

    /// Puts the place on top of the stack of the thread that got the signal.
    pub fn settle(&self, building: &mut Building) {
        let snapshot = &mut building.snapshot;
        let Some(thread) = snapshot.process.signal.as_ref().and_then(|signal| signal.thread) else { return };
        if let Some(frame) = self.frame() {
            put(snapshot, thread, &frame);
        }
    }

    fn frame(&self) -> Option<Frame> {
        let module = self.module.clone()?;
        let offset = self.offset.or_else(|| self.counter?.checked_sub(self.base?));
        Some(Frame {
            module: Some(module),
            module_offset: offset.filter(|_| self.symbol.is_none()),
            address: self.counter,
            function: self.symbol.clone(),
            ..Frame::default()
        })
    }
}

/// `<unknown>`, `???`: no name.
fn is_name(value: &str) -> bool {
    !value.is_empty() && !value.starts_with(['<', '?'])
}

/// Where the stack shows the function, what stands above it is the handler's.
fn put(snapshot: &mut Snapshot, thread: ThreadIx, frame: &Frame) {
    let Some(record) = snapshot.threads.get(thread.at()) else { return };
    let (stack, holds) = (record.stack, record.holds);
    let frames = snapshot.stacks.frames_of(stack).to_vec();
    let is_it = |of: &Frame| of.function.is_some() && of.function == frame.function;
    let shown = frames.iter().position(|&f| is_it(snapshot.stacks.get(f)));
    let mut all = match shown {
        Some(_) => Vec::new(),
        None => vec![snapshot.stacks.frame(frame, std::iter::empty())],
    };
    let above = shown.unwrap_or(0);
    all.extend_from_slice(frames.get(above..).unwrap_or_default());
    let more = u32::from(shown.is_none());
    for hold in snapshot.holds.iter_mut().take(holds.1 as usize).skip(holds.0 as usize) {
        hold.depth = hold.depth.map(|depth| (depth + more).saturating_sub(above as u32));
    }
    let stack = snapshot.stacks.stack(&all);
    if let Some(record) = snapshot.threads.get_mut(thread.at()) {
        record.stack = stack;
    }
}

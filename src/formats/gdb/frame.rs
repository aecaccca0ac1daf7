//! A frame line without its number and argument values becomes a [`Frame`].

use crate::model::{ArgSlot, Frame, FrameKind, Str, lossy};

use super::args::{self, Source};
use super::pc;
use super::scan::Scan;

/// What a line says, once for all lines of its template.
#[derive(Clone, Debug)]
pub(super) struct ParsedFrame {
    /// The frame, as if nothing was inlined.
    pub frame: Frame,
    /// Its slots.
    pub slots: Vec<ArgSlot>,
    /// Where the value of each slot comes from; `None`: the n-th from the n-th token.
    pub sources: Option<Box<[Source]>>,
    /// Its argument list stands in the line, closed.
    pub has_arguments: bool,
    /// `0x0000000000000000 in ?? ()`: where unwinding ran out of the stack.
    pub is_null: bool,
}

/// Reads a line that [`Scan::read`] has read.
///
/// ```text
/// 0x00007f716583f482 in lll_mutex_lock_optimized (mutex=0x558efcd69060 <m>) at ./nptl/pthread_mutex_lock.c:48
/// <signal handler called>
/// 0x00007f34ef860660 in ?? () at ../sysdeps/…/__start_context.S:91 from /lib/x86_64-linux-gnu/libc.so.6
/// 0x00007fffbe57ddd1 in duckdb::ClientContext::LockContext() () from /…/libduckdb.so
/// ```
pub(super) fn parse(line: &[u8], scan: &Scan) -> ParsedFrame {
    let (address, after_pc) = pc::read(line).map_or((None, 0), |(pc, after)| (Some(pc), after));
    let name_end = match (scan.args, scan.open_at) {
        (Some((start, _)), _) | (None, Some(start)) => start,
        (None, None) => line.len(),
    };
    let name = line.get(after_pc..name_end.max(after_pc)).unwrap_or_default().trim_ascii();
    let tail = scan.args.and_then(|(_, end)| line.get(end..)).unwrap_or_default();
    let (file, line_number, module) = place(tail);
    let (slots, sources) = args::slots(line, scan);
    let values = scan.tokens.iter().filter(|t| t.kind.has_value()).count();
    let is_direct =
        sources.len() == values && sources.iter().enumerate().all(|(n, s)| *s == Source::Token(n));
    let kind = match name {
        b"<signal handler called>" => FrameKind::SignalHandler,
        _ => FrameKind::Normal,
    };
    let function = (!name.is_empty() && name != b"??").then(|| text(name));
    ParsedFrame {
        has_arguments: scan.args.is_some(),
        is_null: address == Some(0) && function.is_none(),
        frame: Frame { function, module, file, line: line_number, address, kind, ..Frame::default() },
        slots,
        sources: (!is_direct).then(|| sources.into()),
    }
}

/// ` at FILE:LINE`, ` from LIB`, or both.
fn place(tail: &[u8]) -> (Option<Str>, Option<u32>, Option<Str>) {
    let (at, from) = match tail.strip_prefix(b" at ") {
        Some(rest) => match memchr::memmem::find(rest, b" from ") {
            Some(split) => (rest.get(..split), rest.get(split + 6..)),
            None => (Some(rest), None),
        },
        None => (None, tail.strip_prefix(b" from ")),
    };
    let module = from.map(|path| {
        let path = path.trim_ascii();
        text(path.rsplit(|&b| b == b'/').next().unwrap_or(path))
    });
    let Some(at) = at.map(<[u8]>::trim_ascii) else { return (None, None, module) };
    let colon = memchr::memrchr(b':', at);
    let line = colon.and_then(|c| std::str::from_utf8(at.get(c + 1..)?).ok()?.parse().ok());
    let file = match (colon, line) {
        (Some(c), Some(_)) => at.get(..c).unwrap_or_default(),
        _ => at,
    };
    (Some(text(file)), line, module)
}

fn text(bytes: &[u8]) -> Str {
    lossy(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> ParsedFrame {
        let mut scan = Scan::default();
        scan.read(line.as_bytes());
        parse(line.as_bytes(), &scan)
    }

    #[test]
    fn both_places() {
        // QEMU's commit message, gdb on Debian 11.
        let frame = parsed("0x00007f34ef860660 in ?? () at ../sysdeps/x86_64/__start_context.S:91 from /lib/x86_64-linux-gnu/libc.so.6").frame;
        assert_eq!(frame.function, None);
        assert_eq!(frame.module.as_deref(), Some("libc.so.6"));
        assert_eq!(frame.file.as_deref(), Some("../sysdeps/x86_64/__start_context.S"));
        assert_eq!((frame.line, frame.address), (Some(91), Some(0x7f34ef860660)));
    }

    #[test]
    fn names_keep_their_own_parameter_lists() {
        let frame =
            parsed("0x00007fffbe57ddd1 in duckdb::ClientContext::LockContext() () from /x/libduckdb.so")
                .frame;
        assert_eq!(frame.function.as_deref(), Some("duckdb::ClientContext::LockContext()"));
        let frame =
            parsed("operator() (this=0x7f55b77fdc00) at /usr/include/c++/5.1.1/functional:2271").frame;
        assert_eq!(frame.function.as_deref(), Some("operator()"));
        let frame = parsed(
            "(anonymous namespace)::_push_event<Tango::EventData> (ev=0x7, self=0x5) at callback.cpp:228",
        )
        .frame;
        assert_eq!(frame.function.as_deref(), Some("(anonymous namespace)::_push_event<Tango::EventData>"));
        let frame = parsed("wait_until<Object, bmalloc::AsyncTask<Object>::entryPoint() [with Object = bmalloc::Heap; Function = void (bmalloc::Heap::*)()]::<lambda()> > (__p=...) at condition_variable:284").frame;
        assert!(frame.function.unwrap().ends_with("<lambda()> >"));
    }

    /// gdb 12 on AArch64: a signed return address.
    #[test]
    fn flags_of_the_pc() {
        let frame = parsed("0x0000aaaab1cc26b8 [PAC] in take (m=0x420040 <g_log>) at s.c:48").frame;
        assert_eq!((frame.address, frame.function.as_deref()), (Some(0xaaaa_b1cc_26b8), Some("take")));
        assert!(parsed("0x0000000000000000 [PAC] in ?? ()").is_null);
    }

    #[test]
    fn signal_frames_and_ends() {
        assert_eq!(parsed("<signal handler called>").frame.kind, FrameKind::SignalHandler);
        assert!(parsed("0x0000000000000000 in ?? ()").is_null);
        assert!(!parsed("0x0000000000000000 in f ()").is_null);
    }

    #[test]
    fn a_cut_line_still_names_its_function() {
        let frame = parsed("0x00007fe55cce0482 in lll_mutex_lock_optimized (mutex=0x55af92").frame;
        assert_eq!(frame.function.as_deref(), Some("lll_mutex_lock_optimized"));
        assert_eq!(frame.file, None);
    }
}

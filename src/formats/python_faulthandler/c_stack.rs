//! The stack of C functions behind the threads: of the current one, since Python 3.14.
//!
//! ```text
//! Current thread's C stack trace (most recent call first):
//!   Binary file "/opt/python", at _Py_DumpStack+0x42 [0x5b2701020304]
//!   Binary file "/opt/python", at +0x20404 [0x5b2701020404]                       a function without a symbol
//!   Binary file "/usr/lib/libc.so.6", at +0x3c050 [0x7f8a1b0003c0]                the signal arrives
//!   Binary file "/srv/till/drawer.so", at open_drawer+0x10 [0x7f8a1a000010]
//!   Binary file "/opt/python", at _PyEval_EvalFrameDefault+0x4242 [0x5b2701024242]
//!   Binary file '<unknown>' [0x7f8a1a000020]
//!   <truncated rest of calls>                                                     after 32
//!   <cannot get C stack on this system>
//! ```
//!
//! Between what writes the dump and the function that runs Python stands what the innermost function of Python called
//! in C: there the process failed. Below, functions of C and of Python alternate, and the text does not say how.
//!
//! Source: CPython 3.14 Python/traceback.c (`_Py_DumpStack`, `_Py_backtrace_symbols_fd`), Modules/faulthandler.c.

use super::python;
use crate::model::{Frame, FrameIx, GapKind, Snapshot, StackEnd, ThreadIx};

/// How the line above it begins.
pub(super) const TITLE: &str = "Current thread's C stack trace ";

/// How the line of a frame begins.
pub(super) const BEGIN: &str = "  Binary file ";

/// Functions that run Python's.
static EVALUATES: &[&str] =
    &["_PyEval_EvalFrameDefault", "_PyEval_Vector", "_PyEval_EvalFrame", "PyEval_EvalCode"];

/// The function that the kernel lets a handler return to, where it has a symbol (macOS, musl).
static TRAMPOLINES: &[&str] = &["", "_sigtramp", "__restore_rt", "__restore"];

/// What writes the dump; in the same binary stand those that call it.
const WRITER: &str = "_Py_DumpStack";

/// Functions in which a thread or process begins, as parts of their names.
static BASES: &[&str] = &["libc_start", "start_thread", "clone", "_start", "main"];

/// Reads a line.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let inside = line.strip_prefix(BEGIN)?;
    let (text, address) = inside.strip_suffix(']')?.rsplit_once(" [0x")?;
    let (file, symbol) = match text.rsplit_once("\", at ") {
        Some((file, symbol)) => (file, symbol),
        None => (text, ""),
    };
    let name = symbol.rfind(['+', '-']).and_then(|sign| symbol.get(..sign)).unwrap_or_default();
    let file = file.trim_matches('"');
    Some(Frame {
        module: (file != "'<unknown>'" && !file.is_empty()).then(|| file.into()),
        address: u64::from_str_radix(address, 16).ok(),
        ..python::frame(name, None, None)
    })
}

/// Puts what a thread called in C above its functions of Python. `all`: the frames, newest first.
pub(super) fn join(snapshot: &mut Snapshot, thread: Option<ThreadIx>, all: &[Frame], is_cut: bool) {
    let Some(first) = all.first() else { return };
    let Some(stack) = thread.and_then(|ix| snapshot.threads.get(ix.at())).map(|thread| thread.stack) else {
        return tell(snapshot, all.len());
    };
    let python: Vec<FrameIx> = snapshot.stacks.frames_of(stack).to_vec();
    let is_interpreter = |frame: &Frame| frame.module.is_some() && frame.module == first.module;
    let name = |frame: &Frame| frame.function.as_deref().unwrap_or_default().to_owned();
    let mut own = all;
    if name(first) == WRITER {
        let writers = own.iter().take_while(|f| is_interpreter(f) && !runs_python(f)).count();
        own = own.get(writers..).unwrap_or_default();
        if let Some((trampoline, rest)) = own.split_first()
            && !runs_python(trampoline)
            && TRAMPOLINES.contains(&&*name(trampoline))
        {
            own = rest;
        }
    }
    // Where its functions have no symbols, the interpreter's own file says where Python begins.
    let ends = |f: &Frame| runs_python(f) || is_interpreter(f) && f.function.is_none();
    let count = match python.is_empty() {
        true => own.len(),
        false => own.iter().position(ends).unwrap_or(if is_cut { 0 } else { own.len() }),
    };
    let (called, below) = own.split_at_checked(count).unwrap_or_default();
    let mut frames: Vec<FrameIx> =
        called.iter().map(|frame| snapshot.stacks.frame(frame, std::iter::empty())).collect();
    frames.extend(&python);
    let stack = snapshot.stacks.stack(&frames);
    if let Some(thread) = thread.and_then(|ix| snapshot.threads.get_mut(ix.at())) {
        thread.stack = stack;
        if python.is_empty() && is_cut {
            thread.stack_end = StackEnd::DepthLimit;
        }
    }
    let is_base = |f: &Frame| f.function.is_none() || BASES.iter().any(|base| name(f).contains(base));
    tell(snapshot, below.iter().filter(|f| !is_interpreter(f) && !is_base(f)).count());
}

fn runs_python(frame: &Frame) -> bool {
    frame.function.as_deref().is_some_and(|name| EVALUATES.contains(&name))
}

/// Counts what has no place in a stack.
fn tell(snapshot: &mut Snapshot, count: usize) {
    let message = "functions of C have no place among those of Python and are not shown";
    snapshot.gaps.add_many(GapKind::SkippedText, message, count as u64, None);
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{functions, read_one, survives_logs};
    use crate::model::ThreadIx;

    const DUMP: &str = "Fatal Python error: Segmentation fault

Thread 0x00007f0311704002 (most recent call first):
  File \"/srv/till/till.py\", line 12 in count

Current thread 0x00007f0311704001 (most recent call first):
  File \"/srv/till/till.py\", line 40 in pay
  File \"/srv/till/till.py\", line 50 in <module>

Current thread's C stack trace (most recent call first):
  Binary file \"/opt/python\", at _Py_DumpStack+0x42 [0x5b2701020304]
  Binary file \"/opt/python\", at +0x20404 [0x5b2701020404]
  Binary file \"/usr/lib/libc.so.6\", at +0x3c050 [0x7f8a1b0003c0]
  Binary file \"/srv/till/drawer.so\", at open_drawer+0x10 [0x7f8a1a000010]
  Binary file \"/opt/python\", at _PyEval_EvalFrameDefault+0x4242 [0x5b2701024242]
  Binary file \"/opt/python\", at Py_RunMain+0x42 [0x5b2701024343]
  Binary file \"/usr/lib/libc.so.6\", at __libc_start_main+0x85 [0x7f8a1b000485]

Extension modules: till.drawer (total: 1)
";

    fn crashed(text: &str) -> (Vec<String>, usize) {
        let snapshot = read_one(text);
        assert_eq!(functions(&snapshot, ThreadIx(0)), ["count"]);
        (functions(&snapshot, ThreadIx(1)), snapshot.gaps.iter().map(|g| g.count as usize).sum())
    }

    #[test]
    fn what_python_called_in_c_is_where_it_failed() {
        assert_eq!(crashed(DUMP), (["open_drawer", "pay", "<module>"].map(String::from).to_vec(), 0));
        let snapshot = read_one(DUMP);
        let top = snapshot.stacks.get(snapshot.stacks.frames_of(snapshot.threads[1].stack)[0]);
        assert_eq!(
            (top.module.as_deref(), top.address),
            (Some("/srv/till/drawer.so"), Some(0x7f8a_1a00_0010))
        );
        survives_logs(DUMP);
    }

    #[test]
    fn without_symbols_the_interpreters_file_ends_it() {
        let text = DUMP.replace("_PyEval_EvalFrameDefault", "");
        assert_eq!(crashed(&text).0, ["open_drawer", "pay", "<module>"]);
        let text = DUMP.replace(
            "Binary file \"/srv/till/drawer.so\", at open_drawer+0x10 [",
            "Binary file '<unknown>' [",
        );
        assert_eq!(crashed(&text).0, ["??", "pay", "<module>"]);
    }

    #[test]
    fn what_has_no_place_is_counted() {
        // C that Python called, which called Python.
        let main = "  Binary file \"/opt/python\", at Py_RunMain";
        let below = format!("  Binary file \"/srv/till/gui.so\", at on_click+0x10 [0x7f8a1a000110]\n{main}");
        assert_eq!(crashed(&DUMP.replace(main, &below)).1, 1);
        for line in ["  <truncated rest of calls>", "  <cannot get C stack on this system>"] {
            let (before, after) = DUMP.split_once("  Binary file").unwrap();
            let rest = after.split_once("\n\n").unwrap().1;
            let text = format!("{before}{line}\n\n{rest}");
            assert_eq!(crashed(&text), (["pay", "<module>"].map(String::from).to_vec(), 0), "{line}");
        }
    }

    #[test]
    fn a_thread_without_python_has_it_alone() {
        let python = "  File \"/srv/till/till.py\", line 40 in pay\n  File \"/srv/till/till.py\", line 50 in <module>\n";
        let (functions, _) = crashed(&DUMP.replace(python, "  <no Python frame>\n"));
        assert_eq!(functions[0], "open_drawer");
    }
}

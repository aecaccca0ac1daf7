//! What the dumps of .NET have in common: frames.
//!
//! ```text
//! System.Private.CoreLib!System.Threading.Monitor.Wait(class System.Object,int32)          dotnet-stack
//! System.Threading.Monitor.ObjWait(Int32, System.Object)                                   clrstack
//! System.Threading.Tasks.Task.InternalWaitCore(Int32) [/_/src/…/Task.cs @ 3007]            clrstack
//! [HelperMethodFrame_1OBJ: 0aa5d128] System.Threading.Monitor.ReliableEnter(System.Object) clrstack
//! MyApp.dll!MyApp.Worker.<Run>b__0() + 42 [C:\src\Worker.cs @ 17]                          clrstack -f
//! libcoreclr.so!CLREventBase::Wait(unsigned int) + 12 at /src/synch.cpp:450                clrstack -f
//! [GCFrame: 00007f2ae37b5680]                                                              no function
//! ```

use crate::model::{Frame, Str};

/// Reads a frame. `None`: the line names no function.
pub fn frame(text: &str) -> Option<Frame> {
    let text = match text.strip_prefix('[') {
        // `[InlinedCallFrame: 000000] Interop.Read(…)`, `[Native Frames]`, `[GCFrame: 00]`
        Some(inside) => inside.split_once(']')?.1.trim(),
        None => text.trim(),
    };
    let (text, place) = match text.strip_suffix(']').and_then(|t| t.rsplit_once(" [")) {
        Some((name, place)) => (name.trim_end(), Some(place)),
        None => match text.rsplit_once(" at ") {
            Some((name, place)) if place.contains(':') => (name.trim_end(), Some(place)),
            _ => (text, None),
        },
    };
    let (module, name) = match text.split_once('!') {
        Some((module, name)) if !module.contains(['(', ' ', '<']) => (Some(module), name),
        _ => (None, text),
    };
    let name = match name.rsplit_once(" + ") {
        Some((name, offset)) if offset.bytes().all(|b| b.is_ascii_hexdigit() || b == b'x') => name,
        _ => name,
    };
    let name = name.trim();
    if name.is_empty() || name == "?" || name == "???" {
        return None;
    }
    let (file, line) = place.map(place_of).unwrap_or_default();
    Some(Frame { function: Some(name.into()), module: module.map(Str::from), file, line, ..Frame::default() })
}

/// `E:\A\src\Task.cs @ 2917`, `/src/synch.cpp:450`.
fn place_of(place: &str) -> (Option<Str>, Option<u32>) {
    let split = place.rsplit_once(" @ ").or_else(|| place.rsplit_once(':'));
    match split {
        Some((file, line)) if line.trim().parse::<u32>().is_ok() => {
            (Some(file.trim().into()), line.trim().parse().ok())
        }
        _ => (Some(place.into()), None),
    }
}

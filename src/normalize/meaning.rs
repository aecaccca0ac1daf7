//! What one frame means: its name, looked up in the tables, where it stands.

use super::tables::row::{Row, Scope};
use super::tables::{self, classes, tests};
use super::{Meaning, NameKind, ResourceClass, Role, name, words};
use crate::model::{Frame, FrameKind, Str};

/// What a frame means.
pub fn meaning(frame: &Frame) -> Meaning {
    if frame.kind == FrameKind::SignalHandler {
        return Meaning { kind: NameKind::SignalHandler, ..plain(SIGNAL_HANDLER.into(), Role::Abort, None) };
    }
    let Some(function) = frame.function.as_deref().filter(|f| is_name(f)) else { return nameless(frame) };
    let own = name::clean(function);
    // `block (2 levels) in run` without what looks like parameters.
    let own = if own.contains("  ") { own.replace("  ", " ").into() } else { own };
    let names = std::iter::once(own.clone()).chain(frame.aliases.iter().map(|alias| name::clean(alias)));
    for candidate in names {
        if let Some((shown, row)) = row_of(&candidate, frame) {
            let class = row.class.or_else(|| class_of(&shown, row.role, frame));
            return Meaning {
                wait: row.wait,
                is_queue: row.is_queue,
                ..plain(shown.into(), row.role, class)
            };
        }
    }
    let class = class_of(&own, Role::User, frame);
    let name = match (literal(function), &frame.function) {
        (Some(literal), _) if !own.ends_with('>') => format!("{own}{literal}").into(),
        // Most names are in the form of the tables as they are.
        (_, Some(shared)) if **shared == *own => shared.clone(),
        _ => own.as_ref().into(),
    };
    plain(name, Role::User, class)
}

/// What has nothing to do with waits.
fn plain(name: Str, role: Role, class: Option<ResourceClass>) -> Meaning {
    Meaning { kind: name_kind(&name), name, role, wait: None, class, is_queue: false }
}

fn name_kind(name: &str) -> NameKind {
    let bytes = name.as_bytes();
    match bytes {
        [b'?', ..] if name == NAMELESS => NameKind::Nothing,
        [b'<', ..] if name == SIGNAL_HANDLER => NameKind::SignalHandler,
        [.., b'!', b'?', b'?'] => NameKind::Place,
        _ if memchr::memchr(b'+', bytes).is_some() && name.contains("+0x") => NameKind::Place,
        _ => NameKind::Function,
    }
}

/// A frame of which nothing is known.
const NAMELESS: &str = "??";

/// The template argument of a function where it is a plain value: `searchLayer<false>` and `searchLayer<true>` do
/// different things, and say so in few letters. Types are dropped: they are long, and mean the same function.
fn literal(function: &str) -> Option<&str> {
    memchr::memchr(b'>', function.as_bytes())?;
    let end = function.find('(').unwrap_or(function.len());
    let name = function.get(..end)?.trim_end();
    let name = name.rsplit_once("+0x").map_or(name, |(name, _)| name);
    let at = name.strip_suffix('>')?.rfind('<')?;
    let value = name.get(at + 1..name.len() - 1)?;
    let is_value = matches!(value, "true" | "false") || (value.len() <= 4 && value.parse::<u16>().is_ok());
    (is_value && at > 0).then(|| name.get(at..)).flatten()
}

/// How gdb writes the frame that the kernel makes.
const SIGNAL_HANDLER: &str = "<signal handler called>";

pub(super) fn is_name(function: &str) -> bool {
    !matches!(function.trim(), "" | "?" | "??" | "???" | "n/a" | "<unknown>" | "[unknown]" | "(unknown)")
}

/// The row and the name to show: the public one where the frame is in the C library.
fn row_of(candidate: &str, frame: &Frame) -> Option<(String, &'static Row)> {
    let accepts = |scope| applies(scope, frame);
    if let Some(row) = tables::find(candidate, accepts) {
        return Some((candidate.to_owned(), row));
    }
    let public = tables::public_name(candidate).filter(|public| !public.is_word || is_libc(frame))?;
    let row = tables::find(public.name, accepts)?;
    // Apple's libraries export the variant under a name of its own.
    let is_variant = candidate.ends_with("_nocancel") && is_apple(frame);
    let shown = if is_variant { candidate } else { public.name };
    Some((shown.to_owned(), row))
}

fn is_apple(frame: &Frame) -> bool {
    frame.module.as_deref().is_some_and(|module| file_name(module).starts_with("libsystem_"))
}

/// A frame without a name is known by its place.
fn nameless(frame: &Frame) -> Meaning {
    let module = frame.module.as_deref().map(file_name);
    let name = match (module, frame.module_offset) {
        (Some(module), Some(offset)) => format!("{module}+{offset:#x}"),
        (Some(module), None) => format!("{module}!??"),
        (None, _) => NAMELESS.to_owned(),
    };
    let role = match module {
        Some(module) if is_libc_module(module) => Role::Runtime,
        Some(module) if tests::MODULES.iter().any(|start| module.starts_with(start)) => Role::Test,
        _ => Role::User,
    };
    plain(name.into(), role, class_of_module(frame))
}

fn class_of(name: &str, role: Role, frame: &Frame) -> Option<ResourceClass> {
    if role != Role::User {
        return None;
    }
    if words::is_logging(name) { Some(ResourceClass::Logging) } else { class_of_module(frame) }
}

fn class_of_module(frame: &Frame) -> Option<ResourceClass> {
    let module = file_name(frame.module.as_deref()?);
    classes::MODULES.iter().find(|(start, ..)| module.starts_with(start)).map(|&(_, class, _)| class)
}

/// The resource that a lock guards, as its name says: `g_log_mutex`, `_IO_stdfile_1_lock`, `main_arena`.
pub fn class_of_name(name: &str) -> Option<ResourceClass> {
    // `_rtld_global+2568`, `&main_arena`
    let name = name.trim_start_matches('&');
    let name = name.split(['+', '@', '[']).next().unwrap_or(name);
    if let Some(&(_, class, _)) = classes::LOCKS.iter().find(|(pattern, ..)| pattern.matches(name)) {
        return Some(class);
    }
    if words::is_logging(name) {
        return Some(ResourceClass::Logging);
    }
    let last = words::components(name).next_back()?;
    let words = words::Words::of(last);
    let has = |word: &str| words.have(&[word]);
    if has("gil") {
        Some(ResourceClass::Gil)
    } else if has("malloc") || has("allocator") {
        Some(ResourceClass::Allocator)
    } else if has("stdout") || has("stderr") || has("stdio") {
        Some(ResourceClass::Stdio)
    } else {
        None
    }
}

/// Whether a row of this scope speaks of this frame.
pub(super) fn applies(scope: Scope, frame: &Frame) -> bool {
    match scope {
        Scope::Anywhere => true,
        Scope::Libc => is_libc(frame),
        Scope::File(ends) => {
            frame.file.as_deref().is_some_and(|file| ends.iter().any(|end| ends_with_path(file, end)))
        }
        Scope::Module(start) => {
            frame.module.as_deref().is_some_and(|module| file_name(module).starts_with(start))
        }
        Scope::Bare => match frame.module.as_deref() {
            None => frame.file.is_none(),
            Some(module) => KERNELS.iter().any(|kernel| file_name(module).starts_with(kernel)),
        },
    }
}

/// What profilers and symbolizers call the kernel itself.
const KERNELS: [&str; 4] = ["[kernel", "[guest.kernel", "vmlinux", "kernel.kallsyms"];

/// `/usr/lib/python3.12/threading.py` ends with `threading.py`, `/app/my_threading.py` does not.
fn ends_with_path(file: &str, end: &str) -> bool {
    // Windows: `C:\Python310\lib\concurrent\futures\thread.py`.
    let is_same = |(a, b): (u8, u8)| a == b || (a == b'\\' && b == b'/');
    let Some(start) = file.len().checked_sub(end.len()) else { return false };
    let (before, tail) = file.as_bytes().split_at(start);
    tail.iter().copied().zip(end.bytes()).all(is_same)
        && (before.is_empty() || end.starts_with('/') || before.ends_with(b"/") || before.ends_with(b"\\"))
}

/// Whether a frame is in the C library, as far as can be told: a program that is linked
/// statically and has no line numbers gets the benefit of the doubt, another library does not.
fn is_libc(frame: &Frame) -> bool {
    let module = frame.module.as_deref().map(file_name);
    if module.is_some_and(is_libc_module) {
        return true;
    }
    match (frame.file.as_deref(), module) {
        (Some(file), _) => is_libc_source(file),
        (None, Some(module)) => !is_shared_library(module),
        (None, None) => true,
    }
}

const LIBC_MODULES: [&str; 14] = [
    "libc.so",
    "libc-",
    "libc.musl",
    "libpthread",
    "ld-linux",
    "ld-musl",
    "ld-2",
    "ld.so",
    "librt.so",
    "librt-",
    "libsystem_",
    "libthread.so",
    "libthr.so",
    "[vdso]",
];

fn is_libc_module(module: &str) -> bool {
    LIBC_MODULES.iter().any(|start| module.starts_with(start)) || module.starts_with("linux-vdso")
}

fn is_shared_library(module: &str) -> bool {
    module.contains(".so")
        || [".dylib", ".dll", ".DLL", ".node", ".pyd"].iter().any(|end| module.ends_with(end))
}

/// Folders of glibc's and musl's sources, as their line tables have them.
const LIBC_FOLDERS: [&str; 13] = [
    "nptl/",
    "io/",
    "posix/",
    "socket/",
    "misc/",
    "libio/",
    "malloc/",
    "elf/",
    "stdlib/",
    "signal/",
    "time/",
    "stdio-common/",
    "htl/",
];

fn is_libc_source(file: &str) -> bool {
    let known = ["sysdeps/", "/nptl/", "lowlevellock", "futex-internal", "/glibc", "/musl", "bionic/libc"];
    // Fortified calls are inlined from `/usr/include/x86_64-linux-gnu/bits/poll2.h`.
    let is_fortified = file.contains("/include/") && file.contains("/bits/") && !file.contains("c++/");
    let relative = file.trim_start_matches("../").trim_start_matches("./");
    is_fortified
        || known.iter().any(|part| file.contains(part))
        || (!file.starts_with('/') && LIBC_FOLDERS.iter().any(|folder| relative.starts_with(folder)))
        || ["src/thread/", "src/unistd/", "src/network/", "src/select/", "src/internal/"]
            .iter()
            .any(|f| relative.starts_with(f))
            && file.ends_with(".c")
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

//! What stands between two semicolons.

use crate::model::{Frame, FrameKind, HashedFrame, Str};

/// A name, read.
#[derive(Debug)]
pub(super) struct Name {
    /// As a call, until it is added to a snapshot.
    pub frame: Option<HashedFrame>,
    /// What logjam writes has the state of the threads for a leaf.
    pub is_state: bool,
    /// As a root: the command, where it has ids.
    pub command: Option<Str>,
    /// As a root: the kernel's idle task.
    pub is_idle: bool,
}

impl Name {
    pub fn of(name: &str) -> Self {
        let frame = frame(name);
        Self {
            is_state: frame.module.as_deref().is_some_and(is_state),
            frame: Some(frame.into()),
            command: command(name).map(Str::from),
            is_idle: name.starts_with("swapper"),
        }
    }
}

/// `[lock-wait g_log_mutex]`
fn is_state(text: &str) -> bool {
    const STATES: [&str; 10] = [
        "running",
        "spinning",
        "lock-wait",
        "cond-wait",
        "io-wait",
        "sleeping",
        "idle",
        "join-wait",
        "runtime",
        "unknown",
    ];
    let word = text.trim_matches(['[', ']']).split(' ').next().unwrap_or_default();
    STATES.contains(&word)
}

/// `iperf-27409/28741`, `java-?/3244`: the command, where the root has ids.
fn command(root: &str) -> Option<&str> {
    let (command, ids) = root.rsplit_once('-')?;
    let is_id = |id: &str| id == "?" || (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
    (!command.is_empty() && ids.split('/').count() <= 2 && ids.split('/').all(is_id)).then_some(command)
}

/// A frame with what its annotation says.
fn frame(name: &str) -> Frame {
    let (name, module, kind) = if let Some(name) = name.strip_suffix("_[k]") {
        (name, Some("[kernel]"), FrameKind::Normal)
    } else if let Some(name) = name.strip_suffix("_[i]") {
        (name, None, FrameKind::Inlined)
    } else {
        (name.strip_suffix("_[j]").unwrap_or(name), None, FrameKind::Normal)
    };
    let name = name.trim();
    // `[libc.so.6]`: the module is known, the function is not.
    let is_module = name.starts_with('[') && name.ends_with(']');
    let module = if is_module { Some(name).filter(|name| *name != "[unknown]") } else { module };
    Frame {
        function: (!is_module && !name.is_empty()).then(|| name.into()),
        module: module.map(Into::into),
        kind,
        ..Frame::default()
    }
}

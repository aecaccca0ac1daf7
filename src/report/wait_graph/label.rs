//! What a node and an edge say, in short lines: not escaped for any format yet.

use unicode_width::UnicodeWidthStr;

use super::{Edge, EdgeKind, Node, WaitGraph};
use crate::model::Certainty;
use crate::report::document::{Document, HolderKind, Lock, Snapshot};
use crate::report::text::words;
use crate::waits::{self, State};

/// The most columns of a line.
const WIDTH: usize = 38;
/// The most lines for one text.
const LINES: usize = 3;
/// The most columns of a heading: a path, an error.
const HEADING: usize = 110;
/// Inputs that could not be analyzed whose errors are told.
const FAILED: usize = 5;

impl Node<'_> {
    /// Its texts, each whole.
    pub fn full_label(&self) -> Vec<String> {
        match self {
            Self::Thread { thread, state, doing, signature } => {
                let texts =
                    [Some(words::thread(thread)), Some(state.id().to_owned()), doing.map(str::to_owned)];
                texts.into_iter().flatten().chain([calls(signature)]).collect()
            }
            Self::Group { count, state, signature } => {
                [words::counted(*count, "thread"), state.id().to_owned(), calls(signature)].into()
            }
            Self::MoreThreads { count, clusters } => {
                let more = words::counted(*count, "more thread");
                [more, format!("in {}", words::counted(*clusters, "cluster"))].into()
            }
            Self::Lock(lock) => of_lock(lock),
            Self::MoreLocks { count } => [words::counted(*count, "more lock")].into(),
            Self::Outside { words } => [words.clone()].into(),
        }
    }

    /// Its texts in lines that fit a box. What does not fit is `…`.
    pub fn label(&self) -> Vec<String> {
        self.full_label().iter().flat_map(|text| wrapped(text, WIDTH)).collect()
    }
}

/// Text in a few lines, broken at spaces.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let word = words::shortened(word, width);
        let is_last = lines.len() == LINES;
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => *line += &format!(" {word}"),
            Some(line) if is_last => {
                *line += " …";
                break;
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// `log_message ← handle`, or that there is no stack.
fn calls(signature: &str) -> String {
    if signature.is_empty() { "no stack".into() } else { signature.to_owned() }
}

fn of_lock(lock: &Lock<'_>) -> Vec<String> {
    let mut lines = vec![words::lock_kind(lock), words::full_lock_name(lock)];
    if let Some(class) = &lock.class {
        lines.push(format!("guards {}", words::id_of(class).replace('-', " ")));
    }
    let has_holder = waits::row(lock.kind).has_holder;
    lines.extend(match lock.holder.kind {
        HolderKind::Free => Some("free: nobody holds it".to_owned()),
        HolderKind::Unknown if lock.holders.is_empty() && has_holder => {
            Some(match lock.holder.candidates.len() {
                0 => "holder not known".to_owned(),
                n => format!("holder not known, {}", words::counted(n as u64, "candidate")),
            })
        }
        _ => None,
    });
    lines
}

impl EdgeKind {
    /// What it says of both ends.
    pub fn says(self) -> &'static str {
        match self {
            Self::HeldBy => "held by",
            Self::PerhapsHeldBy => "perhaps held by",
            Self::WaitsFor => "waits for",
        }
    }
}

impl Edge {
    /// Its label: what a look at both ends does not say.
    pub fn label(&self, graph: &WaitGraph<'_>) -> String {
        let says = self.kind.says();
        let one_end = if self.kind == EdgeKind::WaitsFor { self.from } else { self.to };
        let all = graph.nodes.get(one_end).map_or(0, Node::threads);
        let count = if self.count == all || all == 0 && self.count == 1 {
            String::new()
        } else {
            format!(" ({} of {})", words::count(self.count), words::count(all))
        };
        let how = if self.certainty == Certainty::Inferred && self.kind == EdgeKind::HeldBy {
            ", inferred"
        } else {
            ""
        };
        format!("{says}{count}{how}")
    }
}

/// The colour of a state: light, so that black text can be read on it.
pub fn color(state: Option<State>) -> &'static str {
    match state {
        Some(State::Running) => "#d3f0d0",
        Some(State::Spinning) => "#ffd2a8",
        Some(State::LockWait) => "#ffdcd6",
        Some(State::CondWait) => "#e5dcf7",
        Some(State::IoWait) => "#cfe5fb",
        Some(State::Sleeping) => "#e3e3e3",
        Some(State::Idle) => "#f2f2f2",
        Some(State::JoinWait) => "#fff0b8",
        Some(State::Runtime) => "#cdeeea",
        Some(State::Unknown) | None => "#ffffff",
    }
}

impl WaitGraph<'_> {
    /// Where the snapshot is from, what it is of, and what is not drawn of it.
    pub fn heading(&self, snapshot: &Snapshot<'_>) -> Vec<String> {
        let process = &snapshot.process;
        let threads = Some(words::counted(snapshot.threads.total, "thread"));
        let pid = process.pid.map(|pid| format!("pid {pid}"));
        let said: Vec<_> = [threads, process.name.map(str::to_owned), pid].into_iter().flatten().collect();
        let about = [snapshot.source.path.to_owned(), said.join(", ")];
        about.into_iter().chain(self.left_out()).flat_map(|text| heading(&text)).collect()
    }

    /// What is not drawn, in words; `None` where everything is.
    pub fn left_out(&self) -> Option<String> {
        let idle = (self.idle > 0).then(|| words::counted(self.idle, "idle thread"));
        let noun = if self.idle > 0 { "other thread" } else { "thread" };
        let apart = (self.apart > 0).then(|| words::counted(self.apart, noun));
        let parts: Vec<_> = idle.into_iter().chain(apart).collect();
        let verb = if self.idle + self.apart == 1 { "is" } else { "are" };
        (!parts.is_empty()).then(|| format!("{} {verb} not drawn", parts.join(" and ")))
    }
}

/// A text as a heading: in lines that are not too long.
pub fn heading(text: &str) -> Vec<String> {
    wrapped(text, HEADING)
}

/// Which inputs could not be analyzed, and why; nothing where all could.
pub fn failed_inputs(document: &Document<'_>) -> Vec<String> {
    let failed = document.failed_inputs().count();
    if failed == 0 {
        return Vec::new();
    }
    let mut said = vec![format!("{} could not be analyzed", words::counted(failed as u64, "input"))];
    said.extend(document.failed_inputs().take(FAILED).flat_map(|input| match input.error {
        Some(error) if error.starts_with(input.path) => heading(error),
        error => heading(&format!("{}: {}", input.path, error.unwrap_or_default())),
    }));
    let rest = failed.saturating_sub(FAILED);
    said.extend((rest > 0).then(|| format!("… and {} more", words::count(rest as u64))));
    said
}

//! The tree of `pstacks`: groups of threads with one stack, what several groups share below them, less indented.
//!
//! ```text
//!           ~~~~ 9c6c,4020,8f0,2cfc...
//!              25 System.Threading.Monitor.Enter(Object, Boolean ByRef)
//!              25 App.Cache.Get(String)
//!           ~~~~ 4b90
//!              1 System.Threading.ManualResetEventSlim.Wait(Int32, CancellationToken)
//!         26 App.Worker.Run()
//! ==> 26 threads with 1 roots
//! ```

use rustc_hash::FxHashSet;

use crate::formats::dotnet;
use crate::formats::text::{Body, Building, is_limited};
use crate::model::{GapKind, Thread, ThreadId};

/// So many threads without an id are added for a dump.
const MOST_THREADS: u64 = 200_000;

/// So many frames are read of a tree: each line may stand for all groups above it.
const MOST_FRAMES: usize = 2_000_000;

/// A group of threads.
struct Group {
    ids: Vec<String>,
    count: u64,
    /// Frames, newest first.
    frames: Vec<String>,
    /// The column of its outermost frames.
    column: usize,
    offset: u64,
}

/// Reads a tree, line by line.
#[derive(Default)]
pub(super) struct Reader {
    groups: Vec<Group>,
    /// The groups that the lines which come next belong to, and their column.
    open: Vec<usize>,
    column: usize,
    count: u64,
    is_after_marker: bool,
    announced: Option<u64>,
    has_ended: bool,
    /// Groups that were looked at, and frames that were added to them.
    steps: usize,
}

/// `==> 346 threads with 2 roots`, which stands before or below the tree.
pub(super) fn is_total(text: &str) -> bool {
    text.starts_with("==> ") && text.contains(" threads with ")
}

/// `~~~~ 9c6c,4020...`.
pub(super) fn is_marker(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix("~~~~ ") else { return false };
    let ids = rest.trim_end().trim_end_matches('.');
    ids.split(',').all(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `  25 System.Threading.Monitor.Enter(Object, Boolean ByRef)`.
pub(super) fn is_frame(text: &str) -> bool {
    parts(text.trim_start()).is_some()
}

fn parts(text: &str) -> Option<(u64, &str)> {
    let (count, name) = text.split_once(' ')?;
    let count = count.parse().ok()?;
    let name = name.trim();
    let is_name = name.contains('.') || name.contains('!') || name.ends_with(')');
    is_name.then_some((count, name))
}

impl Reader {
    /// The number of threads of a tree, which the producer writes below it and people quote above it.
    pub fn total(&mut self, text: &str) {
        self.has_ended = !self.groups.is_empty();
        self.announced = text.strip_prefix("==> ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    }

    /// Whether the tree is whole: a group that comes now is another one's.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Where the first group stands.
    pub fn offset(&self) -> Option<u64> {
        self.groups.first().map(|group| group.offset)
    }

    /// A marker or a frame, with its indentation.
    pub fn line(&mut self, line: &str, offset: u64) {
        let text = line.trim_start();
        if let Some(ids) = text.strip_prefix("~~~~ ") {
            let ids = ids.trim_end().trim_end_matches('.').split(',').map(str::to_owned).collect();
            self.groups.push(Group { ids, count: 0, frames: Vec::new(), column: usize::MAX, offset });
            self.open = vec![self.groups.len() - 1];
            self.is_after_marker = true;
            return;
        }
        let Some((count, name)) = parts(text) else { return };
        let column = line.len() - name.len();
        if self.is_after_marker {
            if let Some(group) = self.groups.last_mut() {
                group.count = count;
            }
        } else if column != self.column || count != self.count {
            self.open = self.below(column, count);
        }
        self.count = count;
        self.is_after_marker = false;
        self.column = column;
        self.steps += self.open.len();
        if self.steps > MOST_FRAMES {
            return;
        }
        for &n in &self.open {
            if let Some(group) = self.groups.get_mut(n) {
                group.frames.push(name.to_owned());
                group.column = column;
            }
        }
    }

    /// The groups above a line of this column: those before it that are indented more, as many as have its threads.
    fn below(&mut self, column: usize, count: u64) -> Vec<usize> {
        let mut found = Vec::new();
        let mut threads = 0u64;
        for (n, group) in self.groups.iter().enumerate().rev() {
            self.steps += 1;
            if group.column < column || threads >= count || self.steps > MOST_FRAMES {
                break;
            }
            threads = threads.saturating_add(group.count);
            found.push(n);
        }
        // A tree that was cut has frames without their groups.
        if threads == count { found } else { Vec::new() }
    }

    /// Adds the threads that the dump does not have from elsewhere.
    pub fn settle(&mut self, building: &mut Building) {
        let groups = std::mem::take(&mut self.groups);
        if groups.is_empty() {
            return;
        }
        let known: FxHashSet<u32> = building.snapshot.threads.iter().filter_map(|t| t.tid).collect();
        let mut total = 0u64;
        for group in groups {
            total = total.saturating_add(group.count);
            let frames = group.frames.iter().filter_map(|name| dotnet::frame(name)).map(Into::into).collect();
            let body = Body { frames, ..Body::default() };
            for id in &group.ids {
                let tid = u32::from_str_radix(id, 16).ok();
                if tid.is_some_and(|tid| known.contains(&tid)) {
                    continue;
                }
                let mut thread = Thread::new(ThreadId::Text(id.as_str().into()));
                thread.tid = tid;
                building.push(thread, &body, &[], group.offset);
            }
            let unnamed = group.count.saturating_sub(group.ids.len() as u64);
            if unnamed > MOST_THREADS || total > MOST_THREADS {
                let gaps = &mut building.snapshot.gaps;
                gaps.add_many(
                    GapKind::Limit,
                    "threads of groups were not counted",
                    unnamed,
                    Some(group.offset),
                );
                continue;
            }
            // The producer writes four ids of a group.
            for _ in 0..unnamed {
                building.push(Thread::new(ThreadId::Text("?".into())), &body, &[], group.offset);
            }
        }
        let missing = self.announced.map_or(0, |all| all.saturating_sub(total));
        if missing > 0 {
            let message =
                format!("groups with {missing} of the threads that pstacks counts are not in the text");
            is_limited(&mut building.snapshot, message, None);
        }
    }
}

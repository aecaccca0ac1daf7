//! What a whole stack says: what the thread waits for, in which function, and which frames tell
//! threads apart.

use smallvec::SmallVec;

use super::saying::{Saying, WaitPlace, runs_callers_code};
use super::words::{Words, components};
use super::{Meaning, Meanings, NameKind, ResourceClass, Role, TestRun, WaitKind, test_run};
use crate::model::{FrameIx, FrameKind, StackTable};

/// What a stack means. Frames are indices into the stack, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct StackMeaning {
    /// The outermost library function of the lock or wait at the top: `pthread_mutex_lock`.
    pub wait_frame: Option<usize>,
    /// What the thread waits for. `None` when it runs.
    pub wait: Option<WaitKind>,
    /// What the wait is for; without one [`Role::Abort`], [`Role::Runtime`] or [`Role::User`].
    pub role: Role,
    /// The function of the program that locks or waits.
    pub caller: Option<usize>,
    /// The frames that make the signature: without abort plumbing, lock and wait internals, runtime
    /// plumbing, test frameworks and thread bases. Never empty, unless the stack is.
    pub meaningful: Vec<u32>,
    /// A worker or event loop that waits for work, as its functions say.
    pub is_idle_pool: bool,
    /// The resource that the thread is in or waits for.
    pub class: Option<ResourceClass>,
    /// The thread ends the process.
    pub is_abort: bool,
    /// No frame has a name: what the thread does is not known.
    pub is_nameless: bool,
    /// The test that it runs.
    pub test: Option<TestRun>,
}

/// Frames without a name or role of their own that may stand inside of the plumbing.
const MAX_GAP: usize = 4;
/// Functions of a lock without a row between its wait and the one that has a row.
const MAX_INSIDE: usize = 3;
/// Frames of the program that are asked whether they wait for work.
const MAX_POOL_FRAMES: usize = 4;

/// Reads a stack.
pub fn read(stack: &[FrameIx], stacks: &StackTable, meanings: &Meanings) -> StackMeaning {
    let view = |&ix: &FrameIx| View {
        meaning: meanings.get(ix),
        ix,
        is_signal: stacks.get(ix).kind == FrameKind::SignalHandler,
    };
    let reader = Reader { frames: stack.iter().map(view).collect(), meanings };
    StackMeaning { test: test_run::of(stack, stacks, meanings), ..reader.read() }
}

#[derive(Clone, Copy)]
struct View<'a> {
    meaning: &'a Meaning,
    ix: FrameIx,
    is_signal: bool,
}

impl View<'_> {
    fn role(&self) -> Role {
        self.meaning.role
    }

    fn is_work(&self) -> bool {
        self.role() == Role::Idle && self.meaning.wait == Some(WaitKind::Work)
    }

    fn is_plumbing(&self) -> bool {
        matches!(self.role(), Role::Lock | Role::Wait | Role::Spin | Role::Io | Role::Sleep)
            || (self.role() == Role::Idle && !self.is_work())
    }

    fn is_nameless(&self) -> bool {
        self.meaning.kind == NameKind::Nothing
    }

    /// `libQt6Core.so.6+0x2a0bd3`
    fn has_only_a_place(&self) -> bool {
        self.meaning.kind == NameKind::Place
    }

    /// Says nothing: system call stubs, frames that nobody could name.
    fn is_transparent(&self) -> bool {
        self.is_nameless() || (self.role() == Role::Runtime && self.meaning.class.is_none())
    }

    fn is_program(&self) -> bool {
        self.role() == Role::User || self.is_work()
    }

    fn is_signal(&self) -> bool {
        self.is_signal || self.meaning.kind == NameKind::SignalHandler
    }

    /// Go's `panic`: what stands above it are deferred functions, which run before the process ends.
    fn runs_deferred(&self) -> bool {
        self.is_abort() && matches!(&*self.meaning.name, "panic" | "runtime.gopanic")
    }

    fn is_abort(&self) -> bool {
        self.role() == Role::Abort && !self.is_signal()
    }
}

struct Reader<'a> {
    frames: SmallVec<[View<'a>; MOST_KEPT]>,
    meanings: &'a Meanings,
}

/// Stacks with more frames than this cost an allocation.
const MOST_KEPT: usize = 64;

impl Reader<'_> {
    /// What the name of the frame at this place says.
    fn saying(&self, at: usize) -> Saying {
        self.meanings.saying(self.frames[at].ix)
    }

    fn read(&self) -> StackMeaning {
        let mut result = StackMeaning::default();
        let last = self.plumbing_end();
        let cut = self.abort_end(last);
        result.is_abort = self.frames[..cut].iter().any(View::is_abort);
        result.is_nameless =
            !self.frames.is_empty() && self.frames.iter().all(|f| f.is_nameless() || f.has_only_a_place());
        let start = match last {
            Some(end) if cut == 0 => end + 1,
            _ => cut,
        };
        if let Some(end) = last {
            let (frame, role, wait) = self.wait_of(end);
            (result.wait_frame, result.role, result.wait) = (Some(frame), role, Some(wait));
        }
        let after = last.map_or(start, |end| end + 1);
        let library = self.library_end(after);
        let program = || (library..self.frames.len()).filter(|&at| self.frames[at].is_program());
        // Of a function that nobody could name its caller says more.
        result.caller = program().find(|&at| !self.frames[at].is_nameless()).or_else(|| program().next());
        result.class = self.class(last, after, library, result.caller);
        self.refine(&mut result, after == library);
        result.meaningful = self.meaningful(start, last);
        result.is_idle_pool = self.is_idle_pool(&result, library);
        if last.is_none() {
            result.role = self.role_without_wait(start, &result);
        }
        result
    }

    /// The outermost frame of the run of lock, wait and I/O functions at the top.
    fn plumbing_end(&self) -> Option<usize> {
        let (mut last, mut gap) = (None, 0);
        for (at, frame) in self.frames.iter().enumerate() {
            if frame.is_plumbing() {
                (last, gap) = (Some(at), 0);
            } else if frame.is_transparent() && gap < MAX_GAP {
                gap += 1;
            } else if last.is_none() || !self.is_inside_lock(at) {
                break;
            }
        }
        last
    }

    /// Whether a function is one of a lock's own, whatever it is called: a lock that waits calls nobody else.
    ///
    /// ```text
    /// #0  folly::futexWaitImpl
    /// #1  folly::SharedMutexImpl<…>::WaitForever::doWait        no row
    /// #2  folly::SharedMutexImpl<…>::lockExclusiveImpl
    /// ```
    fn is_inside_lock(&self, at: usize) -> bool {
        let outer = self.frames.iter().skip(at).take(MAX_INSIDE + 1);
        let mut outer = outer.take_while(|frame| !frame.is_signal() && !frame.is_abort());
        outer.any(|frame| {
            let wait = frame.meaning.wait;
            // Others call functions of the program: a one-time initialization, a guard of any class.
            frame.role() == Role::Lock
                && !runs_callers_code(&frame.meaning.name)
                && matches!(wait, Some(WaitKind::Mutex | WaitKind::RwLockRead | WaitKind::RwLockWrite))
        })
    }

    /// The outermost frame says what it is, except that a lock inside of a wait is what holds the
    /// thread up: a condition variable's mutex on the way out, the lock of a queue, the interpreter
    /// lock after a sleep. Then the outermost function of that lock is the one that waits.
    fn wait_of(&self, end: usize) -> (usize, Role, WaitKind) {
        let (mut frame, mut role, mut wait) = (end, Role::Wait, WaitKind::Futex);
        for (at, outer) in self.frames[..=end].iter().enumerate().filter(|(_, f)| f.is_plumbing()) {
            let Some(outer_wait) = outer.meaning.wait else { continue };
            let is_definite_lock = role == Role::Lock && wait != WaitKind::Futex;
            let says_more = outer_wait != WaitKind::Futex || wait == WaitKind::Futex;
            if is_definite_lock && !matches!(outer.role(), Role::Lock | Role::Spin) {
                continue;
            }
            frame = at;
            if says_more || outer.role() == Role::Lock {
                (role, wait) = (outer.role(), outer_wait);
            }
        }
        // A guard (`std::unique_lock`) takes any lock: which one, the functions under it say.
        let is_rwlock = |w: &WaitKind| matches!(w, WaitKind::RwLockRead | WaitKind::RwLockWrite);
        let under = self.frames[..=frame].iter().filter_map(|f| f.meaning.wait).find(is_rwlock);
        let wait = match (wait, under) {
            (WaitKind::Mutex, Some(rwlock)) => rwlock,
            (WaitKind::Futex, _) if role == Role::Lock => WaitKind::Mutex,
            (wait, _) => wait,
        };
        (frame, role, wait)
    }

    /// Behind the library functions that called the lock: `printf`, `malloc`, `dlopen`.
    fn library_end(&self, from: usize) -> usize {
        let mut end = from;
        for (at, frame) in self.frames.iter().enumerate().skip(from) {
            if frame.role() == Role::Runtime {
                end = at + 1;
            } else if !frame.is_nameless() {
                break;
            }
        }
        end
    }

    /// Where the program stands, behind abort plumbing and signal handlers. 0 when there is none,
    /// or when the handler itself waits: then that is what the thread does.
    fn abort_end(&self, last: Option<usize>) -> usize {
        let signal = self.frames.iter().rposition(|f| f.is_signal() || f.runs_deferred());
        if let Some(end) = last {
            let is_lock = self.frames[end].role() == Role::Lock;
            let dies = signal.is_some_and(|at| self.frames[end..at].iter().any(View::is_abort));
            if is_lock || !dies {
                return 0;
            }
        }
        let first = self.frames.iter().position(|f| !f.is_transparent() && !f.has_only_a_place());
        let starts_with_abort = first.is_some_and(|at| at < MAX_GAP && self.frames[at].is_abort());
        let mut end = match (signal, starts_with_abort) {
            (Some(at), _) => at + 1,
            (None, true) => first.unwrap_or(0) + 1,
            (None, false) => return 0,
        };
        while let Some(next) = self.next_abort(end, starts_with_abort) {
            end = next + 1;
        }
        end
    }

    /// The next frame of the plumbing; handlers of the program may stand in between.
    fn next_abort(&self, from: usize, may_skip: bool) -> Option<usize> {
        let reach = if may_skip { MAX_GAP } else { 0 };
        let rest = self.frames.get(from..)?;
        let next = rest.iter().take(reach + 1).rposition(|f| f.is_abort() || f.is_signal());
        // An exception on its way: `__cxa_throw` below `std::terminate`.
        let runtime =
            rest.first().filter(|f| f.role() == Role::Runtime && f.meaning.class.is_none()).map(|_| 0);
        next.or(runtime).map(|n| from + n)
    }

    fn class(
        &self,
        last: Option<usize>,
        after: usize,
        library: usize,
        caller: Option<usize>,
    ) -> Option<ResourceClass> {
        let plumbing = last.map_or(0..0, |end| 0..end + 1);
        let class_in = |mut range: std::ops::Range<usize>| range.find_map(|at| self.frames[at].meaning.class);
        let class = class_in(plumbing).or_else(|| class_in(after..library));
        class.or_else(|| {
            let mut at = caller?;
            // `MyMutex::lock` belongs to whoever calls it.
            while self.saying(at).place != WaitPlace::ForWork
                && self.saying(at).is_lock_wrapper
                && self.frames.get(at + 1).is_some_and(View::is_program)
            {
                at += 1;
            }
            self.frames[at].meaning.class
        })
    }

    /// What the library that locks, or the function that makes a bare system call, adds.
    fn refine(&self, result: &mut StackMeaning, is_called_by_program: bool) {
        if result.wait == Some(WaitKind::Mutex) && !is_called_by_program {
            result.wait = match result.class {
                Some(ResourceClass::Allocator) => Some(WaitKind::Allocator),
                Some(ResourceClass::Stdio) => Some(WaitKind::StdioFile),
                Some(ResourceClass::Loader) => Some(WaitKind::Loader),
                _ => result.wait,
            };
        }
        let is_bare = result.wait_frame.is_some_and(|at| self.frames[at].meaning.name.as_ref() == "syscall");
        let Some(caller) = result.caller.filter(|_| is_bare) else { return };
        let name = &self.frames[caller].meaning.name;
        let words = components(name).next_back().map(Words::of).unwrap_or_default();
        let has = |word: &str| words.have(&[word]);
        let refined = if has("mutex") && has("lock") {
            (Role::Lock, WaitKind::Mutex)
        } else if has("epoll") || has("poll") || has("getevents") {
            (Role::Idle, WaitKind::Poll)
        } else if has("sleep") || has("nanosleep") {
            (Role::Sleep, WaitKind::Sleep)
        } else {
            return;
        };
        (result.role, result.wait) = (refined.0, Some(refined.1));
    }

    fn meaningful(&self, start: usize, last: Option<usize>) -> Vec<u32> {
        let bottom = self.base_start();
        let queue = (0..start.min(bottom)).rev().find(|&at| self.frames[at].meaning.is_queue);
        let kept = (start..bottom).filter(|&at| self.is_kept(at, bottom));
        // Made at once: a profile has a hundred thousand of them.
        let mut all: Vec<u32> = Vec::with_capacity(bottom.saturating_sub(start) + 1);
        all.extend(queue.into_iter().chain(kept).map(|at| at as u32));
        if all.is_empty() {
            // Only plumbing: its outermost function, or whatever there is.
            let named = |at: &usize| !self.frames[*at].is_nameless();
            let last =
                last.or_else(|| (start..bottom).find(named)).or_else(|| (0..self.frames.len()).find(named));
            all.extend(last.or(if self.frames.is_empty() { None } else { Some(0) }).map(|at| at as u32));
        }
        all
    }

    fn is_kept(&self, at: usize, bottom: usize) -> bool {
        let frame = self.frames[at];
        match frame.role() {
            Role::User => !frame.is_nameless(),
            Role::Abort => frame.is_signal(),
            Role::Idle => frame.is_work(),
            // The outermost of several is the one that the program called: `printf`, `malloc`.
            Role::Runtime => {
                frame.meaning.class.is_some()
                    && !self.frames[at + 1..bottom]
                        .iter()
                        .take_while(|f| f.role() == Role::Runtime)
                        .any(|f| f.meaning.class.is_some())
            }
            _ => false,
        }
    }

    /// Where the thread's first functions begin.
    fn base_start(&self) -> usize {
        let mut start = self.frames.len();
        let mut unnamed = 0;
        for (at, frame) in self.frames.iter().enumerate().rev() {
            match frame.role() {
                Role::Base => (start, unnamed) = (at, 0),
                Role::Runtime => {}
                _ if frame.is_nameless() => {}
                // What calls a thread's first function is no part of the program, named or not.
                _ if frame.has_only_a_place() && unnamed < MAX_GAP => unnamed += 1,
                _ => break,
            }
        }
        start
    }

    fn is_idle_pool(&self, result: &StackMeaning, from: usize) -> bool {
        // A thread that reads is idle only where a row says that it reads what there is to do.
        let reads =
            result.role == Role::Io && matches!(result.wait, Some(WaitKind::Read | WaitKind::OtherIo));
        let may_be_idle = (reads || matches!(result.role, Role::Wait | Role::Idle | Role::Sleep))
            && !matches!(result.wait, Some(WaitKind::Join | WaitKind::Child | WaitKind::Barrier) | None);
        if result.is_abort || !may_be_idle {
            return false;
        }
        let bottom = self.base_start();
        let program = (from..bottom).filter(|&at| self.frames[at].is_program()).take(MAX_POOL_FRAMES);
        for at in program {
            let frame = self.frames[at];
            if frame.is_work() {
                return true;
            }
            if reads {
                return false;
            }
            let is_outermost = !self.frames[at + 1..bottom].iter().any(View::is_program);
            match self.saying(at).place {
                WaitPlace::ForWork => return !self.is_dispatched(at, bottom),
                _ if is_outermost && self.saying(at).is_thread_main => return true,
                WaitPlace::Wrapper => {}
                WaitPlace::Unknown => return false,
            }
        }
        false
    }

    /// An event loop called it, which waits for work itself: until it returns the loop stands still.
    fn is_dispatched(&self, at: usize, bottom: usize) -> bool {
        let outer = self.frames.get(at + 1..bottom).unwrap_or_default();
        outer.iter().any(|frame| EVENT_LOOPS.iter().any(|name| frame.meaning.name.starts_with(name)))
    }

    fn role_without_wait(&self, start: usize, result: &StackMeaning) -> Role {
        if result.is_abort {
            return Role::Abort;
        }
        match self.frames.get(start) {
            Some(frame) if frame.role() == Role::Runtime && frame.meaning.class.is_some() => Role::Runtime,
            _ => Role::User,
        }
    }
}

/// Event loops that run the program's functions in turn, as beginnings: Android's, Apple's, Qt's, GLib's.
const EVENT_LOOPS: [&str; 5] =
    ["android.os.Looper.loop", "CFRunLoopRun", "_CFRunLoopRun", "QEventLoop::exec", "g_main_loop_run"];

//! What each thread does and waits for, which locks there are, and who holds them.
//!
//! [`observe`](native) looks at each thread for itself, in parallel: its state, and what it waits
//! for as an address, a symbol or a place in the code. [`gather`](gather) makes locks of these,
//! decodes them and resolves their owners; [`infer`](infer) looks for the holders of those that
//! name none. [`LOCKS`] is the table of the kinds of locks.

mod activity;
mod by_stack;
mod class;
mod classify;
mod gather;
mod in_frames;
mod infer;
mod kinds;
mod lock;
mod locks;
mod native;
mod observation;
mod parked;
mod printed;
mod quiet;
mod reported;
mod runtimes;
mod script;
mod sections;
mod spin;
mod text;
mod text_silent;
mod text_spin;
mod text_stack;
mod threads;
mod words;

pub use activity::{Activity, CHILD, Call, Target, Wait, Waits};
pub use gather::analyze;
pub use infer::LIKELY_POINTS;
pub use kinds::{Identity, LockKind, State};
pub use lock::{Candidate, Holder, Lock, LockIx};
pub use locks::{LOCKS, LockRow, row};
pub use native::Native;
pub use quiet::{Quiet, Told};
pub use words::Words;

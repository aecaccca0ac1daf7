//! `logjam` reads the dump of a process with thousands of stuck threads and says what they are
//! stuck on, who holds it, what the holder is doing and what to do next.
//!
//! The modules stand in the order of the data flow; each sees only what stands before it
//! (`docs/ARCHITECTURE.md`, held by `tests/architecture.rs`). [`pipeline`] is the one module
//! that names every stage.

pub mod model;

pub mod input;

pub mod arch;

pub mod formats;

pub mod modules;

pub mod unwind;

pub mod symbols;

pub mod normalize;

pub mod waits;

pub mod cluster;

pub mod rules;

pub mod diagnosis;

pub mod check;

pub mod redact;

pub mod report;

pub mod pipeline;

pub mod config;

pub mod cli;

pub use pipeline::{Options, analyze};

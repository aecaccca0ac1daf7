//! All reporters are tested on the same diagnoses: see [`sample`].

mod builder;
mod explain;
mod json;
mod reporters;
pub mod sample;
mod text;

//! All reporters are tested on the same diagnoses: see [`sample`].

mod builder;
mod json;
mod reporters;
pub mod sample;
mod text;

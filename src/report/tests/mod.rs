//! All reporters are tested on the same diagnoses: see [`sample`].

mod json;
mod reporters;
pub mod sample;

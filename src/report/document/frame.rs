//! A frame of a stack.

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::Hex;
use crate::model::Trust;
use crate::normalize::Role;

/// One call of a stack.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Frame<'a> {
    /// The function: demangled, without parameters and versions; module and offset (`libfoo.so+0x1234`)
    /// where it has no name.
    pub function: &'a str,
    /// The module's file name, or its path where the dump prints that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<&'a str>,
    /// Source file, as the debug information or the dump names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Line in the source file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Address in the process: of the instruction for the newest frame, the return address else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Hex>,
    /// Whether the compiler inlined the call into the next frame; left out where it did not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inlined: bool,
    /// How the frame was found; binary formats only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// What the function is for, as far as waiting is concerned.
    pub role: Role,
}

/// The place in the program that a person would open first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Location<'a> {
    /// The function, named as in frames.
    pub function: &'a str,
    /// The module's file name, or its path where the dump prints that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<&'a str>,
    /// Source file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Line in the source file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl<'a> From<Frame<'a>> for Location<'a> {
    fn from(frame: Frame<'a>) -> Self {
        Self { function: frame.function, module: frame.module, file: frame.file, line: frame.line }
    }
}

//! A stack: frames that are resolved when they are asked for. A profile may have a million of them, of which a reporter
//! shows some dozen.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::frame::Frame;
use super::resolve::Resolver;
use crate::model::{FrameIx, StackIx};

/// The frames of a stack, newest first.
#[derive(Clone, Copy)]
pub struct Frames<'a> {
    names: Resolver<'a>,
    frames: &'a [FrameIx],
}

impl<'a> Frames<'a> {
    pub(super) fn of(stack: StackIx, names: Resolver<'a>) -> Self {
        Self { names, frames: names.analyzed.snapshot.stacks.frames_of(stack) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frame at this place, from 0.
    pub fn get(&self, at: usize) -> Option<Frame<'a>> {
        self.frames.get(at).map(|frame| self.names.frame(*frame))
    }

    /// All of them, newest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Frame<'a>> + ExactSizeIterator + use<'a> {
        let names = self.names;
        self.frames.iter().map(move |frame| names.frame(*frame))
    }
}

impl fmt::Debug for Frames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl JsonSchema for Frames<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Frames".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<Frame<'_>>>::json_schema(generator)
    }
}

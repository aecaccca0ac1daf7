//! What blocks say, each read once however many pieces of the text have it.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::chunk::Chunk;
use super::grammar::{BlockLine, Body, Grammar};
use super::templates::Template;
use crate::model::StackIx;

/// Index of a body.
pub(super) type BodyIx = usize;

/// All blocks of a text so far.
#[derive(Default)]
pub(super) struct Bodies {
    lines: Vec<Line>,
    line_of: FxHashMap<Box<str>, u32>,
    body_of: FxHashMap<Box<[u32]>, BodyIx>,
    bodies: Vec<Known>,
}

/// A line of a block: its text and how many slots it has.
struct Line {
    text: Box<str>,
    slots: usize,
}

/// A body, and its stack in the snapshot in which it was last used.
pub(super) struct Known {
    pub body: Body,
    /// The number of the snapshot, and the stack.
    pub stack: Option<(u32, StackIx)>,
}

impl Bodies {
    /// The body of each block of the chunks, which are read where they are new.
    pub fn of<G: Grammar>(&mut self, grammar: &G, chunks: &[Chunk]) -> Vec<Vec<BodyIx>> {
        let mut new: Vec<Box<[u32]>> = Vec::new();
        let places = chunks
            .iter()
            .map(|chunk| {
                let lines: Vec<u32> = chunk.templates.all().map(|template| self.line(template)).collect();
                let global = |block: &[u32]| -> Box<[u32]> {
                    block.iter().filter_map(|&ix| lines.get(ix as usize)).copied().collect()
                };
                let blocks = chunk.blocks.iter().map(|block| global(block));
                blocks
                    .map(|block| {
                        let next = self.body_of.len();
                        *self.body_of.entry(block).or_insert_with_key(|block| {
                            new.push(block.clone());
                            next
                        })
                    })
                    .collect()
            })
            .collect();
        let lines = &self.lines;
        let read: Vec<Known> = new
            .into_par_iter()
            .with_min_len(64)
            .map(|block| {
                let mut slot = 0;
                let lines = block.iter().filter_map(|&ix| lines.get(ix as usize)).map(|line| {
                    let read = BlockLine { text: &line.text, slot };
                    slot += line.slots;
                    read
                });
                Known { body: grammar.body(&lines.collect::<Vec<_>>()), stack: None }
            })
            .collect();
        self.bodies.extend(read);
        places
    }

    /// A body.
    pub fn get_mut(&mut self, ix: BodyIx) -> Option<&mut Known> {
        self.bodies.get_mut(ix)
    }

    fn line(&mut self, template: &Template) -> u32 {
        match self.line_of.get(&template.text) {
            Some(&known) => known,
            None => {
                let ix = self.lines.len() as u32;
                self.lines.push(Line { text: template.text.clone(), slots: template.slots });
                self.line_of.insert(template.text.clone(), ix);
                ix
            }
        }
    }
}

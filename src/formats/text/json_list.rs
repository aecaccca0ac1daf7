//! Long lists of threads in JSON: read in parallel, and each stack once.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bodies::Known;
use super::building::Building;
use super::grammar::Body;
use crate::model::{Frame, GapKind};

/// An element of a list.
pub struct Record<R> {
    /// Its number in the list, from 0 on.
    pub number: usize,
    /// What it says.
    pub said: R,
    /// Its stack in [`Part::stacks`].
    pub stack: usize,
}

/// A part of a list.
pub struct Part<R> {
    /// Its elements.
    pub records: Vec<Record<R>>,
    /// The stacks.
    pub stacks: Vec<Known>,
    /// Elements of another form.
    foreign: u64,
    /// Elements whose stacks have another form.
    without_stack: u64,
}

impl<R> Part<R> {
    /// Whether one of its frames is like this.
    pub fn has_frame(&self, is_meant: impl Fn(&Frame) -> bool) -> bool {
        self.stacks.iter().flat_map(|stack| &stack.body.frames).any(|frame| is_meant(&frame.frame))
    }

    /// Says in the snapshot what was not understood.
    pub fn tell(&self, building: &mut Building, offset: u64) {
        for (count, message) in [
            (self.foreign, "threads of another form were passed over"),
            (self.without_stack, "stacks of another form were passed over"),
        ] {
            if count > 0 {
                building.snapshot.gaps.add_many(GapKind::SkippedText, message, count, Some(offset));
            }
        }
        building.snapshot.is_complete &= self.foreign == 0;
    }
}

/// Reads the elements of a list, in its order. `stack`: the text of an element's stack; `body`: what such a text says,
/// asked for once for each text of a part.
pub fn parts<'d, R: Deserialize<'d> + Send>(
    list: &[&'d RawValue],
    stack: impl Fn(&R) -> Option<&'d RawValue> + Sync,
    body: impl Fn(&'d str) -> Option<Body> + Sync,
) -> Vec<Part<R>> {
    let size = list.len().div_ceil(rayon::current_num_threads() * PARTS_A_WORKER).max(SMALLEST_PART);
    let part = |(first, list): (usize, &[&'d RawValue])| {
        let mut part = Part { records: Vec::new(), stacks: Vec::new(), foreign: 0, without_stack: 0 };
        // The place of each text's stack, and whether it was understood.
        let mut known: FxHashMap<&'d str, (usize, bool)> = FxHashMap::default();
        for (number, element) in (first..).zip(list) {
            let Ok(record) = serde_json::from_str::<R>(element.get()) else {
                part.foreign += 1;
                continue;
            };
            let text = stack(&record).map(RawValue::get);
            let (stack, is_read) = *known.entry(text.unwrap_or_default()).or_insert_with(|| {
                let read = text.map_or_else(|| Some(Body::default()), &body);
                let is_read = read.is_some();
                part.stacks.push(Known::new(read.unwrap_or_default()));
                (part.stacks.len() - 1, is_read)
            });
            part.without_stack += u64::from(!is_read);
            part.records.push(Record { number, said: record, stack });
        }
        part
    };
    list.par_chunks(size).enumerate().map(|(n, list)| part((n * size, list))).collect()
}

const PARTS_A_WORKER: usize = 4;
const SMALLEST_PART: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Deserialize)]
    struct Element<'d> {
        #[serde(default, borrow)]
        stack: Option<&'d RawValue>,
    }

    #[test]
    fn each_stack_is_read_once_and_what_is_none_is_counted() {
        let text = r#"[{"stack": [1]}, 5, {"stack": "x"}, {"stack": [1]}, {}, {"stack": "x"}]"#;
        let list: Vec<&RawValue> = serde_json::from_str(text).unwrap();
        let asked = AtomicUsize::new(0);
        let body = |text: &str| {
            asked.fetch_add(1, Ordering::Relaxed);
            serde_json::from_str::<Vec<u64>>(text).ok().map(|_| Body::default())
        };
        let parts = parts(&list, |element: &Element<'_>| element.stack, body);
        let [part] = parts.as_slice() else { panic!("{} parts", parts.len()) };
        let records: Vec<_> = part.records.iter().map(|record| (record.number, record.stack)).collect();
        assert_eq!(records, [(0, 0), (2, 1), (3, 0), (4, 2), (5, 1)]);
        assert_eq!((part.foreign, part.without_stack, part.stacks.len()), (1, 2, 3));
        assert_eq!(asked.into_inner(), 2);
    }
}

//! Which module an address belongs to: sorted ranges and a binary search.

/// Headers of a hostile dump may claim all of the address space many times over.
const MAX_RANGES: usize = 500_000;

/// Ranges that do not overlap, each with a number.
#[derive(Clone, Debug, Default)]
pub struct RangeIndex {
    /// `(start, end, number)`, sorted.
    ranges: Vec<(u64, u64, u32)>,
}

impl RangeIndex {
    /// `sure` ranges win over `stated` ones: a file mapping is a fact of the dump, a segment of a
    /// program header reaches into `.bss` and is clipped at what lies there.
    pub fn new(sure: Vec<(u64, u64, u32)>, stated: Vec<(u64, u64, u32)>) -> Self {
        let sure = without_overlaps(sure);
        let mut ranges = sure.clone();
        for (start, end, number) in stated {
            let mut from = start;
            let mut next = sure.partition_point(|r| r.1 <= start);
            while from < end && ranges.len() < MAX_RANGES {
                let Some(&(s, e, _)) = sure.get(next).filter(|r| r.0 < end) else {
                    ranges.push((from, end, number));
                    break;
                };
                ranges.push((from, s.max(from), number));
                from = from.max(e);
                next += 1;
            }
        }
        Self { ranges: without_overlaps(ranges) }
    }

    /// The number of the range that contains the address.
    pub fn at(&self, address: u64) -> Option<u32> {
        let after = self.ranges.partition_point(|r| r.0 <= address);
        let &(_, end, number) = self.ranges.get(after.checked_sub(1)?)?;
        (address < end).then_some(number)
    }

    /// Lowest address and highest plus one of the ranges of each number below `count`.
    pub fn extents(&self, count: usize) -> Vec<Option<(u64, u64)>> {
        let mut extents: Vec<Option<(u64, u64)>> = vec![None; count];
        for &(start, end, number) in &self.ranges {
            if let Some(extent) = extents.get_mut(number as usize) {
                let (low, high) = extent.unwrap_or((start, end));
                *extent = Some((low.min(start), high.max(end)));
            }
        }
        extents
    }

    /// Gives each range a new number.
    pub fn renumber(&mut self, new: impl Fn(u32) -> u32) {
        for range in &mut self.ranges {
            range.2 = new(range.2);
        }
    }
}

/// Sorts; of two ranges that overlap the one that begins first keeps the common part.
fn without_overlaps(mut ranges: Vec<(u64, u64, u32)>) -> Vec<(u64, u64, u32)> {
    ranges.sort_unstable();
    let mut last_end = 0;
    ranges.retain_mut(|r| {
        r.0 = r.0.max(last_end);
        let keeps = r.0 < r.1;
        if keeps {
            last_end = r.1;
        }
        keeps
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_ranges_fill_the_gaps_between_sure_ones() {
        let index = RangeIndex::new(vec![(10, 20, 0), (30, 40, 1)], vec![(0, 50, 2)]);
        let at: Vec<_> = [0, 9, 10, 19, 20, 29, 30, 40, 49, 50].iter().map(|&a| index.at(a)).collect();
        let expected =
            [Some(2), Some(2), Some(0), Some(0), Some(2), Some(2), Some(1), Some(2), Some(2), None];
        assert_eq!(at, expected);
    }

    #[test]
    fn bss_is_clipped_at_the_next_module() {
        let index = RangeIndex::new(vec![(10, 20, 0), (25, 40, 1)], vec![(15, 30, 0)]);
        assert_eq!(index.at(24), Some(0));
        assert_eq!(index.at(25), Some(1));
        assert_eq!(index.extents(2), vec![Some((10, 25)), Some((25, 40))]);
    }
}

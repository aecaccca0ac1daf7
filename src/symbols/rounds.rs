//! Which unit is asked for an address that several claim.

use super::SourceFrame;
use super::units::UnitWork;

/// After so many units that claimed an address and did not know it, the others are asked at once.
const ROUNDS: usize = 4;
/// As many of them as are asked then. Only damaged or hostile files come here.
const MAX_LAST: usize = 500;

/// Several units may claim an address: GNU ld keeps one copy of an inline function and lets the DWARF of
/// all its copies point to it. The first that claims an address is asked first, the others only where that
/// one knows nothing.
pub fn in_rounds(
    mut work: Vec<UnitWork>,
    frames: &mut Vec<Vec<SourceFrame>>,
    mut ask: impl FnMut(&[UnitWork], &mut Vec<Vec<SourceFrame>>),
) {
    for _ in 0..ROUNDS {
        let first = first_claims(&mut work, frames.len());
        ask(&first, frames);
        work.retain_mut(|(_, places)| {
            places.retain(|&at| frames[at].is_empty());
            !places.is_empty()
        });
    }
    work.truncate(MAX_LAST);
    ask(&work, frames);
}

/// Takes each address out of the work of the first unit that claims it.
fn first_claims(work: &mut [UnitWork], addresses: usize) -> Vec<UnitWork> {
    let mut is_taken = vec![false; addresses];
    let mut first = Vec::new();
    for (unit, places) in work {
        let mut mine = Vec::new();
        places.retain(|&at| {
            let was_taken = std::mem::replace(&mut is_taken[at], true);
            if !was_taken {
                mine.push(at);
            }
            was_taken
        });
        if !mine.is_empty() {
            first.push((*unit, mine));
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(units: &[(usize, &[usize])]) -> Vec<UnitWork> {
        units.iter().map(|(unit, places)| (gimli::DebugInfoOffset(*unit), places.to_vec())).collect()
    }

    #[test]
    fn the_next_unit_is_asked_only_for_what_the_first_does_not_know() {
        let mut frames = vec![Vec::new(); 3];
        let mut asked = Vec::new();
        in_rounds(work(&[(10, &[0, 1]), (20, &[0, 1, 2]), (30, &[1])]), &mut frames, |work, frames| {
            for (unit, places) in work {
                asked.push((unit.0, places.clone()));
                // Unit 10 does not know the second address.
                for &at in places.iter().filter(|&&at| (unit.0, at) != (10, 1)) {
                    frames[at] = vec![SourceFrame::default()];
                }
            }
        });
        assert_eq!(asked, [(10, vec![0, 1]), (20, vec![2]), (20, vec![1])]);
    }
}

//! What gdb's pager left in its text.

/// How every question begins.
pub(super) const QUESTION: &str = "-Type <";

/// gdb's pager asks in the middle of whatever it prints, even within an address:
///
/// ```text
/// ---Type <return> to continue, or q <return> to quit---                                gdb 7
/// … abstime=abstime@entry=0x--Type <RET> for more, q to quit, c to continue without paging--
/// 7fffce5fed20, private=<optimized out>) at ./nptl/futex-internal.c:139                 gdb 15
/// --Type <RET> for more, q to quit, c to continue without paging--#9  0x000055af…      gdb 13, from a pipe
/// ```
pub(super) fn remove(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memmem::find(rest, QUESTION.as_bytes())) {
        let word = at + found;
        let rest = text.get(word..).unwrap_or_default();
        let window = rest.get(..rest.len().min(100)).unwrap_or_default();
        let Some(length) = question_length(window) else {
            out.extend_from_slice(text.get(at..word + 1).unwrap_or_default());
            at = word + 1;
            continue;
        };
        let before = text.get(at..word).unwrap_or_default();
        let dashes = before.iter().rev().take_while(|b| **b == b'-').count().min(2);
        out.extend_from_slice(before.get(..before.len() - dashes).unwrap_or_default());
        at = word + length + answer_length(text.get(word + length..).unwrap_or_default());
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

fn question_length(window: &[u8]) -> Option<usize> {
    let line = window.split(|b| *b == b'\n').next()?;
    let is_question = line.starts_with(b"-Type <RET>") || line.starts_with(b"-Type <return>");
    let close = memchr::memmem::find(line.get(8..)?, b"--")? + 8;
    is_question.then_some(close + line.get(close..)?.iter().take_while(|b| **b == b'-').count())
}

/// What the user typed, with its line break: nothing, `c` or `q`.
fn answer_length(rest: &[u8]) -> usize {
    let typed = rest.iter().take_while(|b| matches!(b, b'c' | b'q' | b' ' | b'\r')).count();
    if rest.get(typed) == Some(&b'\n') { typed + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> String {
        String::from_utf8(remove(text.as_bytes())).unwrap()
    }

    #[test]
    fn the_pager_is_cut_out() {
        let question = "--Type <RET> for more, q to quit, c to continue without paging--";
        assert_eq!(cleaned(&format!("#0  f ()\n{question}\n#1  g ()\n")), "#0  f ()\n#1  g ()\n");
        assert_eq!(cleaned(&format!("a=0x{question}\n7fff, b")), "a=0x7fff, b");
        assert_eq!(cleaned(&format!("#0  f ()\n{question}c\n#1  g ()\n")), "#0  f ()\n#1  g ()\n");
        assert_eq!(cleaned(&format!("#0  f ()\n{question}#1  g ()\n")), "#0  f ()\n#1  g ()\n");
        let old = "---Type <return> to continue, or q <return> to quit---";
        assert_eq!(cleaned(&format!("#0  f ()\n{old}\n#1  g ()\n")), "#0  f ()\n#1  g ()\n");
    }
}

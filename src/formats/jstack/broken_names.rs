//! Names with line breaks in the section of a deadlock, which prints them raw.
//!
//! ```text
//!   which is held by "pool "a"
//! 1"
//! ```

use crate::model::Str;

/// Whether a thread is called so, of whose name lines in the middle may be missing.
pub(super) fn is_called(whole: &str, name: &str) -> bool {
    let is_part = |(first, last): (&str, &str)| {
        let rest = whole.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
        rest.is_some_and(|rest| rest.starts_with('\n') && rest.ends_with('\n'))
    };
    whole == name || name.split_once('\n').is_some_and(is_part)
}

/// The name of an owner that ends with the first quote at the end of a line, or with a later one: the first of them that
/// is the name of a thread.
pub(super) fn whole_name(begin: &str, below: &[String], is_name: impl Fn(&str) -> bool) -> Str {
    let mut whole = format!("{begin}\"");
    let others = below.iter().filter_map(|line| {
        whole.push('\n');
        whole.push_str(line.trim_end());
        whole.strip_suffix('"').map(str::to_owned)
    });
    let mut all = std::iter::once(begin.to_owned()).chain(others);
    all.find(|name| is_name(name)).map_or_else(|| begin.into(), Into::into)
}

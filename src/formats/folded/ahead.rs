//! What a log, a mail or a container put ahead of a stack in its line.
//!
//! ```text
//! > main;run;log_it;write 30                                        a mail
//! web-1  | main;run;log_it;write 30                                 docker compose
//! [pod/web-1/app] main;run;log_it;write 30                          kubectl logs --prefix
//! [2025-03-14 02:28:16,550] ERROR main;run;log_it;write 30          a log
//! {"log":"main;run;log_it;write 30\n","stream":"stdout"}            docker's json-file driver
//! ```

use std::borrow::Cow;

/// Where the frames begin of which a line's frames are said to be: behind the time and the words after it, the marks of a
/// quotation, the name of a container.
pub(super) fn length(frames: &str) -> usize {
    let root = frames.split(';').next().unwrap_or_default();
    [of_log(root), of_container(root), of_mail(root)].into_iter().flatten().next().unwrap_or(0)
}

fn of_log(root: &str) -> Option<usize> {
    let has_time = root
        .as_bytes()
        .windows(5)
        .any(|w| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit())));
    if has_time { root.rfind(' ').map(|at| at + 1) } else { None }
}

/// `web-1  | `, `[pod/web-1/app] `
fn of_container(root: &str) -> Option<usize> {
    if root.starts_with("[pod/") {
        return root.find("] ").map(|at| at + 2);
    }
    let (name, _) = root.split_once(" | ")?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_one = !name.trim_end().is_empty() && name.trim_end().bytes().all(is_name);
    is_one.then_some(name.len() + 3)
}

/// `> `, `>> `, `| `
fn of_mail(root: &str) -> Option<usize> {
    let marks = root.bytes().take_while(|b| matches!(b, b'>' | b'|' | b' ')).count();
    let is_mark = root.trim_start().starts_with(['>', '|']) && root.get(..marks)?.ends_with(' ');
    is_mark.then_some(marks)
}

/// Keys under which loggers and containers write a line.
static KEYS: &[&str] = &["\"log\":", "\"message\":", "\"msg\":", "\"line\":", "\"textPayload\":"];

/// What stands in a JSON string of a line, and where in the line it begins.
pub(super) fn json(line: &str) -> Option<(usize, Cow<'_, str>)> {
    if !line.trim_start().starts_with('{') {
        return None;
    }
    KEYS.iter().find_map(|key| {
        let after = line.find(key)? + key.len();
        let value = line.get(after..)?;
        let at = after + (value.len() - value.trim_start().len());
        let mut strings = serde_json::Deserializer::from_str(line.get(at..)?).into_iter::<String>();
        Some((at + 1, Cow::Owned(strings.next()?.ok()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_frame() {
        for (line, own) in [
            ("main;run", "main;run"),
            ("> main;run", "main;run"),
            (">> main;run", "main;run"),
            ("> > main;run", "main;run"),
            ("| main;run", "main;run"),
            ("web-1  | main;run", "main;run"),
            ("[pod/web-1/app] main thread;run", "main thread;run"),
            ("[unknown];run", "[unknown];run"),
            ("12:30:01 INFO main;run", "main;run"),
            ("operator>>;run", "operator>>;run"),
            (">main;run", ">main;run"),
            ("a b | c;run", "a b | c;run"),
        ] {
            assert_eq!(&line[length(line)..], own);
        }
        let line = r#"{"stream": "stdout", "log": "a;\"b\" 3\n"}"#;
        assert_eq!(json(line), Some((29, "a;\"b\" 3\n".into())));
        assert_eq!(json("main;{\"log\":\"a;b 3\"} 4"), None);
    }
}

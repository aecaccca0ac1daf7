//! Headers with more in them than is known: of a newer release. They begin a thread all the same, and what is not
//! understood is counted.
//!
//! ```text
//! Thread 0x00007f02597826c0 [worker-3] {daemon} (most recent call first):
//! Thread 0x00007f02597826c0 tid=77 (most recent call first):
//! ```

use crate::formats::text::Head;

/// Reads a header without its end: thread, name, and fields that are not known.
pub(super) fn head(text: &str) -> Option<Head> {
    let at = text.find("0x")?;
    let id = text.get(at..)?.find(' ')? + at;
    // A name may have a bracket in it, but none with a blank behind it where a field follows.
    let name = text.get(id..)?.starts_with(" [").then(|| text.get(id..)?.find("] ")).flatten();
    let (known, field) = text.split_at_checked(name.map_or(id, |end| id + end + 1))?;
    let field = field.trim();
    let mut head = Head::of(super::thread(known)?);
    head.unknown = (!field.is_empty()).then(|| field.to_owned());
    Some(head)
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::{read_one, threads};

    #[test]
    fn each_header_begins_a_thread() {
        let frame = |function: &str| format!("  File \"till.py\", line 3 in {function}\n");
        let thread = |id: u32, fields: &str, function: &str| {
            format!("Thread 0x{id:02x}{fields} (most recent call first):\n{}\n", frame(function))
        };
        for (fields, name, unknown) in [
            (" [till 3] {daemon}", Some("till 3"), "{daemon}"),
            (" tid=77", None, "tid=77"),
            (" (native) [till]", None, "(native) [till]"),
        ] {
            let text = [thread(1, "", "f"), thread(2, fields, "g"), thread(3, fields, "h")].concat();
            let snapshot = read_one(&text);
            let got: Vec<_> =
                threads(&snapshot).into_iter().map(|(id, _, frames)| (id, frames.concat())).collect();
            assert_eq!(got, [("0x01", "f"), ("0x02", "g"), ("0x03", "h")].map(|(a, b)| (a.into(), b.into())));
            assert_eq!(snapshot.threads[1].name.as_deref(), name);
            let gaps: Vec<_> =
                snapshot.gaps.iter().map(|g| (g.count, g.message.ends_with(unknown))).collect();
            assert_eq!(gaps, [(2, true)], "{:?}", snapshot.gaps);
            // Where every header has it.
            let all = [thread(2, fields, "g"), thread(3, fields, "h")].concat();
            assert_eq!(read_one(&all).threads.len(), 2);
        }
        // Where the end of the header is another one, its frames say that it is one.
        let text =
            thread(1, "", "f") + &thread(2, "", "g").replace(" (most recent call first)", " (newest first)");
        assert_eq!(
            threads(&read_one(&text)).into_iter().map(|t| t.2.concat()).collect::<Vec<_>>(),
            ["f", "g"]
        );
    }
}

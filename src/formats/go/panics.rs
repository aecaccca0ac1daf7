//! Panics of functions that are deferred: what a process died of, where more than one thing went wrong.
//!
//! ```text
//! panic: till is empty [recovered]
//!         panic: close of a closed till
//!
//! panic: till is empty                     nobody recovered from it: a deferred function panicked as well
//!         panic: close of a closed till
//!
//! panic: till is empty [recovered, repanicked]            since Go 1.23
//! ```
//!
//! Source: Go 1.0-1.25 src/runtime/panic.go (`printpanics`).

/// What a panic that somebody recovered from ends with.
static RECOVERED: &[&str] = &[" [recovered]", " [recovered, repanicked]", " [recovered, reraised]"];

/// The panics of one process, the oldest first.
#[derive(Default)]
pub(super) struct Panics(Vec<Panic>);

struct Panic {
    value: String,
    is_recovered: bool,
}

impl Panics {
    /// Adds one as it is printed, behind `panic: `; what all of them say together.
    pub fn add(&mut self, printed: &str) -> String {
        let printed = printed.trim();
        let value = RECOVERED.iter().find_map(|mark| printed.strip_suffix(mark));
        let panic = Panic { value: value.unwrap_or(printed).to_owned(), is_recovered: value.is_some() };
        // Whoever has looked at one panics with the same, or with a text of it.
        self.0.retain(|before| !panic.value.contains(&before.value));
        self.0.push(panic);
        self.told()
    }

    fn told(&self) -> String {
        let values = |panics: &[Panic]| panics.iter().map(|p| &*p.value).collect::<Vec<_>>().join("; ");
        match self.0.as_slice() {
            [before @ .., last] if !before.is_empty() && before.iter().all(|panic| panic.is_recovered) => {
                format!("{} (after recovering from: {})", last.value, values(before))
            }
            [first, then @ ..] if !then.is_empty() => {
                format!("{} (and then, in a deferred function: {})", first.value, values(then))
            }
            all => values(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::testing::read_one;

    #[test]
    fn the_last_panic_ended_the_process() {
        let died_of = |panics: &str| {
            let text = format!(
                "{panics}\n\ngoroutine 7 [running]:\nmain.(*Till).open(0xc0)\n\t/src/till.go:41 +0x2b\n"
            );
            read_one(&text).process.failure.unwrap().message.to_string()
        };
        for (panics, message) in [
            ("panic: empty", "empty"),
            ("panic: empty [recovered, repanicked]", "empty"),
            ("panic: empty [recovered]\n\tpanic: empty", "empty"),
            ("panic: empty [recovered]\n\tpanic: till 7: empty", "till 7: empty"),
            (
                "panic: empty [recovered]\n\tpanic: closed twice",
                "closed twice (after recovering from: empty)",
            ),
            ("panic: empty\n\tpanic: closed", "empty (and then, in a deferred function: closed)"),
            ("panic: a [recovered]\n\tpanic: b [recovered]\n\tpanic: c", "c (after recovering from: a; b)"),
        ] {
            assert_eq!(died_of(panics), message, "{panics}");
        }
    }
}

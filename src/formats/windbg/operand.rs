//! The memory that an instruction wanted, where the debugger could not read it.
//!
//! ```text
//! (1a2c.1b30): Access violation - code c0000005 (first/second chance not available)
//! shop!parse+0x14:
//! 00401234 8b00            mov     eax,dword ptr [eax]  ds:0023:00000000=????????
//! 00007ff7`0e6c2b4e 8b00   mov     eax,dword ptr [rax]  ds:00000000`00000010=????????
//! ```
//!
//! Source: the debugger's documentation (learn.microsoft.com/windows-hardware/drivers/debuggercmds: r, .ecxr).

use crate::formats::text::words::hex;

/// The address; `None` where the line names no memory that cannot be read, or several.
pub(super) fn unreadable(line: &str) -> Option<u64> {
    // The line begins with the instruction's place and its bytes.
    let first = line.split_ascii_whitespace().next()?;
    if first.len() < 8 || hex(first).is_none() {
        return None;
    }
    let mut found = line.split_ascii_whitespace().filter_map(of_word);
    let address = found.next()?;
    found.next().is_none().then_some(address)
}

/// `ds:0023:00000000=????????`: segment, selector on 32 bits, address and what lies there.
fn of_word(word: &str) -> Option<u64> {
    let (place, value) = word.split_once('=')?;
    if value.is_empty() || !value.bytes().all(|b| matches!(b, b'?' | b'`')) {
        return None;
    }
    let (segment, rest) = place.split_once(':')?;
    let address = rest.rsplit(':').next()?;
    let is_segment = matches!(segment, "cs" | "ds" | "es" | "fs" | "gs" | "ss");
    hex(address).filter(|_| is_segment && address.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::read_one;

    #[test]
    fn memory_of_an_instruction() {
        let of = |operands: &str| unreadable(&format!("00401234 8b00            mov     eax,ebx {operands}"));
        assert_eq!(of("ds:0023:00000000=????????"), Some(0));
        assert_eq!(of("ds:00000000`00000010=????????"), Some(0x10));
        assert_eq!(of("ss:002b:0012fd60=??"), Some(0x12_fd60));
        for none in [
            "ds:0023:00401000=41414141",
            "",
            "es:0023:00000000=???????? ds:0023:00000004=????????",
            "a=?",
            "what:00000000=????",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(unreadable("why ds:0023:00000000=????????"), None);
    }

    #[test]
    fn it_is_what_an_access_violation_was_about() {
        let text = |event: &str| {
            format!(
                "(1a2c.1b30): {event} (first/second chance not available)\neax=00000000 ebx=00000000\nshop!parse+0x14:\n00401234 8b00            mov     eax,dword ptr [eax]  ds:0023:00000000=????????\n0:000> k\nChildEBP RetAddr\n0012fd2c 00401500 shop!parse+0x14\n"
            )
        };
        let address = |text: &str| read_one(text).process.signal.and_then(|signal| signal.address);
        let fault = "Access violation - code c0000005";
        assert_eq!(address(&text(fault)), Some(0));
        assert_eq!(address(&text("Integer divide-by-zero - code c0000094")), None);
        // Of another place of the program it says nothing.
        let (event, rest) = text(fault).split_once('\n').map(|(e, r)| (e.to_owned(), r.to_owned())).unwrap();
        let (place, stack) = rest.split_once("0:000> k").unwrap();
        assert_eq!(address(&format!("{event}\n0:000> r\n{place}0:000> k{stack}")), None);
        assert_eq!(address(&format!("{event}\n0:000> .ecxr\n{place}0:000> k{stack}")), Some(0));
    }
}

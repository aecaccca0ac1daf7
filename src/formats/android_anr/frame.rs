//! Native frames.
//!
//! ```text
//!   native: #00 pc 00000000000a33b8  /apex/com.android.runtime/lib64/bionic/libc.so (__epoll_pwait+8) (BuildId: 01331f74)
//!   native: #03 pc 000000000003f998  /data/app/base.apk (offset 1c3000) (Java_x_y+12) (BuildId: …)
//!   #00  pc 0001b0f4  /system/lib/libc.so (__ioctl+8)                                     up to Android 10
//!     #32 pc 00000000001e6e44  /apex/com.android.art/javalib/core-oj.jar                  debuggerd
//!     #12 pc 0000000000000000  <unknown>
//!   #00  pc 0x00000000000e7ef8 /apex/com.android.runtime/lib64/bionic/libc.so (syscall+24) Play Console
//! ```

use crate::model::{Frame, Str};

/// Whether a line, without its indentation, is a native frame.
pub(super) fn is_native(text: &str) -> bool {
    behind_number(text).is_some()
}

/// What stands behind `#00 pc `.
fn behind_number(text: &str) -> Option<&str> {
    let text = text.strip_prefix("native: ").unwrap_or(text);
    let rest = text.strip_prefix('#')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.get(digits..)?.trim_start();
    (digits > 0).then(|| rest.strip_prefix("pc ")).flatten()
}

/// Reads a native frame.
pub(super) fn native(text: &str) -> Option<Frame> {
    let (pc, place) = behind_number(text)?.trim_start().split_once(' ').unwrap_or((text, ""));
    let (place, symbol) = split(place.trim());
    let module = place.split(" (offset ").next().unwrap_or_default().trim();
    let is_known = !module.is_empty() && module != "<unknown>" && module != "???";
    let function = symbol.map(|symbol| Str::from(without_offset(symbol)));
    let pc = u64::from_str_radix(pc.trim_start_matches("0x"), 16).ok();
    Some(Frame {
        module_offset: pc.filter(|_| function.is_none()),
        function,
        module: is_known.then(|| Str::from(module)),
        ..Frame::default()
    })
}

/// The module and the text in the parentheses that name the function: the last but `(BuildId: …)`.
fn split(place: &str) -> (&str, Option<&str>) {
    let place = match place.rfind(" (BuildId: ") {
        Some(at) => place.get(..at).unwrap_or(place),
        None => place,
    };
    let Some(inside) = place.strip_suffix(')') else { return (place, None) };
    let mut depth = 0usize;
    let open = inside.bytes().enumerate().rev().find_map(|(at, byte)| match byte {
        b')' => {
            depth += 1;
            None
        }
        b'(' if depth == 0 => Some(at),
        b'(' => {
            depth -= 1;
            None
        }
        _ => None,
    });
    let Some(open) = open else { return (place, None) };
    let symbol = inside.get(open + 1..).unwrap_or_default();
    // The end of a name with parentheses is not its begin: `(void f(int (*)(int))+8)` balances, `(deleted)` is none.
    let is_symbol =
        !symbol.is_empty() && symbol != "deleted" && symbol != "???" && !symbol.starts_with("offset ");
    if is_symbol { (place.get(..open).unwrap_or_default().trim_end(), Some(symbol)) } else { (place, None) }
}

/// `__epoll_pwait+8`.
fn without_offset(symbol: &str) -> &str {
    match symbol.rsplit_once('+') {
        Some((name, offset)) if !name.is_empty() && offset.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => symbol,
    }
}

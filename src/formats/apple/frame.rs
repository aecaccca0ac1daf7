//! Frames of reports that are text, and of those that hold such text.
//!
//! ```text
//! 0   libsystem_kernel.dylib          0x3618bc5c 0x3617c000 + 64604 (semaphore_wait_signal_trap + 8)   KSCrash, Xcode 4
//! 0   com.apple.JavaScriptCore        0x00007fff99d89d4b JSValueIsString + 155
//! 3   App Namespace                   0x0000000102268e70 0x10211c000 + 1363568                          no symbols
//! 4   MyApp                           0x0000000104ff1e70 -[Log write:] + 20 (Log.m:12)
//! 5   MyApp                           0x0000000104ff1e70 closure #1 in f() (in MyApp) (Log.swift:12)    symbolicated later
//! 2   ???                             0x0000000054485244 0x0 + 0
//! 0   ???                             0x00204060 0 + 2113632                                           Mac OS X 10.5: no image there
//! 0   <<00000000>>                    0x00000002 0 + 2                                                  Mac OS X 10.4: the same
//! 6   dyld                            0x00000001a02f4e70 0x1a02e0000 + 85616
//! 7   MyApp                           0x0000000104ff1e70 helper + 4 [inlined] (Log.swift:9)
//! 4   libobjc.A.dylib                 0x000000019b97e1a4 _objc_terminate+ 16804 () + 176                 iOS 13: the name in two
//! 8   libsystem_kernel.dylib          0x18d5d2634 0x18d5cf000 + 0x3634    // mach_msg_trap + 0x8           Cr4shed
//! ```
//!
//! Names of images hold blanks.

use crate::formats::text::words::{rsplit_once, split_once};
use crate::model::{Frame, FrameKind, Str};

/// Reads a frame without its indentation.
pub fn read(text: &str) -> Option<Frame> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.get(digits..)?;
    if digits == 0 || digits > 6 || !rest.starts_with([' ', '\t']) {
        return None;
    }
    let mark = |x: &usize| matches!(rest.as_bytes().get(x.wrapping_sub(2)..*x), Some(b" 0" | b"\t0"));
    let at = memchr::memchr_iter(b'x', rest.as_bytes()).find(mark)? - 2;
    let module = rest.get(..at)?.trim();
    let rest = rest.get(at + 1..)?;
    let (address, symbol) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let address = u64::from_str_radix(address.strip_prefix("0x")?, 16).ok()?;
    let mut frame = Frame {
        module: (!module.is_empty() && !NO_IMAGE.contains(&module)).then(|| Str::from(module)),
        address: Some(address).filter(|a| *a != 0),
        ..Frame::default()
    };
    name(&mut frame, symbol.trim());
    Some(frame)
}

/// What stands for an image where there is none.
const NO_IMAGE: [&str; 2] = ["???", "<<00000000>>"];

/// The function, its file and line.
fn name(frame: &mut Frame, symbol: &str) {
    let mut symbol = symbol;
    if let Some((base, rest)) = symbol.strip_prefix("0x").and_then(|s| split_once(s, " + ")) {
        // `0x10211c000 + 1363568`, and behind it what a later tool found: `(main + 164)`
        let (offset, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        frame.module_offset = self::offset(offset).filter(|_| !base.trim_matches('0').is_empty());
        let rest = rest.trim();
        let inside = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')'));
        match inside.or_else(|| rest.strip_prefix("// ")) {
            Some(inside) => symbol = inside,
            None => return,
        }
    }
    if let Some((before, place)) = symbol.strip_suffix(')').and_then(|s| rsplit_once(s, " (")) {
        let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
        if line.parse::<u32>().is_ok() && !file.contains(' ') {
            (frame.file, frame.line) = (Some(file.into()), line.parse().ok());
            symbol = before;
        }
    }
    if let Some(before) = symbol.strip_suffix(" [inlined]") {
        frame.kind = FrameKind::Inlined;
        symbol = before;
    }
    symbol = split_once(symbol, " (in ").map_or(symbol, |(symbol, _)| symbol);
    if let Some((before, offset)) = rsplit_once(symbol, " + ")
        && self::offset(offset).is_some()
    {
        symbol = before;
    }
    let whole = in_two(symbol);
    let symbol = whole.as_deref().unwrap_or(symbol).trim();
    // `0 + 2`: the distance from address 0.
    if !matches!(symbol, "" | "0" | "???") {
        frame.function = Some(symbol.into());
        frame.module_offset = None;
    }
}

/// The name of iOS 13, which has the place in the image between a function and its arguments: `_objc_terminate+ 16804 ()`,
/// `JSC::call+ 4711 (int, char) const`, `-[Log write:]+ 220`.
fn in_two(symbol: &str) -> Option<String> {
    let (name, rest) = split_once(symbol, "+ ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let arguments = rest.get(digits..)?;
    let is_place = digits > 0 && !name.is_empty() && !name.ends_with(' ');
    let is_end = arguments.is_empty() || arguments.starts_with(" (");
    (is_place && is_end).then(|| format!("{name}{}", arguments.trim_start()))
}

/// `63628`, `0x3634`.
fn offset(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn frames() {
        let read = |text: &str| {
            let frame = super::read(text).unwrap();
            (frame.module.map(|m| m.to_string()), frame.function.map(|f| f.to_string()), frame.line)
        };
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(
            read(
                "0   libsystem_kernel.dylib   0x3618bc5c 0x3617c000 + 64604 (semaphore_wait_signal_trap + 8)"
            ),
            (some("libsystem_kernel.dylib"), some("semaphore_wait_signal_trap"), None)
        );
        assert_eq!(
            read("3   App Namespace     0x0000000102268e70 0x10211c000 + 1363568"),
            (some("App Namespace"), None, None)
        );
        assert_eq!(
            read("4   MyApp     0x0000000104ff1e70 -[Log write:] + 20 (Log.m:12)"),
            (some("MyApp"), some("-[Log write:]"), Some(12))
        );
        assert_eq!(
            read("5   MyApp  0x0000000104ff1e70 closure #1 in f() (in MyApp) (Log.swift:12)"),
            (some("MyApp"), some("closure #1 in f()"), Some(12))
        );
        let named = |symbol: &str| read(&format!("4   libobjc.A.dylib  0x000000019b97e1a4 {symbol}")).1;
        assert_eq!(named("_objc_terminate+ 16804 () + 176"), some("_objc_terminate()"));
        assert_eq!(named("JSC::call+ 4711 (int, char) const + 8"), some("JSC::call(int, char) const"));
        assert_eq!(named("-[Log write:]+ 220"), some("-[Log write:]"));
        assert_eq!(named("V::operator++ 12 (V) + 4"), some("V::operator+(V)"));
        assert_eq!(named("V::operator+ (int) + 4"), some("V::operator+ (int)"));
        assert_eq!(
            read("0   libsystem_kernel.dylib        \t0x00000001c3e1a334 0x1c3df1000 + 168756"),
            (some("libsystem_kernel.dylib"), None, None)
        );
        assert_eq!(read("2   ???    0x0000000054485244 0x0 + 0"), (None, None, None));
        assert!(super::read("0x10bd00000 - 0x10c393fff  assistantd").is_none());
        assert!(super::read("12 threads").is_none());
    }
}

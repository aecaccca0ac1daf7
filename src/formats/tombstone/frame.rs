//! Frames.
//!
//! ```text
//!       #00 pc 0000000000089abc  /apex/com.android.runtime/lib64/bionic/libc.so (abort+164) (BuildId: 5308…)
//!       #02 pc 00001c2d  /system/vendor/bin/mm-qcamera-daemon (BuildId: 59cb…)
//!       #09 pc 0000000000017eba  /data/app/x.apk!libx.so (offset 0x580000) (_JNIEnv::NewStringUTF(char const*)+24)
//!       #15 pc 0000000000001234  [anon:dalvik-classes.dex] (deleted) (com.example.Log.write+10)
//!       #03 pc 0000000000000004  <unknown>
//! ```

use crate::formats::text::BodyFrame;
use crate::formats::text::words::{hex, last_group, number};
use crate::model::{Frame, Str};

/// Whether a line is a frame: `stack:` has lines `#00  fff78428 …` as well, without `pc`.
pub(super) fn is_frame(line: &str) -> bool {
    after_number(line).is_some()
}

fn after_number(line: &str) -> Option<&str> {
    let (_, rest) = number(line.trim_start().strip_prefix('#')?)?;
    rest.trim_start().strip_prefix("pc ")
}

/// Reads a frame.
pub(super) fn read(line: &str) -> Option<BodyFrame> {
    let rest = after_number(line)?.trim();
    let (offset, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut rest = rest.trim();
    let mut function = None;
    // Groups in brackets at the end, from the last on: build id, function, offset in the file.
    while let Some(open) = last_group(rest) {
        let inside = rest.get(open + 1..rest.len() - 1).unwrap_or_default();
        let is_known =
            inside.starts_with("BuildId: ") || inside.starts_with("offset ") || inside == "deleted";
        if !is_known {
            if function.is_some() {
                break;
            }
            function = Some(without_offset(inside));
        }
        rest = rest.get(..open).unwrap_or_default().trim_end();
    }
    let module = (!rest.is_empty() && rest != "<unknown>").then(|| Str::from(rest));
    let function = function.filter(|name| !name.is_empty() && *name != "???").map(Str::from);
    Some(Frame { function, module, module_offset: hex(offset), ..Frame::default() }.into())
}

/// `abort+164` without the offset.
fn without_offset(text: &str) -> &str {
    match text.rsplit_once('+') {
        Some((name, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => text,
    }
}

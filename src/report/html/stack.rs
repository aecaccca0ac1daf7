//! A stack: each frame with its function, its place, what it is for, and how far it can be trusted.

use super::markup::Html;
use super::words;
use crate::model::Trust;
use crate::normalize::Role;
use crate::report::document::{Frame, Frames};

/// Frames that are one and the same from which on they are one line.
const REPEATS: usize = 4;
/// Frames of a stack that are shown.
const DEPTH: usize = 200;

/// The frames, newest first.
pub fn write(frames: &Frames<'_>, html: &mut Html) {
    let frames: Vec<Frame<'_>> = frames.iter().collect();
    if frames.is_empty() {
        html.raw("<p class=\"dim\">There is no stack.</p>\n");
        return;
    }
    html.raw("<ol class=\"stack\">\n");
    let mut at = 0;
    let mut lines = 0;
    while at < frames.len() && lines < DEPTH {
        let repeats = frames[at..].iter().take_while(|frame| is_same(frame, &frames[at])).count();
        frame(at, &frames[at], html);
        lines += 1;
        if repeats >= REPEATS {
            html.raw("<li class=\"more\">").text(words::count(repeats as u64 - 1));
            html.raw(" more times the same frame, up to #").show(at + repeats - 1).raw("</li>\n");
            at += repeats;
        } else {
            at += 1;
        }
    }
    html.raw("</ol>\n");
    if at < frames.len() {
        let rest = words::counted((frames.len() - at) as u64, "older frame");
        html.raw("<p class=\"dim\">… and ").text(rest);
        html.raw(": the JSON report has them.</p>\n");
    }
}

fn is_same(a: &Frame<'_>, b: &Frame<'_>) -> bool {
    (a.function, a.file, a.line, a.address, a.module) == (b.function, b.file, b.line, b.address, b.module)
}

/// `#3  log_message  lock  cfi  src/logserver.c:19  logserver  0x55f0ce1aa140`.
fn frame(at: usize, frame: &Frame<'_>, html: &mut Html) {
    html.raw("<li><span class=\"n\">#")
        .show(at)
        .raw("</span><div class=\"fn\">")
        .long(frame.function)
        .raw("</div>");
    html.raw("<span class=\"why\">");
    if frame.role != Role::User {
        html.raw("<span class=\"tag\">").text(words::id_of(&frame.role)).raw("</span> ");
    }
    if frame.inlined {
        html.raw("<span class=\"tag\">inlined</span>");
    } else if let Some(trust) = frame.trust {
        html.raw(trust_tag(trust)).text(words::id_of(&trust)).raw("</span>");
    }
    html.raw("</span><div class=\"at\">");
    match (frame.file, frame.line) {
        (Some(file), Some(line)) => drop(html.long(file).raw(":").show(line).raw(" ")),
        (Some(file), None) => drop(html.long(file).raw(" ")),
        _ => {}
    }
    if let Some(module) = frame.module {
        html.raw("<i>").text(words::shortened(module, 120)).raw("</i> ");
    }
    if let Some(address) = frame.address {
        html.raw("<i>").show(address).raw("</i>");
    }
    html.raw("</div></li>\n");
}

fn trust_tag(trust: Trust) -> &'static str {
    match trust {
        Trust::Context => "<span class=\"tag\" title=\"from the registers of the dump\">",
        Trust::Cfi => "<span class=\"tag\" title=\"found by call frame information\">",
        Trust::FramePointer => "<span class=\"tag\" title=\"found by the frame pointer\">",
        Trust::Scan => {
            "<span class=\"tag guess\" title=\"a guess: a word on the stack that looks like a return address\">"
        }
    }
}

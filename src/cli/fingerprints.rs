//! `--explain-fingerprint`: the words that are hashed.
//!
//! ```text
//! lj1:b405f43ec672f263  lock-contention | pthread mutex | g_log_mutex | log_message
//! lj1:1f0c6d0c5cd3a0c5    detail: … | io-wait | write | log_sink_write
//! ```

use std::io::{self, Write};

use crate::diagnosis::Diagnosis;
use crate::model::escape_terminal;

/// Writes the words of each finding.
pub(super) fn write(diagnosis: &Diagnosis, out: &mut dyn Write) -> io::Result<()> {
    for ranked in &diagnosis.findings {
        let words = |words: &[String]| words.join(" | ");
        line(out, &ranked.fingerprint, &words(&ranked.finding.cause))?;
        let more = if ranked.finding.cause_detail.is_empty() {
            "nothing more"
        } else {
            &words(&ranked.finding.cause_detail)
        };
        line(out, &ranked.fingerprint_detail, &format!("  detail: … | {more}"))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, print: &str, words: &str) -> io::Result<()> {
    writeln!(out, "{print}  {}", escape_terminal(words))
}

//! A finding: what its rule worded.

use super::kind::Kind;
use super::scrubber::Scrubber;
use crate::diagnosis::Analyzed;
use crate::model::{Evidence, is_like};
use crate::rules::{CrashFacts, Finding, FindingHolder, RuleId, StoppedTest};
use crate::waits::{Candidate, Holder};

pub(super) fn redact(finding: &mut Finding, analyzed: Option<&Analyzed>, scrubber: &mut Scrubber) {
    let pool = pool(finding, analyzed, scrubber);
    let Finding {
        rule: _,
        severity: _,
        confidence: _,
        title,
        summary,
        threads: _,
        blocked: _,
        lock: _,
        holder,
        pattern: _,
        // Links are numbers, and words of ours.
        chain: _,
        root: _,
        cycle: _,
        clusters: _,
        location: _,
        tests,
        crash,
        evidence,
        advice,
        cause,
        cause_detail,
    } = finding;
    *title = word(title, pool.as_ref(), scrubber);
    *summary = word(summary, pool.as_ref(), scrubber);
    if let Some(FindingHolder { holder, doing, cluster: _ }) = holder {
        self::holder(holder, scrubber);
        if let Some(doing) = doing {
            *doing = scrubber.text(doing);
        }
    }
    if let Some(facts) = crash {
        self::crash(facts, scrubber);
    }
    for StoppedTest { framework: _, name, frame: _, thread: _ } in tests {
        *name = scrubber.function(name).into();
    }
    for Evidence { certainty: _, text } in evidence {
        *text = word(text, pool.as_ref(), scrubber).into();
    }
    for text in advice {
        *text = scrubber.text(text);
    }
    for text in cause.iter_mut().chain(cause_detail) {
        *text = match &pool {
            Some(pool) if *text == pool.name => pool.placeholder.clone(),
            _ => scrubber.function(text),
        };
    }
}

/// The title as it will be.
pub(super) fn title(finding: &Finding, analyzed: Option<&Analyzed>, scrubber: &mut Scrubber) -> String {
    let pool = pool(finding, analyzed, scrubber);
    word(&finding.title, pool.as_ref(), scrubber)
}

pub(super) fn holder(holder: &mut Holder, scrubber: &mut Scrubber) {
    match holder {
        Holder::Thread { thread: _, certainty: _ }
        | Holder::EndedThread { owner: _, certainty: _ }
        | Holder::OtherProcess { owner: _, pid: _ }
        | Holder::Free => {}
        Holder::NotShown { owner } => *owner = scrubber.text(owner).into(),
        Holder::Unknown { why, candidates } => {
            *why = scrubber.text(why).into();
            for Candidate { thread: _, points: _, reasons } in candidates {
                reasons.iter_mut().for_each(|reason| *reason = scrubber.text(reason));
            }
        }
    }
}

fn crash(facts: &mut CrashFacts, scrubber: &mut Scrubber) {
    let CrashFacts { signal, code, address, thread: _, reason, frame: _ } = facts;
    if let Some(signal) = signal {
        *signal = scrubber.text(signal);
    }
    if let Some(code) = code {
        *code = scrubber.text(code);
    }
    *address = address.filter(|&a| !scrubber.hides(a));
    *reason = scrubber.text(reason);
}

/// A pool of the user's, by which its finding is called: a pattern of thread names, which may be a word like any
/// other.
struct Pool {
    name: String,
    placeholder: String,
}

fn pool(finding: &Finding, analyzed: Option<&Analyzed>, scrubber: &mut Scrubber) -> Option<Pool> {
    if finding.rule != RuleId::ThreadExplosion || !scrubber.kinds.has(Kind::Threads) {
        return None;
    }
    let [_, kind, name] = &finding.cause[..] else { return None };
    if kind != "pool" {
        return None;
    }
    let (threads, behind) = match name.split_once(" in ") {
        Some((threads, frame)) => (threads, format!(" in {frame}")),
        None => (name.as_str(), String::new()),
    };
    let names = analyzed?.snapshot.threads.iter().filter_map(|thread| thread.name.as_deref());
    // Else it is a pattern of functions.
    let is_of_threads = names.into_iter().any(|thread| is_like(threads, thread));
    let placeholder = format!("{}{behind}", scrubber.thread_pattern(threads));
    is_of_threads.then(|| Pool { name: name.clone(), placeholder })
}

/// A text of the finding, in which the pool stands under its name once.
fn word(text: &str, pool: Option<&Pool>, scrubber: &mut Scrubber) -> String {
    match pool.and_then(|pool| Some((pool, text.split_once(&pool.name)?))) {
        Some((pool, (before, behind))) => {
            format!("{}{}{}", scrubber.text(before), pool.placeholder, scrubber.text(behind))
        }
        None => scrubber.text(text),
    }
}

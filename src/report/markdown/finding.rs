//! The parts of a finding: who waits for what, who has it, why that is so, what to do.

use super::draft::{Draft, Part};
use super::escape::{code, prose};
use super::{few, phrases};
use crate::report::View;
use crate::report::document::{ClusterId, Crash, Finding, Link, Snapshot, Test};
use crate::report::text::finding::LISTED_TESTS;
use crate::report::text::words;

/// Its plain sentences. A crash has said them in its title and its advice.
pub fn summary(f: &Finding<'_>, draft: &mut Draft) {
    if f.crash.is_none() && !f.summary.is_empty() && f.summary != f.title {
        draft.add(Part::Fact, format!("\n{}\n", prose(f.summary)));
    }
}

/// Whether the list of facts says what the groups of threads do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groups {
    /// It does.
    Told,
    /// A table follows that does.
    InTable,
}

/// What is known of lock, holder, threads and place, as a list.
pub fn facts(f: &Finding<'_>, snapshot: &Snapshot<'_>, groups: Groups, view: &View, draft: &mut Draft) {
    let mut list = Facts { draft, is_empty: true };
    if let Some(lock) = f.lock.and_then(|id| snapshot.lock(id)) {
        list.add("lock", &phrases::lock(&lock));
    }
    if let Some(holder) = &f.holder {
        list.add("holder", &phrases::holder(holder));
        let calls = holder.cluster.and_then(|id| phrases::cluster_of(id, snapshot));
        if holder.thread.is_some() && calls.is_some() {
            list.add("holder's stack", &phrases::calls(calls));
        }
        let (shown, rest) = few(&holder.candidates, view);
        for candidate in shown {
            let reasons: Vec<_> = candidate.reasons.iter().map(|reason| prose(reason)).collect();
            let points = format!("{} points: {}", candidate.points, reasons.join(", "));
            list.aside(&format!("perhaps {} ({points})", phrases::thread(&candidate.thread)));
        }
        list.more(rest.len(), "candidate");
    }
    if f.holders.len() > 1 {
        let holders: Vec<_> = f.holders.iter().filter_map(|holder| holder.thread.as_ref()).collect();
        list.add("holders", &words::counted(f.holders.len() as u64, "thread"));
        let (shown, rest) = few(&holders, view);
        shown.iter().for_each(|thread| list.aside(&phrases::thread(thread)));
        list.more(rest.len(), "holder");
    }
    threads(f, snapshot, groups, view, &mut list);
    if let Some(blocked) = f.blocked.filter(|blocked| blocked.transitive > blocked.direct) {
        let all = words::counted(blocked.transitive, snapshot.threads.unit.noun());
        list.add("blocked", &format!("{all} with those that wait behind the waiters"));
    }
    if let Some(crash) = &f.crash {
        list.add("crash", &self::crash(crash));
    }
    let place = f.location.clone().or_else(|| f.crash.as_ref()?.frame.clone().map(Into::into));
    if let Some(place) = place {
        list.add("where", &phrases::location(&place));
    }
    for test in f.tests.iter().take(LISTED_TESTS) {
        list.add("test", &self::test(test));
    }
    if let Some(rest) = f.tests.len().checked_sub(LISTED_TESTS).filter(|&rest| rest > 0) {
        list.add("test", &format!("… and {}", words::counted(rest as u64, "more test")));
    }
    if let Some(waited) = f.waited_s {
        list.add("waited", &words::waited(waited));
    }
}

/// How many, and what they were doing. A ring names its members itself.
fn threads(f: &Finding<'_>, snapshot: &Snapshot<'_>, told: Groups, view: &View, list: &mut Facts<'_>) {
    if f.threads.count == 0 {
        return;
    }
    let name = if f.lock.is_some() { "waiters" } else { "threads" };
    let all = words::counted(snapshot.threads.total, snapshot.threads.unit.noun());
    let count = format!("{} of {all}", words::count(f.threads.count));
    let groups = groups_of(f, snapshot);
    let calls = |id: Option<ClusterId>| phrases::calls(id.and_then(|id| phrases::cluster_of(id, snapshot)));
    match &groups[..] {
        _ if told == Groups::InTable || f.threads.count <= f.cycle.len() as u64 => list.add(name, &count),
        [(id, _)] => list.add(name, &format!("{count}, in {}", calls(*id))),
        groups => {
            list.add(name, &count);
            let (shown, rest) = few(groups, view);
            shown.iter().for_each(|(id, n)| list.aside(&format!("{}: {}", words::count(*n), calls(*id))));
            list.more(rest.len(), "group");
        }
    }
}

/// The finding's threads by cluster, the largest group first. The counts add up to that of the finding.
pub fn groups_of(f: &Finding<'_>, snapshot: &Snapshot<'_>) -> Vec<(Option<ClusterId>, u64)> {
    f.groups(snapshot)
}

/// A list of facts with names.
struct Facts<'a> {
    draft: &'a mut Draft,
    is_empty: bool,
}

impl Facts<'_> {
    fn add(&mut self, name: &str, value: &str) {
        let before = if std::mem::replace(&mut self.is_empty, false) { "\n" } else { "" };
        self.draft.add(Part::Fact, format!("{before}- **{name}:** {value}\n"));
    }

    /// Adds a line under the last fact.
    fn aside(&mut self, value: &str) {
        self.draft.add(Part::Aside, format!("  - {value}\n"));
    }

    fn more(&mut self, rest: usize, noun: &str) {
        if rest > 0 {
            let more = words::counted(rest as u64, &format!("more {noun}"));
            let text = format!("  - … and {more}: `--all` shows them\n");
            self.draft.add_counted(Part::Aside, rest as u64, text);
        }
    }
}

fn crash(crash: &Crash<'_>) -> String {
    let mut said = prose(crash.what());
    if let Some(code) = crash.code {
        said += &format!(" ({})", prose(code));
    }
    if let Some(address) = crash.address {
        said += &format!(" at address {}", code(&address.to_string()));
    }
    if let Some(thread) = &crash.thread {
        said += &format!(" in {}", phrases::thread(thread));
    }
    if !crash.reason.is_empty() {
        said += &format!(": {}", prose(crash.reason));
    }
    said
}

fn test(test: &Test<'_>) -> String {
    let place = match (test.file, test.line) {
        (Some(file), Some(line)) => format!(" at {}", code(&format!("{file}:{line}"))),
        (Some(file), None) => format!(" at {}", code(file)),
        (None, _) => String::new(),
    };
    format!("{} ({}){place}", code(test.name), prose(test.framework))
}

/// Who waits for whom: the chain to the root blocker, the ring of a deadlock.
pub fn links(f: &Finding<'_>, snapshot: &Snapshot<'_>, view: &View, draft: &mut Draft) {
    list_of_links("Chain", &f.chain, snapshot, view, draft);
    if let Some(root) = &f.root {
        let state = snapshot.state_of(root).map(|state| words::id_of(&state));
        let state = state.map(|state| format!(" ({state})")).unwrap_or_default();
        draft.add(Part::Link, format!("\nIt ends at {}{state}.\n", phrases::thread(root)));
    }
    list_of_links("Ring", &f.cycle, snapshot, view, draft);
}

fn list_of_links(name: &str, links: &[Link<'_>], snapshot: &Snapshot<'_>, view: &View, draft: &mut Draft) {
    let (shown, rest) = few(links, view);
    let lines = shown.iter().enumerate().map(|(n, link)| format!("{}. {}\n", n + 1, said(link, snapshot)));
    draft.list(&format!("\n**{name}**\n\n"), Part::Link, Part::Link, lines);
    if !rest.is_empty() {
        let more = words::counted(rest.len() as u64, "more link");
        let text = format!("\n… and {more}: `--all` shows them\n");
        draft.add_counted(Part::Link, rest.len() as u64, text);
    }
}

/// ``thread 12 waits for `g_a` (*read*), which thread 13 holds``.
fn said(link: &Link<'_>, snapshot: &Snapshot<'_>) -> String {
    let waits_for = &link.waits_for;
    let target = phrases::target(waits_for, snapshot);
    let certainty = words::id_of(&waits_for.certainty);
    let start = format!("{} waits for {target} (*{certainty}*)", phrases::thread(&link.thread));
    let has = if waits_for.lock.is_some() { "holds" } else { "has" };
    match &link.held_by {
        Some(holder) if waits_for.thread.is_none() => {
            format!("{start}, which {} {has}", phrases::thread(holder))
        }
        _ => start,
    }
}

/// On what it stands, each with how it is known.
pub fn evidence(f: &Finding<'_>, draft: &mut Draft) {
    let facts = f
        .evidence
        .iter()
        .map(|fact| format!("- *{}:* {}\n", words::id_of(&fact.certainty), prose(fact.text)));
    draft.list("\n**Evidence**\n\n", Part::Evidence, Part::MoreEvidence, facts);
}

/// What to do.
pub fn advice(f: &Finding<'_>, draft: &mut Draft) {
    let steps = f.advice.iter().enumerate().map(|(n, advice)| format!("{}. {}\n", n + 1, prose(advice)));
    draft.list("\n**What to do**\n\n", Part::Advice, Part::MoreAdvice, steps);
}

/// Where to read more.
pub fn guide(f: &Finding<'_>, draft: &mut Draft) {
    let guide = link(&f.runbook).unwrap_or_else(|| code(&f.runbook));
    draft.add(Part::Guide, format!("\nGuide: {guide}\n"));
}

/// Its fingerprints.
pub fn keys(f: &Finding<'_>) -> String {
    let detail = match f.fingerprint_detail {
        "" => String::new(),
        detail => format!(", detail {}", code(detail)),
    };
    format!("Fingerprint {}{detail}", code(f.fingerprint))
}

/// A web address that the user configured, where nothing in it could end the link early.
fn link(runbook: &str) -> Option<String> {
    let is_web = runbook.starts_with("https://") || runbook.starts_with("http://");
    let is_plain = runbook.bytes().all(|b| b.is_ascii_graphic() && !b"<>\\`".contains(&b));
    (is_web && is_plain).then(|| format!("<{runbook}>"))
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn only_a_web_address_becomes_a_link() {
        assert_eq!(link("https://wiki.example/jam?a=b").as_deref(), Some("<https://wiki.example/jam?a=b>"));
        for other in
            ["logjam explain crash", "javascript:alert(1)", "http://x> <b>", "https://a b", "https://ü"]
        {
            assert_eq!(link(other), None);
        }
    }
}

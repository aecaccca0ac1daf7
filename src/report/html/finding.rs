//! A finding: what is wrong, who is in it, on what it stands, what to do.

use std::collections::BTreeSet;

use super::markup::Html;
use super::{answer, evidence, header, links, said, words};
use crate::report::View;
use crate::report::document::{ClusterId, Document, Finding, Holder, HolderKind, Link, Snapshot};
use crate::report::text::Text;
use crate::waits::Identity;

/// Findings that are open when the page opens.
const OPEN: usize = 10;
/// Bytes of findings after which the rest are lines only.
const ROOM: usize = 300_000;
/// Groups of threads, candidates and holders that are listed of each.
const LISTED: usize = 12;

/// All findings, the worst first.
pub fn list(document: &Document<'_>, view: &View, html: &mut Html) {
    html.raw("<section id=\"findings\">\n<h2>Findings <span class=\"count\">");
    html.show(document.findings.len()).raw("</span></h2>\n");
    if document.findings.is_empty() {
        html.raw("<p>").text(nothing(document)).raw("</p>\n</section>\n");
        return;
    }
    let start = html.len();
    let mut guides = BTreeSet::new();
    let mut rest = Vec::new();
    for (n, f) in document.findings.iter().enumerate() {
        let Some(snapshot) = document.snapshots.get(f.snapshot) else { continue };
        if html.len() - start > ROOM && !view.show_all {
            rest.push(f);
            continue;
        }
        let is_first = guides.insert(f.rule);
        article(n, f, snapshot, document, is_first, html);
    }
    in_brief(&rest, html);
    html.raw("</section>\n");
}

/// Says no more than was looked at.
fn nothing(document: &Document<'_>) -> &'static str {
    let has_gaps = document.snapshots.iter().any(|s| !s.gaps.is_empty() || !s.threads.complete);
    let has_failed = document.failed_inputs().next().is_some();
    match (document.snapshots.is_empty(), has_failed, has_gaps) {
        (true, ..) => "Nothing was analyzed.",
        (_, true, _) => {
            "Nothing in what could be read says that threads are stuck; some inputs were not analyzed."
        }
        (.., true) => "Nothing in what could be read says that threads are stuck; see the gaps.",
        _ => "Nothing says that threads are stuck.",
    }
}

fn article(
    n: usize,
    f: &Finding<'_>,
    snapshot: &Snapshot<'_>,
    document: &Document<'_>,
    has_guide: bool,
    html: &mut Html,
) {
    html.raw("<details class=\"finding ").raw(answer::severity_class(Some(f.severity).into()));
    html.raw("\" id=\"f").show(n + 1).raw(if n < OPEN { "\" open>\n" } else { "\">\n" });
    html.raw("<summary><span class=\"sev\">").text(words::id_of(&f.severity)).raw("</span> <h3>");
    html.text(words::shortened(f.title, 300)).raw("</h3> <span class=\"meta\"><code>").raw(f.rule.id());
    html.raw("</code> <span>").text(words::id_of(&f.confidence)).raw("</span></span></summary>\n");
    html.raw("<div class=\"cols\">\n<div>\n");
    if words::shortened(f.title, 300) != f.title {
        html.raw("<div>").long(f.title).raw("</div>\n");
    }
    // That of the first stands in the answer.
    if n > 0 && !f.summary.is_empty() {
        html.raw("<div class=\"summary\">").long(f.summary).raw("</div>\n");
    }
    html.raw("<dl class=\"kv\">\n");
    if document.snapshots.len() > 1 {
        let place = header::of_snapshot(snapshot).join(" · ");
        row("in", html, |html| {
            html.text(format!("snapshot {}: {place}", f.snapshot + 1));
        });
    }
    lock(f, snapshot, html);
    holder(f, snapshot, html);
    waiters(f, snapshot, html);
    chain("chain", &f.chain, snapshot, html);
    if let Some(root) = &f.root {
        row("root", html, |html| {
            html.raw("<b>").text(words::thread(root)).raw("</b> is where it ends");
            if let Some(state) = snapshot.state_of(root) {
                html.raw(" <span class=\"state ").raw(state.id()).raw("\">").raw(state.id());
                html.raw("</span>");
            }
        });
    }
    chain("ring", &f.cycle, snapshot, html);
    details(f, html);
    html.raw("</dl>\n</div>\n<div>\n");
    evidence::write(f, has_guide, html);
    html.raw("</div>\n</div>\n</details>\n");
}

/// A row of the facts.
fn row(name: &'static str, html: &mut Html, value: impl FnOnce(&mut Html)) {
    html.raw("<dt>").raw(name).raw("</dt><dd>");
    value(html);
    html.raw("</dd>\n");
}

fn lock(f: &Finding<'_>, snapshot: &Snapshot<'_>, html: &mut Html) {
    let Some(lock) = f.lock.and_then(|id| snapshot.lock(id)) else { return };
    row("lock", html, |html| {
        html.raw("<b>").text(words::lock_name(&lock)).raw("</b> <span class=\"dim\">");
        html.text(words::lock(&lock)).raw("</span>");
        if lock.identity == Identity::Site {
            html.raw(
                "<div class=\"beware\">It is known by its place in the code only: several locks may be ",
            );
            html.raw("merged.</div>");
        }
    });
}

fn holder(f: &Finding<'_>, snapshot: &Snapshot<'_>, html: &mut Html) {
    let Some(holder) = &f.holder else { return };
    row("holder", html, |html| {
        html.raw("<div>").styled(&said::who_holds(holder)).raw("</div>");
        if let (HolderKind::Thread, Some(id)) = (holder.kind, holder.cluster) {
            html.raw("<div>");
            cluster_link(id, f.snapshot, snapshot, html);
            html.raw("</div>");
        }
        candidates(holder, html);
    });
    if f.holders.len() > 1 {
        row("holders", html, |html| {
            let names = f.holders.iter().filter_map(|h| h.thread.as_ref()).take(LISTED).map(words::thread);
            html.text(words::counted(f.holders.len() as u64, "thread")).raw(": ");
            html.text(names.collect::<Vec<_>>().join(", "));
            and_more(f.holders.len(), "holder", html);
        });
    }
}

fn candidates(holder: &Holder<'_>, html: &mut Html) {
    for candidate in holder.candidates.iter().take(LISTED) {
        html.raw("<div>perhaps <b>").text(words::thread(&candidate.thread)).raw("</b>, ");
        html.show(candidate.points).raw(if candidate.points == 1 { " point: " } else { " points: " });
        html.text(candidate.reasons.join(", ")).raw("</div>");
    }
    and_more(holder.candidates.len(), "candidate", html);
}

/// What of a list is not on the page.
fn and_more(all: usize, noun: &str, html: &mut Html) {
    if let Some(rest) = all.checked_sub(LISTED).filter(|&rest| rest > 0) {
        html.raw("<div class=\"dim\">… and ").text(words::counted(rest as u64, &format!("more {noun}")));
        html.raw(": the JSON report has them</div>");
    }
}

fn waiters(f: &Finding<'_>, snapshot: &Snapshot<'_>, html: &mut Html) {
    // A ring names its members itself.
    if f.threads.count > f.cycle.len() as u64 {
        let groups = f.groups(snapshot);
        row(if f.lock.is_some() { "waiters" } else { "threads" }, html, |html| {
            html.raw("<div class=\"groups\">");
            for (id, count) in groups.iter().take(LISTED) {
                html.raw("<b>").text(words::count(*count)).raw("</b><div>");
                match id {
                    Some(id) => cluster_link(*id, f.snapshot, snapshot, html),
                    None => drop(html.raw("in no cluster")),
                }
                html.raw("</div>");
            }
            html.raw("</div>");
            and_more(groups.len(), "group", html);
        });
    }
    if let Some(blocked) = f.blocked.filter(|b| b.transitive > b.direct) {
        row("blocked", html, |html| {
            html.raw("<b>").text(words::count(blocked.transitive)).raw("</b> threads with those that wait ");
            html.raw("behind the waiters");
        });
    }
}

/// `c1 log_message ← handle ← worker`: leads to the cluster in the table.
pub fn cluster_link(id: ClusterId, at: usize, snapshot: &Snapshot<'_>, html: &mut Html) {
    let Some(cluster) = snapshot.cluster(id) else { return };
    html.raw("<a class=\"sym\" href=\"#s").show(at + 1).raw("-").show(id).raw("\">").show(id).raw("</a> ");
    html.raw("<span class=\"sym\">").text(signature(&cluster.signature)).raw("</span>");
}

/// The meaningful calls, each name shortened.
pub fn signature(signature: &str) -> String {
    match signature {
        "" => "no stack".to_owned(),
        calls => words::shortened(&words::signature(calls), 240),
    }
}

fn chain(name: &'static str, list: &[Link<'_>], snapshot: &Snapshot<'_>, html: &mut Html) {
    if list.is_empty() {
        return;
    }
    row(name, html, |html| {
        html.raw("<ol class=\"links\">");
        for link in list.iter().take(4 * LISTED) {
            html.raw("<li>").styled(&links::said(link, snapshot)).raw("</li>");
        }
        html.raw("</ol>");
        if let Some(rest) = list.len().checked_sub(4 * LISTED).filter(|&rest| rest > 0) {
            html.raw("<div class=\"dim\">… and ").text(words::counted(rest as u64, "more link"));
            html.raw(": the JSON report has them</div>");
        }
    });
}

fn details(f: &Finding<'_>, html: &mut Html) {
    if let Some(crash) = &f.crash {
        row("crash", html, |html| {
            html.raw("<b>").text(words::shortened(crash.what(), 80)).raw("</b>");
            if let Some(code) = crash.code {
                html.raw(" (").text(words::shortened(code, 80)).raw(")");
            }
            if let Some(address) = crash.address {
                html.raw(" at address ").show(address);
            }
            if let Some(thread) = &crash.thread {
                html.raw(" in ").text(words::thread(thread));
            }
            if !crash.reason.is_empty() {
                html.raw("<div>").long(crash.reason).raw("</div>");
            }
        });
    }
    let frame = f.crash.as_ref().and_then(|crash| crash.frame.clone());
    if let Some(place) = f.location.clone().or_else(|| frame.map(Into::into)) {
        row("where", html, |html| {
            html.raw("<span class=\"sym\">").text(words::location(&place)).raw("</span>");
        });
    }
    if !f.tests.is_empty() {
        row("tests", html, |html| {
            for test in f.tests.iter().take(LISTED) {
                html.raw("<div><b>").text(words::shortened(test.name, 200)).raw("</b> (");
                html.text(test.framework).raw(")");
                if let Some(file) = test.file {
                    let line = test.line.map(|line| format!(":{line}")).unwrap_or_default();
                    html.raw(" <span class=\"dim\">")
                        .text(words::shortened(file, 200))
                        .text(line)
                        .raw("</span>");
                }
                html.raw("</div>");
            }
            and_more(f.tests.len(), "test", html);
        });
    }
    if let Some(waited) = f.waited_s {
        row("waited", html, |html| {
            html.text(words::duration(waited.min)).raw(" to ").text(words::duration(waited.max));
        });
    }
    row("key", html, |html| {
        html.raw("<code>").text(f.fingerprint).raw("</code> <span class=\"dim\">score ");
        html.show(format_args!("{:.1}", f.score)).raw("</span>");
    });
}

/// A line for each finding that is not shown whole.
fn in_brief(rest: &[&Finding<'_>], html: &mut Html) {
    if rest.is_empty() {
        return;
    }
    html.raw("<p>").text(words::counted(rest.len() as u64, "more finding"));
    html.raw(", in brief; <code>--all</code> shows them whole.</p>\n<ul class=\"plain\">\n");
    for f in rest {
        let sure = Text::from(" (").then(said::confidence(f.confidence)).plain(")");
        html.raw("<li><span class=\"tag\">").text(words::id_of(&f.severity)).raw("</span> <div>");
        html.text(words::shortened(f.title, 200)).styled(&sure).raw("</div></li>\n");
    }
    html.raw("</ul>\n");
}

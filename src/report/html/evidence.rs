//! What a finding stands on, and what to do about it.

use super::guide;
use super::markup::Html;
use super::words;
use crate::model::Certainty;
use crate::report::document::{Evidence, Finding};

/// Evidence, advice and the guide. The guide stands at the first finding of its rule; others lead to it.
pub fn write(f: &Finding<'_>, has_guide: bool, html: &mut Html) {
    if !f.evidence.is_empty() {
        html.raw("<h4>Because</h4>\n<ul class=\"because\">\n");
        f.evidence.iter().for_each(|fact| one(fact, html));
        html.raw("</ul>\n");
    }
    if !f.advice.is_empty() {
        html.raw("<h4>Next</h4>\n<ol class=\"next\">\n");
        for advice in f.advice {
            html.raw("<li>").long(advice).raw("</li>\n");
        }
        html.raw("</ol>\n");
    }
    if is_link(&f.runbook) {
        html.raw("<p>Runbook: <a rel=\"noreferrer noopener\" href=\"").text(&f.runbook).raw("\">");
        html.text(&f.runbook).raw("</a></p>\n");
    }
    if has_guide {
        guide::write(f.rule, html);
    } else {
        html.raw("<p><a href=\"#guide-")
            .raw(f.rule.id())
            .raw("\">Guide: ")
            .raw(f.rule.id())
            .raw("</a></p>\n");
    }
}

/// Other schemes could run a script.
fn is_link(runbook: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| runbook.starts_with(scheme))
}

fn one(fact: &Evidence<'_>, html: &mut Html) {
    html.raw("<li>").raw(label(fact.certainty)).raw("<div>").long(fact.text);
    if let Some(frame) = &fact.frame {
        html.raw(" <span class=\"dim sym\">").text(words::location(&frame.clone().into())).raw("</span>");
    }
    if let Some(offset) = fact.offset {
        html.raw(" <span class=\"dim\">at byte ").text(words::count(offset)).raw("</span>");
    }
    html.raw("</div></li>\n");
}

/// The word and its colour: the colour alone says nothing.
fn label(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Read => "<span class=\"cert sure\">read</span>",
        Certainty::Reported => "<span class=\"cert told\">reported</span>",
        Certainty::Inferred => "<span class=\"cert beware\">inferred</span>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_links() {
        assert!(is_link("https://wiki/run") && is_link("http://wiki/run"));
        assert!(!is_link("javascript:alert(1)") && !is_link("logjam explain deadlock"));
        assert!(!is_link(" https://x") && !is_link("data:text/html,x"));
    }
}

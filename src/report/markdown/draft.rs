//! A text in parts, of which the least important are left out whole where it has to be short.

use serde::Serialize;

use super::escape::prose;
use crate::report::text::words::count;

/// The least limit that can be kept: the answer, clipped, and what was left out. A smaller one is taken for
/// this.
pub const LEAST_CHARS: usize = 512;

/// What a part of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The answer: never left out, and clipped if nothing else helps.
    Answer,
    /// A finding behind the first: its line.
    Finding,
    /// What to do first.
    Advice,
    /// Where the guide is.
    Guide,
    /// The strongest evidence.
    Evidence,
    /// An input that could not be analyzed.
    FailedInput,
    /// Lock, holder, place: who, on what, where.
    Fact,
    /// The first cluster.
    Cluster,
    /// A link of a chain or ring.
    Link,
    /// Everything but the line of a finding behind the first.
    FindingInFull,
    /// What else to do.
    MoreAdvice,
    /// Further evidence.
    MoreEvidence,
    /// A snapshot and its process, where there are several.
    Snapshot,
    /// Clusters behind the first.
    MoreCluster,
    /// Who else may hold the lock, and other groups of waiters.
    Aside,
    /// A stack in full.
    Stack,
    /// A gap.
    Gap,
}

/// How parts are left out.
struct Row {
    part: Part,
    /// What a script calls them.
    id: &'static str,
    /// What a person calls one, and several of them.
    nouns: [&'static str; 2],
}

const fn row(part: Part, id: &'static str, nouns: [&'static str; 2]) -> Row {
    Row { part, id, nouns }
}

/// The parts in the order in which they are left out; of equal ones the last goes first. The answer is not
/// among them.
static ORDER: &[Row] = &[
    row(Part::Gap, "gaps", ["gap", "gaps"]),
    row(Part::Stack, "stacks", ["stack", "stacks"]),
    row(Part::Aside, "asides", ["aside", "asides"]),
    row(Part::MoreCluster, "clusters", ["cluster", "clusters"]),
    row(Part::Snapshot, "snapshots", ["snapshot", "snapshots"]),
    row(Part::MoreEvidence, "evidence", ["piece of evidence", "pieces of evidence"]),
    row(Part::MoreAdvice, "advice", ["piece of advice", "pieces of advice"]),
    row(Part::FindingInFull, "finding-details", ["finding's details", "findings' details"]),
    row(Part::Link, "links", ["link", "links"]),
    row(Part::Cluster, "clusters", ["cluster", "clusters"]),
    row(Part::Fact, "facts", ["line of facts", "lines of facts"]),
    row(Part::FailedInput, "failed-inputs", ["failed input", "failed inputs"]),
    row(Part::Evidence, "evidence", ["piece of evidence", "pieces of evidence"]),
    row(Part::Guide, "guides", ["guide", "guides"]),
    row(Part::Advice, "advice", ["piece of advice", "pieces of advice"]),
    row(Part::Finding, "findings", ["finding", "findings"]),
];

/// What was left out of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Of what: `gaps`, `clusters`.
    pub part: &'static str,
    /// How many.
    pub count: u64,
    #[serde(skip)]
    nouns: [&'static str; 2],
}

/// A text that keeps to its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The text.
    pub text: String,
    /// What is not in it.
    pub left_out: Vec<LeftOut>,
}

struct Piece {
    part: Part,
    /// How many things it tells.
    count: u64,
    text: String,
}

/// A text in parts.
pub struct Draft {
    before_answer: String,
    answer: String,
    after_answer: String,
    pieces: Vec<Piece>,
}

impl Draft {
    /// Begins with the answer, as the dump's own words, between Markdown.
    pub fn new(before: String, answer: &str, after: &str) -> Self {
        Self {
            before_answer: before,
            answer: answer.to_owned(),
            after_answer: after.to_owned(),
            pieces: Vec::new(),
        }
    }

    /// Adds Markdown that tells one thing.
    pub fn add(&mut self, part: Part, markdown: String) {
        self.add_counted(part, 1, markdown);
    }

    /// Adds Markdown that tells `count` things.
    pub fn add_counted(&mut self, part: Part, count: u64, markdown: String) {
        self.pieces.push(Piece { part, count, text: markdown });
    }

    /// Adds a list with its heading. The heading goes with the first item.
    pub fn list(&mut self, heading: &str, first: Part, more: Part, items: impl Iterator<Item = String>) {
        for (n, item) in items.enumerate() {
            match n {
                0 => self.add(first, format!("{heading}{item}")),
                _ => self.add(more, item),
            }
        }
    }

    /// All parts behind the answer.
    pub fn into_parts(self) -> String {
        self.pieces.into_iter().map(|piece| piece.text).collect()
    }

    /// The text, with as many parts as fit into `most` characters. They are counted as UTF-16 does, which is
    /// never less than what a tracker counts.
    pub fn fit(mut self, most: Option<usize>) -> Fitted {
        let whole = self.text(&prose(&self.answer), &[]);
        let Some(most) = most.map(|most| most.max(LEAST_CHARS)).filter(|&most| units(&whole) > most) else {
            return Fitted { text: whole, left_out: Vec::new() };
        };
        let mut used = units(&whole);
        let mut left_out: Vec<LeftOut> = Vec::new();
        for row in ORDER {
            for at in (0..self.pieces.len()).rev() {
                if used + units(&note(&left_out, most)) <= most {
                    break;
                }
                if self.pieces[at].part == row.part {
                    used -= units(&self.pieces[at].text);
                    self.pieces[at].text.clear();
                    remember(&mut left_out, row, self.pieces[at].count);
                }
            }
        }
        let note = note(&left_out, most);
        let answer =
            self.clipped_answer((most + units(&prose(&self.answer))).saturating_sub(used + units(&note)));
        Fitted { text: self.text(&answer, &[note]), left_out }
    }

    /// The answer in at most `room` characters of Markdown.
    fn clipped_answer(&self, room: usize) -> String {
        let mut most = room;
        loop {
            let answer = prose(&clipped(&self.answer, most));
            if units(&answer) <= room || most == 0 {
                return answer;
            }
            most = most * 3 / 4;
        }
    }

    fn text(&self, answer: &str, more: &[String]) -> String {
        let start = [&*self.before_answer, answer, &*self.after_answer];
        let pieces = self.pieces.iter().map(|piece| &*piece.text);
        start.into_iter().chain(pieces).chain(more.iter().map(|text| &**text)).collect()
    }
}

fn remember(left_out: &mut Vec<LeftOut>, row: &Row, count: u64) {
    match left_out.iter_mut().find(|known| known.part == row.id) {
        Some(known) => known.count += count,
        None => left_out.push(LeftOut { part: row.id, count, nouns: row.nouns }),
    }
}

/// What a reader is told of it.
fn note(left_out: &[LeftOut], most: usize) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let said: Vec<_> = left_out.iter().map(said).collect();
    let limit = count(most as u64);
    format!("\n*Left out, to keep to {limit} characters: {}.*\n", said.join(", "))
}

/// `1 gap`, `2 pieces of advice`.
fn said(left_out: &LeftOut) -> String {
    let [one, several] = left_out.nouns;
    format!("{} {}", count(left_out.count), if left_out.count == 1 { one } else { several })
}

/// How many characters a text has, as UTF-16 counts.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `most` characters of a text, cut behind a word, with `…` where something is missing.
pub fn clipped(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    let word_ends = match text.chars().nth(head.chars().count()) {
        Some(next) if next.is_whitespace() => Some(head.len()),
        _ => head.rfind(char::is_whitespace),
    };
    // A word that fills half of the room is better cut than lost.
    let end = word_ends.filter(|&at| at * 2 >= head.len()).unwrap_or(head.len());
    let kept = head[..end].trim_end_matches(|c: char| c.is_whitespace() || ",;:.(".contains(c));
    if most == 0 { String::new() } else { format!("{kept}…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        let mut draft = Draft::new("## ".into(), "threads wait for g_log", "\n");
        draft.add(Part::Fact, format!("- **lock:** {}\n", "l".repeat(80)));
        draft.list(
            "\n**Evidence**\n\n",
            Part::Evidence,
            Part::MoreEvidence,
            (0..3).map(|n| format!("- {n}{}\n", "e".repeat(80))),
        );
        draft.list(
            "\n**What to do**\n\n",
            Part::Advice,
            Part::MoreAdvice,
            (0..2).map(|n| format!("1. {n}{}\n", "a".repeat(80))),
        );
        draft.add_counted(Part::MoreCluster, 15, format!("\n{}\n", "c".repeat(80)));
        draft.list(
            "\n**Gaps**\n\n",
            Part::Gap,
            Part::Gap,
            (0..2).map(|n| format!("- {n}{}\n", "g".repeat(80))),
        );
        draft
    }

    #[test]
    fn what_fits_stays_whole() {
        let whole = draft().fit(None);
        assert!(
            whole.left_out.is_empty() && whole.text.starts_with("## threads wait for `g_log`\n- **lock:**")
        );
        assert_eq!(draft().fit(Some(units(&whole.text))), whole);
    }

    #[test]
    fn the_least_important_goes_first_and_is_named() {
        let mut left_out = Vec::new();
        for most in (LEAST_CHARS..1000).rev() {
            let fitted = draft().fit(Some(most));
            assert!(units(&fitted.text) <= most);
            let said: Vec<_> = fitted.left_out.iter().map(|l| (l.part, l.count)).collect();
            if !said.is_empty() && left_out.last() != Some(&said) {
                left_out.push(said);
            }
        }
        assert_eq!(left_out[0], [("gaps", 1)]);
        assert_eq!(left_out[1], [("gaps", 2)]);
        assert_eq!(left_out[2], [("gaps", 2), ("clusters", 15)]);
        assert_eq!(left_out[3], [("gaps", 2), ("clusters", 15), ("evidence", 1)]);
        let text = draft().fit(Some(620)).text;
        assert!(
            text.ends_with(
                "\n*Left out, to keep to 620 characters: 2 gaps, 15 clusters, 1 piece of evidence.*\n"
            ),
            "{text}"
        );
        assert!(text.contains("- 1eee") && !text.contains("- 2eee"));
    }

    #[test]
    fn every_part_but_the_answer_has_its_place() {
        let mut draft = Draft::new("## ".into(), &"word ".repeat(2000), "\n");
        for row in ORDER {
            draft.add_counted(row.part, 1_000_000, "x".repeat(600));
        }
        let fitted = draft.fit(Some(1));
        assert!(units(&fitted.text) <= LEAST_CHARS, "{}", fitted.text);
        assert!(fitted.text.starts_with("## word word"), "{}", fitted.text);
        assert!(fitted.text.contains("word…\n\n*Left out, to keep to 512 characters: "), "{}", fitted.text);
    }

    #[test]
    fn a_hostile_answer_is_clipped_too() {
        for answer in
            ["`".repeat(100_000), "@a ".repeat(50_000), "世界".repeat(50_000), "\u{0} ".repeat(9000)]
        {
            let mut draft = Draft::new("## ".into(), &answer, "\n");
            draft.add(Part::Gap, "g".repeat(5000));
            let text = draft.fit(Some(LEAST_CHARS)).text;
            assert!(units(&text) <= LEAST_CHARS && text.contains("1 gap."), "{text}");
        }
    }

    #[test]
    fn text_is_cut_behind_a_word() {
        assert_eq!(clipped("short", 5), "short");
        assert_eq!(clipped("4,499 threads wait, all of them", 20), "4,499 threads wait…");
        assert_eq!(clipped("4,499 threads wait", 14), "4,499 threads…");
        assert_eq!(clipped(&"x".repeat(50), 10), format!("{}…", "x".repeat(9)));
        assert_eq!(clipped("世界世界世界", 4), "世界世…");
        assert_eq!(clipped("abc", 0), "");
    }
}

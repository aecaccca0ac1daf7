//! Replaces what is to be removed from one text.

use aho_corasick::{AhoCorasick, MatchKind};

use super::kind::{Kind, Kinds};
use super::scan::{self, Form, Source, is_word};
use super::secrets::{Secret, Secrets, is_telling, split, user_range};
use super::tokens::{ThreadTokens, Tokens};

/// Replaces texts by placeholders, the same text always by the same one.
pub(super) struct Scrubber {
    pub kinds: Kinds,
    secrets: Secrets,
    /// Finds the known texts; `None` where there is none.
    finder: Option<AhoCorasick>,
    /// What the finder's patterns are.
    found: Vec<Secret>,
    paths: Tokens,
    users: Tokens,
    hosts: Tokens,
    addresses: Tokens,
    strings: Tokens,
    arguments: Tokens,
    commands: Tokens,
    threads: ThreadTokens,
}

/// A piece of a text that is replaced, or that stays although parts of it look like a secret.
struct Span {
    start: usize,
    end: usize,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Known(Secret),
    Looks(Form),
}

impl Scrubber {
    pub fn new(kinds: Kinds, secrets: Secrets) -> Self {
        let found: Vec<Secret> = secrets.texts.values().copied().collect();
        // Building fails for more patterns than memory can hold; the forms are still found then.
        let finder = AhoCorasick::builder().match_kind(MatchKind::Standard).build(secrets.texts.keys()).ok();
        Self {
            kinds,
            finder: finder.filter(|_| !found.is_empty()),
            found,
            secrets,
            paths: Tokens::new("path"),
            users: Tokens::new("user"),
            hosts: Tokens::new("host"),
            addresses: Tokens::new("address"),
            strings: Tokens::new("string"),
            arguments: Tokens::new("argument"),
            commands: Tokens::new("command"),
            threads: ThreadTokens::default(),
        }
    }

    /// A text that a rule worded, or that of a dump in which anything can be.
    pub fn text(&mut self, text: &str) -> String {
        self.scrub(text, self.kinds, Source::Rule)
    }

    /// A text about files.
    pub fn about_files(&mut self, text: &str) -> String {
        self.scrub(text, self.kinds, Source::Files)
    }

    /// The name of a function: it stays, but for paths, values and addresses that compilers write into it.
    pub fn function(&mut self, name: &str) -> String {
        self.scrub(name, self.kinds, Source::Function)
    }

    /// The name of a file without its folder: it stays, but for users and machines.
    fn file_name(&mut self, name: &str) -> String {
        let kinds = [Kind::Users, Kind::Hosts].into_iter().filter(|&kind| self.kinds.has(kind)).collect();
        if name.is_empty() { String::new() } else { self.scrub(name, kinds, Source::Name) }
    }

    /// A path: a placeholder for its folder, and its file name. That of an input goes as a whole.
    pub fn path(&mut self, path: &str) -> String {
        if path == "-" {
            return path.to_owned();
        }
        let input = self.secrets.inputs.get(path).map(|number| format!("<input-{number}>"));
        if !self.kinds.has(Kind::Paths) {
            // File names of dumps are often made of the machine's.
            let input = input.filter(|_| self.kinds.has(Kind::Hosts));
            return match (input, split(path)) {
                (Some(input), Some((folder, _))) => format!("{}/{input}", self.names_of_path(folder)),
                (Some(input), None) => input,
                (None, _) => self.names_of_path(path),
            };
        }
        if let Some(input) = input {
            return input;
        }
        let Some((folder, name)) = split(path) else { return self.file_name(path) };
        let is_home = user_range(path).is_some_and(|user| user.end == path.len());
        if name.is_empty() || is_home || self.secrets.folders.contains(path) {
            return self.paths.of(path.trim_end_matches(['/', '\\']));
        }
        format!("{}/{}", self.paths.of(folder.trim_end_matches(['/', '\\'])), self.file_name(name))
    }

    /// A path that keeps its folders, but for users and machines.
    fn names_of_path(&mut self, path: &str) -> String {
        let Some(user) = user_range(path).filter(|_| self.kinds.has(Kind::Users)) else {
            return self.file_name(path);
        };
        let name = self.users.of(&path[user.clone()]);
        format!("{}{name}{}", &path[..user.start], self.file_name(&path[user.end..]))
    }

    /// The name of a thread.
    pub fn thread(&mut self, name: &str) -> String {
        if self.kinds.has(Kind::Threads) { self.threads.name(name) } else { self.text(name) }
    }

    /// A pattern of such names.
    pub fn thread_pattern(&mut self, pattern: &str) -> String {
        if self.kinds.has(Kind::Threads) { self.threads.pattern(pattern) } else { self.text(pattern) }
    }

    /// What stands for an address of the process, where addresses go.
    pub fn address(&mut self, address: u64) -> Option<String> {
        self.hides(address).then(|| self.addresses.of(&format!("{address:#x}")))
    }

    /// Whether an address goes.
    pub fn hides(&self, address: u64) -> bool {
        self.kinds.has(Kind::Addresses) && address >= scan::LOWEST_ADDRESS
    }

    /// A command line.
    pub fn command(&mut self, line: &str) -> String {
        if self.kinds.has(Kind::Commands) {
            return self.commands.of(line);
        }
        if !self.kinds.has(Kind::Arguments) {
            return self.about_files(line);
        }
        let mut words = line.split_whitespace();
        let program = words.next().map(|word| self.path(word));
        let arguments = words.map(|word| self.arguments.of(word));
        program.into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
    }

    /// Why an input could not be analyzed. Its path stands there, however short it is.
    pub fn error_of(&mut self, path: &str, why: &str) -> String {
        if path == "-" {
            return self.about_files(why);
        }
        let own = why.match_indices(path).map(|(at, _)| at).find(|&at| is_alone(why, at, at + path.len()));
        match own {
            Some(at) => {
                let (before, behind) = (&why[..at], &why[at + path.len()..]);
                format!("{}{}{}", self.about_files(before), self.path(path), self.about_files(behind))
            }
            None => self.about_files(why),
        }
    }

    fn scrub(&mut self, text: &str, kinds: Kinds, source: Source) -> String {
        let mut spans: Vec<Span> = scan::pieces(text, kinds, source)
            .into_iter()
            .map(|piece| Span { start: piece.start, end: piece.end, what: What::Looks(piece.form) })
            .collect();
        spans.extend(self.known(text, kinds, source));
        // The first one counts; of those that begin together the longest, and what is known before what only looks so.
        spans.sort_by_key(|s| (s.start, std::cmp::Reverse(s.end), matches!(s.what, What::Looks(_))));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for span in spans {
            if span.start < at {
                continue;
            }
            out.push_str(&text[at..span.start]);
            out.push_str(&self.replaced(&text[span.start..span.end], span.what));
            at = span.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Known texts that stand alone: `db-1` is not in `db-12`.
    fn known(&self, text: &str, kinds: Kinds, source: Source) -> Vec<Span> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let mut spans = Vec::new();
        for found in finder.find_overlapping_iter(text) {
            let (start, mut end) = (found.start(), found.end());
            let secret = self.found[found.pattern().as_usize()];
            let known = &text[start..end];
            let is_quoted = text[..start].ends_with('"') && text[end..].starts_with('"');
            let is_meant = match secret {
                Secret::Path | Secret::Input if source == Source::Function => known.starts_with('/'),
                _ if source == Source::Function => false,
                Secret::Path | Secret::Input if source == Source::Name => false,
                Secret::Path => kinds.has(Kind::Paths) || kinds.has(Kind::Users),
                Secret::Input => [Kind::Paths, Kind::Users, Kind::Hosts].iter().any(|&kind| kinds.has(kind)),
                Secret::User => kinds.has(Kind::Users),
                Secret::Host => kinds.has(Kind::Hosts),
                Secret::Thread | Secret::ThreadPattern => {
                    kinds.has(Kind::Threads) && (is_telling(known) || is_quoted)
                }
                Secret::Argument => {
                    (kinds.has(Kind::Arguments) || kinds.has(Kind::Commands)) && is_telling(known)
                }
                Secret::Command => kinds.has(Kind::Commands) && is_telling(known),
                Secret::Stays => true,
            };
            let is_word_of_text = secret == Secret::Input && !is_telling(known);
            if !is_meant || is_word_of_text {
                continue;
            }
            let stands_alone = match secret {
                // `eve_backup` names her.
                Secret::User => {
                    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                    !is_letter(text[..start].chars().next_back()) && !is_letter(text[end..].chars().next())
                }
                Secret::Input if !text[end..].starts_with(['/', '\\']) => is_alone(text, start, end),
                Secret::Path | Secret::Input => {
                    // What is under a known folder belongs to the path.
                    end += scan::path_end(&text[end..], None);
                    !text[..start].ends_with(|c: char| is_word(c) || matches!(c, '/' | '\\'))
                }
                _ => is_alone(text, start, end),
            };
            if stands_alone {
                spans.push(Span { start, end, what: What::Known(secret) });
            }
        }
        spans
    }

    fn replaced(&mut self, text: &str, what: What) -> String {
        match what {
            // Compilers write paths into names.
            What::Known(Secret::Stays) => self.function(text),
            What::Known(Secret::Input | Secret::Path) | What::Looks(Form::Path) => self.path(text),
            What::Known(Secret::User) => self.users.of(text),
            What::Known(Secret::Host) => self.hosts.of(text),
            What::Known(Secret::Thread) => self.threads.name(text),
            What::Known(Secret::ThreadPattern) => self.threads.pattern(text),
            What::Known(Secret::Command) => self.commands.of(text),
            What::Known(Secret::Argument) | What::Looks(Form::Argument) => self.arguments.of(text),
            What::Looks(Form::Address) => match scan::address_value(text) {
                Some(value) => self.addresses.of(&format!("{value:#x}")),
                None => text.to_owned(),
            },
            What::Looks(Form::Quoted) => format!("\"{}\"", self.strings.of(text)),
            What::Looks(Form::User) if self.kinds.has(Kind::Users) => self.users.of(text),
            What::Looks(Form::Host) if self.kinds.has(Kind::Hosts) => self.hosts.of(text),
            What::Looks(Form::User | Form::Host) => text.to_owned(),
            What::Looks(Form::Url) => self.url(text),
        }
    }

    /// A link without the machine that it names, and without the account before it.
    fn url(&mut self, url: &str) -> String {
        if !self.kinds.has(Kind::Hosts) && !self.kinds.has(Kind::Users) {
            return url.to_owned();
        }
        let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (place, behind) = rest.split_at(end);
        let (account, place) = place.rsplit_once('@').map_or((None, place), |(a, p)| (Some(a), p));
        let account = account.map(|account| format!("{}@", self.users.of(account))).unwrap_or_default();
        let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if is_port(port) => (host, format!(":{port}")),
            _ => (place, String::new()),
        };
        let host = if self.kinds.has(Kind::Hosts) { self.hosts.of(host) } else { host.to_owned() };
        format!("{scheme}://{account}{host}{port}{}", self.file_name(behind))
    }
}

/// Whether a piece of a text is no part of a longer word.
fn is_alone(text: &str, start: usize, end: usize) -> bool {
    let (before, behind) = (text[..start].chars().next_back(), text[end..].chars().next());
    let piece = &text[start..end];
    let goes_on = |is_word_here: bool, next: Option<char>| is_word_here && next.is_some_and(is_word);
    !goes_on(piece.starts_with(is_word), before) && !goes_on(piece.ends_with(is_word), behind)
}

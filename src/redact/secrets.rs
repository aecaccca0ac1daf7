//! What a diagnosis itself says is a path, a user, a name of a thread: to be found again in the texts that rules
//! worded, whatever it looks like there.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::kind::{Kind, Kinds};
use super::scan::{self, Form, Source};
use crate::check::Judgement;
use crate::diagnosis::{Analyzed, Diagnosis};
use crate::model::ThreadIx;

/// What a known text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secret {
    /// Nothing: a function, a module, a symbol. It stays whole.
    Stays,
    /// The path of an input.
    Input,
    /// A path.
    Path,
    /// A user.
    User,
    /// A machine.
    Host,
    /// The name of a thread.
    Thread,
    /// The names of several threads, their numbers replaced.
    ThreadPattern,
    /// A command line.
    Command,
    /// A word of one.
    Argument,
}

/// All known texts.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// What each text is; what was said first of it counts.
    pub texts: BTreeMap<String, Secret>,
    /// The inputs and their places.
    pub inputs: FxHashMap<String, usize>,
    last_input: usize,
    /// Paths that are folders as a whole.
    pub folders: FxHashSet<String>,
}

impl Secrets {
    /// Looks at everything of a diagnosis that is no text of ours.
    pub fn of(diagnosis: &Diagnosis, judgement: Option<&Judgement>, kinds: Kinds) -> Self {
        let mut all = Self::default();
        let sources = diagnosis.snapshots.iter().map(|s| &*s.snapshot.source.path);
        for path in diagnosis.inputs.iter().map(|(path, _)| path.as_str()).chain(sources) {
            all.input(path);
        }
        for analyzed in &diagnosis.snapshots {
            all.paths(analyzed);
        }
        all.names_in_paths(kinds);
        for analyzed in &diagnosis.snapshots {
            all.what_stays(analyzed);
        }
        for analyzed in &diagnosis.snapshots {
            all.threads(analyzed, kinds);
            all.command(analyzed, kinds);
        }
        for known in judgement.into_iter().flat_map(|j| &j.gone) {
            all.machines(&known.title, kinds);
        }
        all
    }

    fn add(&mut self, text: &str, secret: Secret) {
        if !text.is_empty() && !self.texts.contains_key(text) {
            self.texts.insert(text.to_owned(), secret);
        }
    }

    fn input(&mut self, path: &str) {
        if path == "-" {
            return;
        }
        if self.inputs.contains_key(path) {
            return;
        }
        self.last_input += 1;
        self.inputs.insert(path.to_owned(), self.last_input);
        self.add(path, Secret::Input);
        // A text may name the file alone, or a file beside it.
        if let Some((folder, name)) = split(path) {
            self.inputs.entry(name.to_owned()).or_insert(self.last_input);
            self.add(name, Secret::Input);
            self.folder(folder);
        }
    }

    fn folder(&mut self, path: &str) {
        let path = path.trim_end_matches(['/', '\\']);
        if !path.is_empty() && self.folders.insert(path.to_owned()) {
            self.path(path);
        }
    }

    /// A text without a folder is a file name, which stays.
    fn path(&mut self, path: &str) {
        if path.contains(['/', '\\']) {
            self.add(path, Secret::Path);
        }
    }

    fn paths(&mut self, analyzed: &Analyzed) {
        let snapshot = &analyzed.snapshot;
        let search = analyzed.modules.search_paths();
        let folders = search.sysroot.iter().chain(&search.debug_dirs).chain(&search.dump_dir);
        for folder in folders {
            self.folder(&folder.to_string_lossy());
        }
        if let Some(program) = &search.executable {
            self.path(&program.to_string_lossy());
        }
        for (_, module) in analyzed.modules.iter() {
            self.path(&module.path);
            module.files().for_each(|file| self.path(&file.path));
        }
        for mapping in snapshot.image.iter().flat_map(|image| &image.mappings) {
            self.path(&mapping.path);
        }
        for frame in snapshot.stacks.all_frames() {
            frame.file.iter().chain(&frame.module).for_each(|path| self.path(path));
        }
        for word in snapshot.process.command_line.iter().flat_map(|line| line.split_whitespace()) {
            self.path(word.rsplit_once('=').map_or(word, |(_, value)| value));
        }
    }

    /// Users by their home folders, machines by what looks like one.
    fn names_in_paths(&mut self, kinds: Kinds) {
        let paths: Vec<String> = self.texts.keys().cloned().collect();
        for path in &paths {
            if let Some(user) = user_of(path).filter(|user| kinds.has(Kind::Users) && !is_role_account(user))
            {
                self.add(user, Secret::User);
            }
            self.machines(path, kinds);
        }
    }

    fn machines(&mut self, text: &str, kinds: Kinds) {
        for piece in scan::pieces(text, kinds, Source::Rule) {
            let found = &text[piece.start..piece.end];
            match piece.form {
                Form::User if kinds.has(Kind::Users) && !is_role_account(found) => {
                    self.add(found, Secret::User)
                }
                Form::Host if kinds.has(Kind::Hosts) => {
                    self.add(found, Secret::Host);
                    let short = found.split('.').next().unwrap_or_default();
                    if is_telling(short) {
                        self.add(short, Secret::Host);
                    }
                }
                _ => {}
            }
        }
    }

    fn what_stays(&mut self, analyzed: &Analyzed) {
        for (_, module) in analyzed.modules.iter() {
            self.add(&module.name, Secret::Stays);
        }
        for meaning in analyzed.meanings.iter() {
            self.add(&meaning.name, Secret::Stays);
        }
        for lock in &analyzed.waits.locks {
            lock.name.iter().for_each(|name| self.add(name, Secret::Stays));
        }
        if let Some(name) = &analyzed.snapshot.process.name
            && is_program_name(name, analyzed)
        {
            self.add(name, Secret::Stays);
        }
    }

    fn threads(&mut self, analyzed: &Analyzed, kinds: Kinds) {
        let threads = &analyzed.snapshot.threads;
        for name in threads.iter().filter_map(|thread| thread.name.as_deref()) {
            // A machine may have its name from a thread of its connection.
            self.machines(name, kinds);
            if kinds.has(Kind::Threads) {
                self.add(name, Secret::Thread);
            }
        }
        let patterns = analyzed.clusters.clusters.iter().flat_map(|c| &c.thread_names);
        for (pattern, _) in patterns.filter(|_| kinds.has(Kind::Threads)) {
            self.add(pattern, Secret::ThreadPattern);
        }
    }

    fn command(&mut self, analyzed: &Analyzed, kinds: Kinds) {
        let Some(line) = analyzed.snapshot.process.command_line.as_deref() else { return };
        self.machines(line, kinds);
        if kinds.has(Kind::Commands) {
            self.add(line, Secret::Command);
        }
        if kinds.has(Kind::Commands) || kinds.has(Kind::Arguments) {
            for word in line.split_whitespace().skip(1) {
                let value = word.split_once('=').map_or(word, |(_, value)| value);
                let words = [word, value, value.trim_matches(['"', '\''])];
                words.into_iter().for_each(|word| self.add(word, Secret::Argument));
            }
        }
    }
}

/// Whether the short name of a process is that of a file: such names stay. A program may call its first thread
/// something else, which is the name of a thread then.
pub(super) fn is_program_name(name: &str, analyzed: &Analyzed) -> bool {
    let begins = |file: &str| file == name || (name.len() >= KERNEL_NAME && file.starts_with(name));
    let command = analyzed.snapshot.process.command_line.as_deref().and_then(|l| l.split_whitespace().next());
    let of_command = command.map(|word| split(word).map_or(word, |(_, name)| name));
    let is_thread = |ix: ThreadIx| {
        let thread = analyzed.snapshot.threads.get(ix.at());
        thread.and_then(|t| t.name.as_deref()) == Some(name)
    };
    analyzed.modules.iter().any(|(_, module)| begins(&module.name))
        || of_command.is_some_and(begins)
        || !(0..analyzed.snapshot.threads.len() as u32).any(|n| is_thread(ThreadIx(n)))
}

/// Linux keeps this many bytes of a name.
const KERNEL_NAME: usize = 15;

/// Folder and file name.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let at = path.rfind(['/', '\\'])?;
    Some((&path[..at], &path[at + 1..]))
}

/// Folders in which each folder is that of a user.
const HOMES: &[&str] = &["home", "Users", "homes", "Documents and Settings"];

/// The part of a path that is a user's name: `/home/eve/src` is `eve`'s.
pub(super) fn user_range(path: &str) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    let mut is_home = false;
    for part in path.split(['/', '\\']) {
        let is_tilde = at == 0 && part.len() > 1 && part.starts_with('~');
        if is_tilde {
            return Some(1..part.len());
        }
        if is_home && !part.is_empty() {
            return Some(at..at + part.len());
        }
        is_home = HOMES.contains(&part);
        at += part.len() + 1;
    }
    None
}

fn user_of(path: &str) -> Option<&str> {
    path.get(user_range(path)?)
}

/// Accounts that are no person, and words of our own texts: outside of paths they stay.
fn is_role_account(name: &str) -> bool {
    const ACCOUNTS: &[&str] = &[
        "root", "user", "users", "admin", "build", "builder", "runner", "work", "worker", "test", "tests",
        "server", "service", "system", "daemon", "main", "app", "data", "core", "dump", "log", "thread",
        "threads", "process", "program", "lock", "default", "guest", "public", "shared", "ubuntu", "debian",
        "vagrant", "jenkins", "nobody", "the", "and", "stack", "file", "files", "memory", "code", "time",
        "home",
    ];
    name.len() < 3 || ACCOUNTS.contains(&name)
}

/// Whether a name can be told from a word of a sentence: it has a digit, a sign, or a capital letter inside.
pub(super) fn is_telling(name: &str) -> bool {
    name.chars().count() >= 4
        && name.chars().any(char::is_alphabetic)
        && name.chars().skip(1).any(|c| !c.is_ascii_lowercase() && c != '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_have_users() {
        for (path, user) in [
            ("/home/eve/src/x.c", Some("eve")),
            ("C:\\Users\\Eve Long\\x", Some("Eve Long")),
            ("/mnt/home/eve", Some("eve")),
            ("~eve/x", Some("eve")),
            ("/home", None),
            ("/srv/eve/x", None),
        ] {
            assert_eq!(user_of(path), user, "{path}");
        }
    }

    #[test]
    fn words_of_a_sentence_are_not_telling() {
        for name in ["http-7", "FlushWorker", "g_log", "conn 3", "pool-*-thread"] {
            assert!(is_telling(name), "{name}");
        }
        for name in ["threads", "Thread", "main", "a-1", "1234", "http*"] {
            assert!(!is_telling(name), "{name}");
        }
    }
}

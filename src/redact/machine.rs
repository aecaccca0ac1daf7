//! What looks like a machine, a user on one, or a link to one.

use super::scan::{Form, Piece, is_word};

/// The most bytes that are looked at for a scheme or an address of a machine: neither is longer.
const LONGEST_FORM: usize = 48;

/// `scheme://…` up to a blank. A file's is a path.
pub(super) fn url(rest: &str) -> Option<usize> {
    let is_end = |b: &u8| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'-' | b'.');
    let scheme = rest.as_bytes().iter().take(LONGEST_FORM).position(is_end)?;
    let is_url =
        scheme > 0 && rest[scheme..].starts_with("://") && !rest[..scheme].eq_ignore_ascii_case("file");
    is_url
        .then(|| rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>')).unwrap_or(rest.len()))
}

/// Last labels of names of machines. A list, because a dot alone makes no machine: `libc.so.6`, `java.lang.Object`.
const DOMAINS: &[&str] = &[
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "eu",
    "de",
    "uk",
    "fr",
    "ch",
    "at",
    "nl",
    "us",
    "ca",
    "jp",
    "cn",
    "io",
    "dev",
    "app",
    "cloud",
    "biz",
    "info",
    "local",
    "localdomain",
    "internal",
    "intern",
    "intra",
    "intranet",
    "corp",
    "lan",
    "home",
    "private",
    "example",
    "test",
    "invalid",
    "svc",
    "cluster",
];

/// A machine, or `user@machine`, at a word of this length.
pub(super) fn machine(at: usize, rest: &str, word: usize) -> Vec<Piece> {
    let piece = |start, end, form| Piece { start, end, form };
    let name = rest[..word].trim_end_matches(['.', '-']);
    if let Some(behind) = rest[word..].strip_prefix('@') {
        let end = behind.find(|c| !is_word(c) && !matches!(c, '.' | '-')).unwrap_or(behind.len());
        let host = behind[..end].trim_end_matches(['.', '-']);
        if is_host_behind_user(host) {
            let start = at + word + 1;
            return vec![piece(at, at + word, Form::User), piece(start, start + host.len(), Form::Host)];
        }
    }
    let is_host = is_ipv4(name) || is_domain(name);
    if is_host {
        return vec![piece(at, at + name.len(), Form::Host)];
    }
    let is_end = |b: &u8| !b.is_ascii_hexdigit() && *b != b':';
    let bytes = rest.as_bytes().iter().take(LONGEST_FORM);
    let colons = bytes.clone().position(is_end).unwrap_or(bytes.len());
    let address = rest[..colons].trim_end_matches(':');
    if is_ipv6(address) && !rest[address.len()..].starts_with(is_word) {
        return vec![piece(at, at + address.len(), Form::Host)];
    }
    Vec::new()
}

/// `memcpy@plt`, `read@GLIBC_2.2.5` and `java.lang.Object@7b836878` name no machine.
fn is_host_behind_user(host: &str) -> bool {
    let is_hash = host.len() >= 6 && host.bytes().all(|b| b.is_ascii_hexdigit());
    let is_version = host.contains('_') && host.starts_with(|c: char| c.is_ascii_uppercase());
    (host.starts_with(char::is_alphabetic) || is_ipv4(host))
        && !is_hash
        && !is_version
        && !matches!(host, "plt" | "entry" | "got")
}

fn is_ipv4(name: &str) -> bool {
    let mut parts = 0;
    let all = name.split('.').all(|part| {
        parts += 1;
        part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u8>().is_ok()
    });
    all && parts == 4
}

fn is_ipv6(text: &str) -> bool {
    let colons = text.matches(':').count();
    let has_form =
        colons == 7 || (colons >= 2 && text.contains("::") && text.contains(|c: char| c.is_ascii_digit()));
    has_form && text.split(':').all(|group| group.len() <= 4)
}

fn is_domain(name: &str) -> bool {
    let Some((host, last)) = name.rsplit_once('.') else { return false };
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    DOMAINS.iter().any(|domain| last.eq_ignore_ascii_case(domain)) && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::super::scan::Source;
    use super::super::scan::tests::found;
    use super::*;

    #[test]
    fn machines_have_a_domain_or_a_user() {
        assert_eq!(found("ssh eve@db01 -v", Source::Rule), [(Form::User, "eve"), (Form::Host, "db01")]);
        for (text, host) in [
            ("--db=db01.corp.example:5432", "db01.corp.example"),
            ("10.0.0.7:80", "10.0.0.7"),
            ("[fe80::1]", "fe80::1"),
        ] {
            assert_eq!(found(text, Source::Rule), [(Form::Host, host)], "{text}");
        }
        for text in [
            "libc.so.6",
            "java.lang.Object@7b836878",
            "memcpy@plt",
            "read@GLIBC_2.2.5",
            "express@4.18.2",
            "12:34:56",
            "x.c",
        ] {
            assert_eq!(found(text, Source::Rule), [], "{text}");
        }
        assert_eq!(
            found("https://wiki.corp.example/x", Source::Rule),
            [(Form::Url, "https://wiki.corp.example/x")]
        );
    }
}

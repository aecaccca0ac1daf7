//! Paths as URI references: relative ones stay relative, absolute ones become `file` URIs.

/// The URI reference of a path of Unix or Windows.
pub fn of_path(path: &str) -> String {
    let slashed = || path.replace('\\', "/");
    match path.as_bytes() {
        [b'/', ..] => format!("file://{}", encoded(path, b"/:")),
        // A share: the host stands where URIs have it.
        [b'\\', b'\\', ..] => format!("file:{}", encoded(&slashed(), b"/")),
        [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic() => {
            format!("file:///{}", encoded(&slashed(), b"/:"))
        }
        // In a relative reference a colon would end a scheme.
        _ => encoded(path.trim_start_matches("./"), b"/"),
    }
}

/// Percent-encodes all but what RFC 3986 calls unreserved.
fn encoded(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ if kept.contains(&byte) => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::of_path;

    #[test]
    fn paths_are_uris() {
        for (path, uri) in [
            ("src/log server.c", "src/log%20server.c"),
            ("./src/a.c", "src/a.c"),
            ("../nptl/lock.c", "../nptl/lock.c"),
            ("c:a/b%41.c", "c%3Aa/b%2541.c"),
            ("/work/a:b/ü#1.c", "file:///work/a:b/%C3%BC%231.c"),
            (r"C:\src\a b.cpp", "file:///C:/src/a%20b.cpp"),
            (r"\\host\share\a.c", "file://host/share/a.c"),
            ("a\n\0\u{1b}", "a%0A%00%1B"),
            ("-", "-"),
        ] {
            assert_eq!(of_path(path), uri);
        }
    }
}

//! Thread names without their numbers.

/// The name that all threads of one kind share: `http-exec-12` → `http-exec-*`.
pub fn thread_name_pattern(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for c in name.chars() {
        if !c.is_ascii_digit() {
            pattern.push(c);
        } else if !pattern.ends_with('*') {
            pattern.push('*');
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::thread_name_pattern;

    #[test]
    fn runs_of_digits_become_one_star() {
        for (name, pattern) in [
            ("http-exec-12", "http-exec-*"),
            ("pool-3-thread-207", "pool-*-thread-*"),
            ("main", "main"),
            ("42", "*"),
            ("", ""),
            ("Binder:1234_5", "Binder:*_*"),
        ] {
            assert_eq!(thread_name_pattern(name), pattern, "{name}");
        }
    }
}

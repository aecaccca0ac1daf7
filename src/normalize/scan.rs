//! Walks over a readable C++, Rust, Go, Java, .NET or Swift name and leaves out arguments.
//!
//! Nothing here fails: a name that a producer cut in the middle of its template arguments loses
//! what follows the open bracket. Every byte is looked at a bounded number of times.

/// Kept brackets (`<T as Trait>`, `(*T)`) inside kept brackets, at most; deeper ones are dropped.
const MAX_DEPTH: u8 = 8;

/// The name without parameters, template arguments and return type.
pub fn without_arguments(text: &str) -> String {
    let mut scan = Scan { text, out: String::with_capacity(text.len()), ..Scan::default() };
    scan.run();
    scan.out.truncate(scan.out.trim_end().len());
    if !scan.has_operator && !is_swift(text) && (scan.has_dropped || text.contains("::")) {
        scan.cut_return_type();
    }
    scan.out
}

/// The end of the bracket that opens at `open`, behind `>`. `None` when it never closes.
pub fn angle_end(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, open);
    while let Some(&b) = bytes.get(at) {
        match b {
            b'(' => at = close(bytes, at, b'(', b')')? - 1,
            b'<' | b'>' if text[..at].ends_with("operator") => {
                at += operator_token(&text[at..]).map_or(0, |t| t.len() - 1);
            }
            b'<' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place behind the bracket that closes the one at `open`.
fn close(bytes: &[u8], open: usize, opening: u8, closing: u8) -> Option<usize> {
    let mut depth = 0usize;
    for (n, &b) in bytes[open..].iter().enumerate() {
        if b == opening {
            depth += 1;
        } else if b == closing {
            depth -= 1;
            if depth == 0 {
                return Some(open + n + 1);
            }
        }
    }
    None
}

/// `closure #1 in static Sampler.sample(logits:)`: words before the name belong to it.
fn is_swift(text: &str) -> bool {
    let first =
        ["specialized ", "static ", "closure #", "implicit closure", "partial apply", "protocol witness"];
    !text.contains("::") && (first.iter().any(|p| text.starts_with(p)) || text.contains(" in "))
}

const OPERATORS: [&str; 38] = [
    "()", "[]", "->*", "->", "<=>", "<<=", ">>=", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--",
    "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "+", "-", "*", "/", "%", "^", "&", "|", "~", "!", "=",
    "<", ">",
];

fn operator_token(rest: &str) -> Option<&'static str> {
    OPERATORS.into_iter().find(|token| rest.starts_with(token))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '~' || c == '`'
}

#[derive(Default)]
struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    out: String,
    has_dropped: bool,
    has_operator: bool,
    /// Length of `out` behind an operator's name, whose last character is no letter.
    operator_end: usize,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '<' => self.on_angle(),
                '(' => self.on_paren(),
                '[' => self.on_square(),
                '{' => self.on_brace(),
                '\'' => self.on_quote(),
                c if is_word(c) => self.on_word(),
                c => self.push(c),
            }
        }
    }

    fn push(&mut self, c: char) {
        self.out.push(c);
        self.at += c.len_utf8();
    }

    /// What stands behind a name, of whatever kind, is an argument list.
    fn is_behind_name(&self) -> bool {
        let out = self.out.trim_end();
        (self.operator_end > 0 && self.operator_end == out.len())
            || out.chars().next_back().is_some_and(|c| is_word(c) || matches!(c, '}' | '\'' | '>'))
    }

    fn skip_to(&mut self, end: Option<usize>) {
        self.at = end.unwrap_or(self.text.len());
        self.has_dropped = true;
    }

    /// The text between the brackets, from the one at the current place.
    fn inner(&self, end: Option<usize>) -> &'a str {
        let end = end.map_or(self.text.len(), |e| e - 1);
        self.text.get(self.at + 1..end).unwrap_or("")
    }

    fn nested(&self, text: &str) -> String {
        if self.depth >= MAX_DEPTH {
            return String::new();
        }
        let mut scan = Scan { text, depth: self.depth + 1, ..Scan::default() };
        scan.run();
        scan.out
    }

    fn on_angle(&mut self) {
        let end = angle_end(self.text, self.at);
        let inner = self.inner(end);
        let is_kept = inner.starts_with("impl ") || inner.starts_with("lambda") || inner.contains(" as ");
        if self.is_behind_name() {
            // `Mutex<T>`
        } else if self.out.ends_with("::") && !is_kept {
            // `foo::<T>`
            self.out.truncate(self.out.len() - 2);
        } else if self.is_inherent_impl(inner, end) && !is_kept {
            let nested = self.nested(inner);
            self.out.push_str(&nested);
        } else {
            let qualified = self.qualified(inner);
            self.out.push_str(&qualified);
        }
        self.skip_to(end);
    }

    /// `<std::sync::Mutex<i32>>::lock`, the way in which Rust's newer symbols write `Mutex::lock`.
    fn is_inherent_impl(&self, inner: &str, end: Option<usize>) -> bool {
        let next = end.map_or("", |e| &self.text[e..]);
        self.out.is_empty() && next.starts_with("::") && inner.starts_with(is_word)
    }

    /// `<T as Trait>`, `<impl Trait for T>`, `<[T]>`, .NET's `<Main>b__0`.
    fn qualified(&self, inner: &str) -> String {
        for word in [" as ", " for "] {
            if let Some(at) = top_level(inner, word) {
                let (left, right) = (self.nested(&inner[..at]), self.nested(&inner[at + word.len()..]));
                return format!("<{left}{word}{right}>");
            }
        }
        format!("<{}>", self.nested(inner))
    }

    fn on_paren(&mut self) {
        let end = close(self.text.as_bytes(), self.at, b'(', b')');
        let inner = self.inner(end);
        if inner.starts_with("anonymous ") {
            self.out.push_str("(anonymous namespace)");
            self.skip_to(end);
        } else if self.is_behind_name() {
            self.skip_to(end);
            self.skip_qualifiers();
        } else {
            let nested = self.nested(inner);
            self.out.push('(');
            self.out.push_str(&nested);
            self.out.push(')');
            self.skip_to(end);
        }
    }

    /// `foo() const::{lambda()#1}::operator()() const &`
    fn skip_qualifiers(&mut self) {
        loop {
            let rest = self.rest();
            let found =
                [" const", " volatile", " noexcept", " &&", " &"].into_iter().find(|q| rest.starts_with(q));
            match found {
                Some(q) if !rest[q.len()..].starts_with(is_word) => self.at += q.len(),
                _ => return,
            }
        }
    }

    /// `foo[abi:cxx11]`, Go's `Map[...]`, .NET's `List`1[System.Object]`.
    fn on_square(&mut self) {
        if self.is_behind_name() && !self.out.ends_with(' ') {
            self.skip_to(close(self.text.as_bytes(), self.at, b'[', b']'));
        } else {
            self.push('[');
        }
    }

    fn on_brace(&mut self) {
        let end = close(self.text.as_bytes(), self.at, b'{', b'}');
        let inner = self.inner(end);
        let is_closure =
            ["closure", "{closure", "async_", "coroutine", "gen_"].iter().any(|p| inner.starts_with(p));
        let kept = if is_closure {
            "{{closure}}".to_owned()
        } else if let Some(lambda) = inner.strip_prefix("lambda(") {
            let number = lambda.rfind('#').map_or("", |at| &lambda[at..]);
            format!("{{lambda(){number}}}")
        } else {
            let word = inner.trim_matches(['{', '}']);
            format!("{{{}}}", word.split(['#', ':']).next().unwrap_or(word))
        };
        self.out.push_str(&kept);
        self.skip_to(end);
    }

    /// clang's `'lambda'`, `'lambda0'`; without a second quote it is a character like others.
    fn on_quote(&mut self) {
        let close = self.text[self.at + 1..].find('\'');
        match close {
            Some(n) if n < 64 => {
                self.out.push_str(&self.text[self.at..self.at + n + 2]);
                self.at += n + 2;
            }
            _ => self.push('\''),
        }
    }

    fn on_word(&mut self) {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        self.at += word.len();
        if word == "operator" && !self.rest().is_empty() && !self.rest().starts_with('.') {
            self.on_operator();
        } else {
            // `.NET` writes the number of type parameters behind a backtick.
            self.out.push_str(word.split('`').next().unwrap_or(word));
        }
    }

    fn on_operator(&mut self) {
        if !self.has_operator {
            self.cut_return_type();
        }
        self.has_operator = true;
        self.out.push_str("operator");
        let rest = self.rest();
        if let Some(token) = operator_token(rest) {
            self.out.push_str(token);
            self.at += token.len();
            // `operator< <int>`
            if self.rest().starts_with(" <") {
                self.at += 1;
            }
        } else {
            // `operator new[]`, `operator bool`, `operator std::string const&`
            let end = rest.find('(').unwrap_or(rest.len());
            let is_array = rest.starts_with(" new[]") || rest.starts_with(" delete[]");
            let target = if is_array { rest[..end].to_owned() } else { self.nested(&rest[..end]) };
            self.out.push_str(&target);
            self.at += end;
        }
        self.operator_end = self.out.len();
    }

    /// `void* std::__invoke` → `std::__invoke`.
    fn cut_return_type(&mut self) {
        let mut depth = 0usize;
        let mut cut = None;
        for (at, b) in self.out.bytes().enumerate() {
            match b {
                b'(' | b'<' | b'{' | b'[' => depth += 1,
                b')' | b'>' | b'}' | b']' => depth = depth.saturating_sub(1),
                b' ' if depth == 0 => cut = Some(at + 1),
                _ => {}
            }
        }
        if let Some(at) = cut {
            self.out.drain(..at);
        }
    }
}

/// Where `word` stands in `text` outside of brackets.
fn top_level(text: &str, word: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, b) in text.bytes().enumerate() {
        match b {
            b'(' | b'<' | b'[' => depth += 1,
            b')' | b'>' | b']' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 && text[at..].starts_with(word) => return Some(at),
            _ => {}
        }
    }
    None
}
